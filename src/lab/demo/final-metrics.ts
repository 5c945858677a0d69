/** The end of the story: what `/metrics` says, held against what the API says of every session. */
import type { LabBng } from '../lab-bng.js';
import type { Narrator } from './narrator.js';

const STATES = ['discovered', 'wgar', 'activating', 'active', 'suspended', 'terminated'] as const;

export interface FinalMetricsOptions {
  readonly bng: LabBng;
  readonly narrator: Narrator;
  readonly subscribers: number;
}

export async function finalMetrics({ bng, narrator, subscribers }: FinalMetricsOptions): Promise<void> {
  const metrics = await bng.metrics();
  const read = (sample: string): number => metrics.get(sample) ?? 0;

  const counts = STATES.map((state) => ({ state, count: read(`bng_sessions_total{state="${state}"}`) }));
  const { body } = await bng.get('/api/v1/sessions?limit=1000');
  const listed = (body['sessions'] ?? []) as readonly Record<string, unknown>[];
  const agree = counts
    .filter(({ state }) => state !== 'terminated')
    .every(({ state, count }) => count === listed.filter((session) => session['state'] === state).length);
  narrator.check(
    'METRICS',
    agree && listed.length === subscribers,
    `sessions ${counts.map(({ state, count }) => `${state} ${count}`).join(', ')}; the API lists ${listed.length}`,
    Object.fromEntries(counts.map(({ state, count }) => [state, count])),
  );

  const pools = (await bng.get('/api/v1/pools')).body['pools'] as readonly Record<string, unknown>[];
  for (const pool of pools) {
    const name = String(pool['name']);
    const utilization = read(`bng_dhcp_pool_utilization{pool="${name}"}`);
    const available = read(`bng_dhcp_pool_available_ips{pool="${name}"}`);
    const allocated = Number(pool['allocated']);
    const text = `pool ${name}: ${allocated} allocated, ${available} available, ${(utilization * 100).toFixed(4)} %`;
    narrator.check('METRICS', available + allocated === Number(pool['capacity']), text, {
      pool: name,
      allocated,
    });
  }

  const bytes = (direction: string): number =>
    pools.reduce(
      (sum, { name }) =>
        sum + read(`bng_traffic_bytes_total{direction="${direction}",pool="${String(name)}"}`),
      0,
    );
  const [fromSubscribers, toSubscribers] = [bytes('in'), bytes('out')];
  const average = (fromSubscribers + toSubscribers) / Math.max(1, subscribers);
  narrator.check(
    'METRICS',
    fromSubscribers > 0 && toSubscribers > 0,
    `traffic: ${fromSubscribers} B from and ${toSubscribers} B to subscribers, ${Math.round(average)} B for each of ${subscribers} on average`,
    { fromSubscribers, toSubscribers },
  );

  const activations = read('bng_activations_total{result="success"}');
  const seconds =
    read('bng_activation_duration_seconds_sum') / Math.max(1, read('bng_activation_duration_seconds_count'));
  narrator.check(
    'METRICS',
    activations > 0,
    `activations: ${activations}, ${(seconds * 1000).toFixed(0)} ms from order to new lease on average`,
    { activations, averageSeconds: seconds },
  );
  const gardenDrops = [...metrics].filter(([name]) => name.startsWith('bng_walled_garden_drops_total'));
  const dropped = gardenDrops.reduce((sum, [, count]) => sum + count, 0);
  narrator.check('METRICS', dropped > 0, `packets stopped by the walled garden: ${dropped}`, { dropped });
}
