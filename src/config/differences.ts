/** What is different between two configurations, key by key, and what of it cannot take effect without a restart. Pure. */
import type { Config } from './config.js';
import type { KeyChange } from './live-keys.js';
import { KEY_RULES, LIST_RULES } from './live-keys.js';

/** One key whose value is another now. Null where it is not set. */
export interface Difference {
  /** As in the file, with the item's name: `pools[isp].dns`. */
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Why it cannot take effect; null when it can. */
  readonly refusal: string | null;
}

const RESTART = 'needs a restart';

/** Why an item that is in use must stay, by the path of its list and its own name; null when it may go. */
export type WhyKept = (path: string, name: string) => string | null;

/** Every difference, in the order of the table of keys. */
export function differencesOf(before: Config, after: Config, whyKept: WhyKept): readonly Difference[] {
  const found: Difference[] = [];
  for (const [key, { change, read }] of Object.entries(KEY_RULES)) {
    found.push(...ofKey(key, change, { before: read(before), after: read(after) }));
  }
  for (const [path, { change, keys, read }] of Object.entries(LIST_RULES)) {
    const [old, now] = [read(before), read(after)];
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      const key = itemKey(path, name);
      const [was = null, is = null] = [old.get(name), now.get(name)];
      if (was === null || is === null) {
        const kept = change === 'unused' && is === null ? whyKept(path, name) : null;
        const refusal = change === 'restart' ? RESTART : kept;
        found.push({ key, before: summary(was), after: summary(is), refusal });
      } else {
        for (const [below, change] of Object.entries(keys)) {
          found.push(...ofKey(key + below, change, { before: was[below] ?? null, after: is[below] ?? null }));
        }
      }
    }
  }
  return found;
}

/** One line for a person: the key, what it was, what it is, and why not. */
export function describeDifference({ key, before, after, refusal }: Difference): string {
  const text =
    before === null ? `${key} added: ${after}` : after === null ? `${key} removed: ${before}` : null;
  const change = text ?? `${key}: ${before} -> ${after}`;
  return refusal === null ? change : `${change} (${refusal})`;
}

function ofKey(
  key: string,
  change: KeyChange,
  { before, after }: { readonly before: string | null; readonly after: string | null },
): readonly Difference[] {
  return before === after ? [] : [{ key, before, after, refusal: change === 'live' ? null : RESTART }];
}

function itemKey(path: string, name: string): string {
  return path.endsWith('[]') ? `${path.slice(0, -2)}[${name}]` : path.replace(/\*$/, name);
}

function summary(values: Readonly<Record<string, string | null>> | null): string | null {
  if (values === null) return null;
  const parts = Object.entries(values).flatMap(([below, value]) =>
    value === null ? [] : [below === '' ? value : `${below.slice(1)} ${value}`],
  );
  return parts.join(', ');
}
