/**
 * The dataplane's own calls, timed inside the BNG's namespace: install, update, remove and read, for one subscriber and
 * for many at once. The real dataplane on the real kernel; no DHCP, no session.
 */
import { z } from 'zod';
import { BngError } from '../../src/model/bng-error.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { tellParent } from './bench-context.js';
import { openBenchDataplane } from './subscriber-world.js';

export const subscriberSettingsSchema = z.strictObject({
  objectPath: z.string(),
  accessInterface: z.string(),
  coreInterface: z.string(),
  many: z.int(),
  manyWalled: z.int(),
});

/** Alone, one call after another: enough for a mean that a timer's resolution does not spoil. */
const SINGLE_CALLS = 200;
/** Calls that flush connections take tens of milliseconds each. */
const SLOW_CALLS = 20;
const READS = 10;
/** Subscribers whose counters are read before others have their turn. */
const PORTION = 2_048;

/** Milliseconds by what was done. */
const times: Record<string, number> = {};

async function timed(name: string, calls: number, run: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await run();
  times[name] = (performance.now() - began) / calls;
}

function must(outcome: { readonly ok: boolean; readonly reason?: string }): void {
  if (!outcome.ok) {
    throw new BngError('BNG_ERR_DATAPLANE', 'expected the dataplane to agree', {
      reason: outcome.reason ?? '',
    });
  }
}

async function oneByOne(
  count: number,
  call: (n: number) => Promise<{ readonly ok: boolean }>,
): Promise<void> {
  for (let n = 0; n < count; n++) must(await call(n));
}

async function allAtOnce(
  count: number,
  call: (n: number) => Promise<{ readonly ok: boolean }>,
): Promise<void> {
  for (const outcome of await Promise.all(Array.from({ length: count }, (_, n) => call(n)))) must(outcome);
}

/** Out, and what it counted last is kept: as sessions do it. */
async function takeOut(address: Ipv4): Promise<{ readonly ok: boolean }> {
  const removed = await dataplane.remove(address);
  if (removed.ok && removed.receipt !== null) dataplane.forget([removed.receipt]);
  return removed;
}

async function measure(open: number, closed: number): Promise<void> {
  for (const walled of [false, true]) {
    const many = walled ? closed : open;
    const kind = walled ? 'walled' : 'open';
    await timed(`one install, ${kind}`, SINGLE_CALLS, () =>
      oneByOne(SINGLE_CALLS, (n) => dataplane.install(entry(n, walled))),
    );
    if (!walled) {
      await timed('one update, open', SINGLE_CALLS, () =>
        oneByOne(SINGLE_CALLS, (n) => dataplane.update(entry(n, walled))),
      );
      await timed('one update, open to walled', SLOW_CALLS, () =>
        oneByOne(SLOW_CALLS, (n) => dataplane.update(entry(n, true))),
      );
      await timed('one update, walled to open', SLOW_CALLS, () =>
        oneByOne(SLOW_CALLS, (n) => dataplane.update(entry(n, false))),
      );
    }
    await timed(`one remove, ${kind}`, SLOW_CALLS, () =>
      oneByOne(SLOW_CALLS, (n) => takeOut(entry(n, walled).address)),
    );
    // The rest, untimed; removing who is gone already is no error.
    await allAtOnce(SINGLE_CALLS, (n) => takeOut(entry(n, walled).address));
    await timed(`${many} installs at once, ${kind}`, 1, () =>
      allAtOnce(many, (n) => dataplane.install(entry(n, walled))),
    );
    if (!walled) {
      await timed(`${many} updates at once, open`, 1, () =>
        allAtOnce(many, (n) => dataplane.update(entry(n, walled))),
      );
      readCounters(many);
    }
    await timed(`${many} removes at once, ${kind}`, 1, () =>
      allAtOnce(many, (n) => takeOut(entry(n, walled).address)),
    );
  }
}

/** As whoever exports them reads them: between two portions the event loop may turn. */
function readCounters(many: number): void {
  let total = 0;
  let longest = 0;
  for (let run = 0; run <= READS; run++) {
    let found = 0;
    let before = performance.now();
    for (const portion of dataplane.trafficInPortions(PORTION)) {
      const now = performance.now();
      // The first run is compiled on the way.
      if (run > 0) {
        total += now - before;
        longest = Math.max(longest, now - before);
      }
      found += portion.size;
      before = performance.now();
    }
    if (found !== many) throw new BngError('BNG_ERR_DATAPLANE', 'expected all counters', { found });
  }
  times[`counters of all ${many}`] = total / READS;
  times[`counters of all ${many}, longest of their portions`] = longest;
}

const settings = subscriberSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { dataplane, entry } = await openBenchDataplane(settings);
try {
  await measure(settings.many, settings.manyWalled);
  tellParent({ result: times });
} finally {
  await dataplane.close();
}
