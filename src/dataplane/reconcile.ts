/**
 * How what the kernel holds differs from what is wanted, as a value: which entries to write, which to remove. Pure; knows
 * neither maps nor transactions.
 */
import type { Attachment } from '../model/access-line.js';
import { attachmentKey, isSameAttachment } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { SubscriberEntry } from './port.js';
import type { Slots } from './slots.js';

/** An entry found in the kernel. */
export interface FoundEntry {
  readonly address: Ipv4;
  readonly slot: number;
}

export interface FoundLine {
  readonly attachment: Attachment;
  readonly address: Ipv4;
}

export interface Found<Entry extends FoundEntry> {
  readonly entries: readonly Entry[];
  readonly lines: readonly FoundLine[];
  readonly members: ReadonlySet<Ipv4>;
  /** Removed, with a slot whose last counters nobody has kept. */
  readonly removed: readonly FoundEntry[];
  /** Whether the kernel's entry is what the wanted one would be written as. */
  readonly isAsWanted: (found: Entry, wanted: SubscriberEntry) => boolean;
}

export interface Placed {
  readonly entry: SubscriberEntry;
  readonly slot: number;
}

export interface Differences {
  readonly kept: readonly Placed[];
  /** Not there: to be written, counters from zero. */
  readonly missing: readonly Placed[];
  /** There, other than wanted: to be written in their slots, or with the right line or membership. */
  readonly stale: readonly Placed[];
  /** Stale ones that share a slot with another, or have an impossible one: counters from zero in a slot of their own. */
  readonly moved: ReadonlySet<Ipv4>;
  /** There and wanted by nobody; the slot is null where only the firewall knew the address. */
  readonly foreign: readonly { readonly address: Ipv4; readonly slot: number | null }[];
  /** Removed before. Their slots are taken. */
  readonly removed: readonly FoundEntry[];
  /** Said to be removed, and their slots are somebody's: the removal was not carried out. */
  readonly notRemoved: readonly FoundEntry[];
  readonly linesToWrite: readonly FoundLine[];
  readonly linesToDelete: readonly Attachment[];
  readonly membersToAdd: readonly Ipv4[];
  readonly membersToRemove: readonly Ipv4[];
}

/**
 * Compares, and takes a slot for every wanted entry out of `slots`, none of which may be taken yet. Null when there are more than
 * slots.
 */
export function differencesOf<Entry extends FoundEntry>(
  found: Found<Entry>,
  wanted: readonly SubscriberEntry[],
  slots: Slots,
): Differences | null {
  const wantedBy = new Map(wanted.map((entry) => [entry.address, entry]));
  const foundBy = new Map(found.entries.map((entry) => [entry.address, entry]));
  // Wanted ones claim their slots first: a foreign entry with the same slot has counted for nobody knows whom.
  const claimed = new Set<Ipv4>();
  for (const entry of found.entries) {
    if (wantedBy.has(entry.address) && slots.claim(entry.slot)) claimed.add(entry.address);
  }
  const foreign = foreignOf(found, wantedBy, slots);
  const removed: FoundEntry[] = [];
  const notRemoved: FoundEntry[] = [];
  for (const entry of found.removed) (slots.claim(entry.slot) ? removed : notRemoved).push(entry);
  const lines = lineDifferences(found.lines, wantedBy);
  const kept: Placed[] = [];
  const missing: Placed[] = [];
  const stale: Placed[] = [];
  const moved = new Set<Ipv4>();
  for (const entry of wantedBy.values()) {
    const there = foundBy.get(entry.address);
    const slot = there !== undefined && claimed.has(entry.address) ? there.slot : slots.take();
    if (slot === null) return null;
    const placed = { entry, slot };
    if (there === undefined) missing.push(placed);
    else if (
      there.slot === slot &&
      found.isAsWanted(there, entry) &&
      !lines.amiss.has(entry.address) &&
      found.members.has(entry.address) === entry.walled
    ) {
      kept.push(placed);
    } else {
      stale.push(placed);
      if (there.slot !== slot || !claimed.has(entry.address)) moved.add(entry.address);
    }
  }
  return {
    kept,
    missing,
    stale,
    moved,
    foreign,
    removed,
    notRemoved,
    linesToWrite: lines.write,
    linesToDelete: lines.delete,
    membersToAdd: addressesOf(wanted, ({ address, walled }) => walled && !found.members.has(address)),
    membersToRemove: [...found.members].filter((address) => wantedBy.get(address)?.walled !== true),
  };
}

function foreignOf<Entry extends FoundEntry>(
  found: Found<Entry>,
  wantedBy: ReadonlyMap<Ipv4, SubscriberEntry>,
  slots: Slots,
): Differences['foreign'] {
  const entries = found.entries.filter(({ address }) => !wantedBy.has(address));
  const known = new Set(entries.map(({ address }) => address));
  return [
    ...entries.map(({ address, slot }) => ({ address, slot: slots.claim(slot) ? slot : null })),
    ...[...found.members].flatMap((address) =>
      wantedBy.has(address) || known.has(address) ? [] : [{ address, slot: null }],
    ),
  ];
}

function addressesOf(
  entries: readonly SubscriberEntry[],
  isMeant: (entry: SubscriberEntry) => boolean,
): readonly Ipv4[] {
  const addresses = new Set<Ipv4>();
  for (const entry of entries) if (isMeant(entry)) addresses.add(entry.address);
  return [...addresses];
}

/** By address first: almost all are where they should be, and a text for each attachment takes longer than all the rest. */
function lineDifferences(lines: readonly FoundLine[], wantedBy: ReadonlyMap<Ipv4, SubscriberEntry>) {
  const inPlace = new Set<Ipv4>();
  const others: FoundLine[] = [];
  for (const line of lines) {
    const wanted = wantedBy.get(line.address);
    if (wanted !== undefined && isSameAttachment(wanted.attachment, line.attachment))
      inPlace.add(line.address);
    else others.push(line);
  }
  const write: FoundLine[] = [];
  const amiss = new Set<Ipv4>();
  const written = new Set<string>();
  for (const { address, attachment } of wantedBy.values()) {
    if (inPlace.has(address)) continue;
    write.push({ attachment, address });
    amiss.add(address);
    written.add(attachmentKey(attachment));
  }
  const gone = others.filter((line) => !written.has(attachmentKey(line.attachment)));
  for (const { address } of gone) amiss.add(address);
  return { write, delete: gone.map((line) => line.attachment), amiss };
}
