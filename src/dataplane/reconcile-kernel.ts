/**
 * Makes maps and firewall hold what is wanted, in an order in which forwarding of what is as wanted never stops and no garden
 * opens: members join before the maps wall them, leave after. What to do is decided in reconcile.ts.
 */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { NO_TRAFFIC } from '../model/traffic-counters.js';
import { attempt } from './attempt.js';
import type { Counters } from './counters.js';
import type { GardenFirewall } from './garden-firewall.js';
import { inFlightDone } from './in-flight.js';
import type { ReconcileOutcome, Removed, SubscriberEntry } from './port.js';
import { type Differences, differencesOf, type Placed } from './reconcile.js';
import type { Slots } from './slots.js';
import type { SubscriberMaps } from './subscriber-maps.js';

export interface ReconcileParts {
  readonly clock: Clock;
  readonly firewall: GardenFirewall;
  /** Who was in the firewall's garden when it was adopted. */
  readonly members: ReadonlySet<Ipv4>;
  readonly maps: SubscriberMaps;
  readonly counters: Counters;
  readonly slots: Slots;
}

export interface Reconciled {
  readonly outcome: ReconcileOutcome;
  /** What the maps hold now. */
  readonly held: readonly Placed[];
}

export async function reconcileKernel(
  parts: ReconcileParts,
  wanted: readonly SubscriberEntry[],
): Promise<Reconciled> {
  const { firewall, maps, members } = parts;
  const refused = (reason: string): Reconciled => ({ outcome: { ok: false, reason }, held: [] });
  const stored = maps.readToCompare();
  const walledBefore = new Set<Ipv4>();
  for (const { address, walled } of stored.entries) if (walled) walledBefore.add(address);
  const found = { ...stored, lines: maps.readLines(), members, removed: maps.readRemoved() };
  const differences = differencesOf(found, wanted, parts.slots);
  if (differences === null) return refused('no room for so many subscribers');
  const joined = await firewall.addMembers(differences.membersToAdd);
  if (!joined.ok) return refused(joined.reason);
  const written = attempt(() => write(parts, differences));
  if (!written.ok) return refused(written.reason);
  if (differences.foreign.length > 0) await inFlightDone(parts.clock);
  const foreign = differences.foreign.map((entry) => lastOf(parts, entry));
  const removed = differences.removed.map((entry) => lastOf(parts, entry));
  const left = await firewall.removeMembers([
    ...differences.membersToRemove,
    // Walled in the maps, and so made members when the firewall was adopted, but not found as members then.
    ...differences.foreign.map(({ address }) => address),
    ...differences.stale.flatMap(({ entry }) => (entry.walled ? [] : [entry.address])),
  ]);
  if (!left.ok) return refused(left.reason);
  const cut = [
    ...differences.foreign.map(({ address }) => address),
    ...differences.stale.flatMap(({ entry }) =>
      entry.walled && !walledBefore.has(entry.address) ? [entry.address] : [],
    ),
  ];
  await Promise.all(cut.map((address) => firewall.cutFlows(address)));
  const report = {
    kept: differences.kept.length,
    missing: differences.missing.map(({ entry }) => entry.address),
    stale: differences.stale.map(({ entry }) => entry.address),
    foreign,
    removed,
  };
  return {
    outcome: { ok: true, report },
    held: [...differences.kept, ...differences.missing, ...differences.stale],
  };
}

/** Foreign entries go before others take their lines; counters are clean before an entry refers to them. */
function write({ maps, counters }: ReconcileParts, differences: Differences): void {
  for (const attachment of differences.linesToDelete) maps.deleteLine(attachment);
  for (const { slot } of differences.notRemoved) maps.forgetRemoved(slot);
  for (const { address, slot } of differences.foreign) {
    if (slot === null) maps.delete(address);
    else maps.remove(address, slot);
  }
  const fresh = [
    ...differences.missing,
    ...differences.stale.filter(({ entry }) => differences.moved.has(entry.address)),
  ];
  const slots = fresh.map(({ slot }) => slot);
  counters.resetAll(slots);
  maps.putAll([...differences.stale, ...differences.missing]);
  maps.putLines(differences.linesToWrite);
}

function lastOf(
  { counters }: ReconcileParts,
  { address, slot }: { readonly address: Ipv4; readonly slot: number | null },
): Removed {
  return { address, traffic: slot === null ? NO_TRAFFIC : counters.traffic(slot), receipt: slot };
}
