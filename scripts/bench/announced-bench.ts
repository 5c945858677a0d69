/**
 * ONTs as the mission has them: the access node tells of them, they are authenticated and have their addresses, and then their
 * equipment asks. How soon a thousand that come at once are ready, and how soon a DISCOVER has its OFFER.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchAccessNode } from './bench-access-node.js';
import type { BenchContext } from './bench-context.js';
import type { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import { median } from './figure.js';
import type { LoadResult } from './load-settings.js';
import { Loaded } from './loaded-bng.js';

const AT_ONCE = 1_000;
const MISSION_PER_SECOND = 1_000;
const SECONDS = 3;
const WARM_UP = 3_000;
const OUTSTANDING = 64;
const MOST_COUNT = 6_000;
/** Until what is told of the last ONT is on the disk, and the BNG has nothing to do. */
const CALM_MS = 500;

export async function benchAnnounced(
  context: BenchContext,
  world: BenchWorld,
  storePath: string,
): Promise<readonly Figure[]> {
  const node = await BenchAccessNode.listen(world.paths.oltSocket);
  context.onClose(() => node.close());
  const bng = await world.startBng({
    defaultPool: 'isp-residential',
    logLevel: 'info',
    storePath,
    hasAccessNode: true,
  });
  const loaded = new Loaded(world, bng);
  const plugged = async (count: number): Promise<{ readonly first: number; readonly tookMs: number }> => {
    const first = loaded.take(count);
    const tookMs = await node.plug(first, count);
    return { first, tookMs };
  };
  const offers = async (count: number, pace: { outstanding: number } | { perSecond: number }) => {
    const { first } = await plugged(count);
    await sleep(CALM_MS);
    return loaded.run({ exchange: 'offer', count, pace }, first);
  };
  const warm = await plugged(WARM_UP);
  await loaded.run({ exchange: 'lease', count: WARM_UP, pace: { outstanding: OUTSTANDING } }, warm.first);

  const runs = context.quick ? 2 : 4;
  const [readyMs, leases]: [number[], LoadResult[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    context.progress(`${AT_ONCE} ONTs at once, run ${run + 1}`);
    const { first, tookMs } = await plugged(AT_ONCE);
    readyMs.push(tookMs);
    leases.push(
      await loaded.run({ exchange: 'lease', count: AT_ONCE, pace: { outstanding: AT_ONCE } }, first),
    );
  }
  const most: LoadResult[] = [];
  for (let run = 0; run < runs; run += 1) most.push(await offers(MOST_COUNT, { outstanding: OUTSTANDING }));
  const half = Math.round(median(most.map(perSecond)) / 2);
  const [mission, atHalf]: [LoadResult[], LoadResult[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    context.progress(`announced, DISCOVER at ${MISSION_PER_SECOND}/s and at ${half}/s, run ${run + 1}`);
    mission.push(await offers(MISSION_PER_SECOND * SECONDS, { perSecond: MISSION_PER_SECOND }));
    atHalf.push(await offers(half, { perSecond: half }));
  }
  await bng.stop();
  await node.close();
  const lost = [...leases, ...most, ...mission, ...atHalf].reduce((sum, result) => sum + result.lost, 0);
  const figure = (name: string, unit: string, values: readonly number[], note = ''): Figure => ({
    bench: 'load',
    name: `announced ONTs: ${name}`,
    unit,
    values,
    ...(note === '' ? {} : { note }),
  });
  const latencies = (title: string, results: readonly LoadResult[]): Figure[] => [
    figure(
      `DISCOVER→OFFER p50, ${title}`,
      'µs',
      results.map(({ offer }) => offer.p50Us),
    ),
    figure(
      `DISCOVER→OFFER p99, ${title}`,
      'µs',
      results.map(({ offer }) => offer.p99Us),
      `longest ${Math.max(...results.map(({ offer }) => offer.mostUs)).toFixed(0)} µs`,
    ),
  ];
  return [
    figure(
      `${AT_ONCE} connect at once, ready`,
      '1/s',
      readyMs.map((ms) => (AT_ONCE / ms) * 1000),
      'told of by the simulated access node, authenticated, address allocated, the access node configured',
    ),
    figure(
      `${AT_ONCE} ask at once, leases`,
      '1/s',
      leases.map(perSecond),
      `DISCOVER to ACK, dataplane installed, store on the disk; ${lost} of all without an answer within 1 s`,
    ),
    figure('DISCOVER→OFFER, most', '1/s', most.map(perSecond), `${OUTSTANDING} under way`),
    ...latencies(`${MISSION_PER_SECOND}/s`, mission),
    ...latencies(`half the most (${half}/s)`, atHalf),
  ];
}

function perSecond({ finished, elapsedMs }: LoadResult): number {
  return (finished / elapsedMs) * 1000;
}
