/**
 * How many receive queues a network card has and may have, as `ethtool -l` tells it, and how many it should have: one for each
 * CPU. Reads and judges; changes nothing.
 */
import { availableParallelism } from 'node:os';
import { execa } from 'execa';

/** `combined` where a queue receives and sends, `rx` where the card counts them apart. */
export type QueueKind = 'combined' | 'rx';

export interface Queues {
  readonly kind: QueueKind;
  readonly now: number;
  readonly most: number;
}

/** Null where the driver has no say in it. */
export async function readQueues(name: string, deadlineMs: number): Promise<Queues | null> {
  const listing = await execa('ethtool', ['-l', name], { timeout: deadlineMs, reject: false });
  return listing.failed ? null : parseQueues(listing.stdout);
}

/** Two blocks, what may be and what is: `RX:`, `TX:`, `Other:`, `Combined:`, each a number or n/a. */
export function parseQueues(listing: string): Queues | null {
  const [most, now] = listing.split('Current hardware settings:').map(counts);
  if (most === undefined || now === undefined) return null;
  for (const kind of ['combined', 'rx'] as const) {
    const limit = most.get(kind) ?? 0;
    if (limit > 0) return { kind, now: now.get(kind) ?? 0, most: limit };
  }
  return null;
}

function counts(block: string): ReadonlyMap<string, number> {
  const found = block.matchAll(/^(RX|Combined):\s+([0-9]+)$/gm);
  return new Map(Array.from(found, ([, kind = '', count]) => [kind.toLowerCase(), Number(count)]));
}

/** The number to set; null where there are enough. A card with more than one for each CPU is left as it is. */
export function wantedQueues({ now, most }: Queues, cpus = availableParallelism()): number | null {
  const wanted = Math.min(most, cpus);
  return now < wanted ? wanted : null;
}
