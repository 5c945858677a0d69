/** /metrics, read line by line as Prometheus does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMetrics, Metrics } from '../../src/http/metrics.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { FakeBng, makeLogger, makeSession, START_WALL_MS, traffic } from './fake-bng.js';
import { checkProblem } from './problem-check.js';
import { radiusReport } from './radius-figures.js';

/** Series with their labels in the order given, to values; refuses any line outside the text format. */
function parseMetrics(text: string): { series: Map<string, number>; types: Map<string, string> } {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || /^# HELP [a-z_]+ \S/.test(line)) continue;
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      types.set(type[1]!, type[2]!);
      continue;
    }
    const sample = /^([a-z_]+)(\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})? ([0-9.e+]+)$/.exec(line);
    assert.ok(sample !== null, `not a line of the text format: ${line}`);
    const family = sample[1]!.replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(sample[1]!) || types.get(family) === 'histogram', `no TYPE before ${line}`);
    const name = `${sample[1]!}${sample[2] ?? ''}`;
    assert.ok(!series.has(name), `twice: ${name}`);
    series.set(name, Number(sample[3]));
  }
  return { series, types };
}

function makeMetrics(bng: FakeBng) {
  const metrics = new Metrics({
    operator: bng,
    lifecycle: bng,
    pools: bng.pools,
    poolNames: ['wgar', 'isp-residential'],
    dataplane: bng.dataplane,
    radius: () => bng.radius,
    store: () => ({
      failure: { kind: 'full', reason: 'no space' },
      refusedSessions: 3,
      refusedOrders: 2,
      withheldAnswers: 1,
      unstoredRenewals: 5,
    }),
  });
  const app = buildMetrics({ metrics, logger: makeLogger().logger });
  const scrape = async () => {
    const response = await app.inject({ url: '/metrics' });
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers['content-type']), /^text\/plain; version=0.0.4/);
    return parseMetrics(response.body);
  };
  return { metrics, app, scrape };
}

test('every family of the mission is there with its type, and nothing unnamed beside them', async () => {
  const { types } = await makeMetrics(new FakeBng()).scrape();
  assert.deepEqual(Object.fromEntries(types), {
    bng_sessions_total: 'gauge',
    bng_session_duration_seconds: 'histogram',
    bng_dhcp_requests_total: 'counter',
    bng_dhcp_pool_utilization: 'gauge',
    bng_dhcp_pool_available_ips: 'gauge',
    bng_traffic_bytes_total: 'counter',
    bng_traffic_packets_total: 'counter',
    bng_activations_total: 'counter',
    bng_activation_duration_seconds: 'histogram',
    bng_walled_garden_drops_total: 'counter',
    bng_drops_total: 'counter',
    bng_verdicts_total: 'counter',
    bng_xdp_native: 'gauge',
    bng_event_clients_dropped_total: 'counter',
    bng_store_failed: 'gauge',
    bng_store_refused_total: 'counter',
    bng_store_unstored_renewals_total: 'counter',
    bng_radius_requests_total: 'counter',
    bng_radius_retransmissions_total: 'counter',
    bng_radius_ignored_total: 'counter',
    bng_radius_in_flight: 'gauge',
    bng_radius_server_up: 'gauge',
    bng_radius_round_trip_seconds: 'histogram',
    bng_accounting_queue_length: 'gauge',
    bng_accounting_queue_unsaved: 'gauge',
    bng_accounting_queue_oldest_seconds: 'gauge',
    bng_accounting_outage: 'gauge',
    bng_accounting_store_failed: 'gauge',
    bng_accounting_records_total: 'counter',
    bng_accounting_retries_total: 'counter',
    bng_coa_requests_total: 'counter',
    bng_coa_duplicates_total: 'counter',
    bng_coa_dropped_total: 'counter',
  });
});

test('gauges say what sessions, pools and interfaces are at the scrape', async () => {
  const bng = new FakeBng();
  bng.list.push(makeSession(), makeSession({ state: 'active' }), makeSession({ state: 'active' }));
  const { scrape } = makeMetrics(bng);
  const { series } = await scrape();
  assert.equal(series.get('bng_sessions_total{state="active"}'), 2);
  assert.equal(series.get('bng_sessions_total{state="suspended"}'), 0);
  assert.equal(series.get('bng_dhcp_pool_utilization{pool="wgar"}'), 0.125);
  assert.equal(series.get('bng_dhcp_pool_available_ips{pool="wgar"}'), 874);
  assert.equal(series.get('bng_xdp_native{interface="access0"}'), 1);
  assert.equal(series.get('bng_xdp_native{interface="core0"}'), 0);
  bng.list.length = 0;
  assert.equal((await scrape()).series.get('bng_sessions_total{state="active"}'), 0);
});

test('traffic comes from the kernel once a scrape, and does not fall when a subscriber goes', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  const address = parseIpv4('10.0.0.7');
  bng.installed.set(address, traffic(1000n, 5000n));
  const first = (await scrape()).series;
  assert.equal(bng.trafficReads, 1);
  assert.equal(first.get('bng_traffic_bytes_total{direction="in",pool="isp-residential"}'), 1000);
  assert.equal(first.get('bng_traffic_bytes_total{direction="out",pool="isp-residential"}'), 5000);
  assert.equal(first.get('bng_traffic_packets_total{direction="out",pool="isp-residential"}'), 50);
  assert.equal(first.get('bng_traffic_packets_total{direction="in",pool="wgar"}'), 0);
  bng.installed.delete(address);
  const between = (await scrape()).series;
  assert.equal(between.get('bng_traffic_bytes_total{direction="in",pool="isp-residential"}'), 1000);
  const session = makeSession({ address });
  bng.tell({
    type: 'lease-ended',
    wallMs: START_WALL_MS,
    session,
    address,
    poolName: 'isp-residential',
    traffic: traffic(1200n, 5000n),
  });
  for (let i = 0; i < 2; i++) {
    const after = (await scrape()).series;
    assert.equal(after.get('bng_traffic_bytes_total{direction="in",pool="isp-residential"}'), 1200);
  }
});

test('drops and verdicts mirror the dataplane, garden reasons in a family of their own', async () => {
  const bng = new FakeBng();
  bng.dropTable['garden'] = 3n;
  bng.dropTable['malformed'] = 4n;
  bng.verdictTable['drop'] = 7n;
  const { scrape } = makeMetrics(bng);
  await scrape();
  const { series } = await scrape();
  assert.equal(series.get('bng_drops_total{reason="malformed"}'), 4);
  assert.equal(series.get('bng_walled_garden_drops_total{reason="garden"}'), 3);
  assert.equal(series.get('bng_walled_garden_drops_total{reason="garden-fragment"}'), 0);
  assert.equal(series.has('bng_walled_garden_drops_total{reason="malformed"}'), false);
  assert.equal(series.get('bng_verdicts_total{verdict="drop"}'), 7);
});

test('activations count by result, and only successful ones are timed', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  assert.equal((await scrape()).series.get('bng_activations_total{result="success"}'), 0);
  bng.tellStateChange('wgar', 'activating', 60_000);
  bng.tellStateChange('activating', 'active', 3_000);
  bng.tellStateChange('wgar', 'active', 60_000);
  bng.tellStateChange('activating', 'terminated', 9_000, 'session-2');
  bng.tell({
    type: 'order-refused',
    wallMs: START_WALL_MS,
    session: makeSession(),
    order: 'activate',
    reason: 'no address is left',
  });
  const { series } = await scrape();
  assert.equal(series.get('bng_activations_total{result="success"}'), 2);
  assert.equal(series.get('bng_activations_total{result="failed"}'), 1);
  assert.equal(series.get('bng_activations_total{result="refused"}'), 1);
  assert.equal(series.get('bng_activation_duration_seconds_count'), 1);
  assert.equal(series.get('bng_activation_duration_seconds_sum'), 3);
  assert.equal(series.get('bng_session_duration_seconds_sum{state="wgar"}'), 120);
  assert.equal(series.get('bng_session_duration_seconds_count{state="activating"}'), 2);
});

test('a resumption and refused orders of other kinds are no activations', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  bng.tellStateChange('suspended', 'activating', 1000);
  bng.tellStateChange('activating', 'active', 1000);
  bng.tellStateChange('suspended', 'active', 1000);
  const session = makeSession();
  bng.tell({ type: 'order-refused', wallMs: START_WALL_MS, session, order: 'suspend', reason: 'x' });
  const { series } = await scrape();
  for (const result of ['success', 'failed', 'refused']) {
    assert.equal(series.get(`bng_activations_total{result="${result}"}`), 0, result);
  }
});

test('DHCP requests count by pool, those without a pool as none; dropped event clients count too', async () => {
  const { metrics, scrape } = makeMetrics(new FakeBng());
  metrics.dhcp.answered('offer', 'wgar');
  metrics.dhcp.answered('ack', 'wgar');
  metrics.dhcp.answered('silence', null);
  metrics.eventClientDropped();
  const { series } = await scrape();
  assert.equal(series.get('bng_dhcp_requests_total{pool="wgar"}'), 2);
  assert.equal(series.get('bng_dhcp_requests_total{pool="isp-residential"}'), 0);
  assert.equal(series.get('bng_dhcp_requests_total{pool="none"}'), 1);
  assert.equal(series.get('bng_event_clients_dropped_total'), 1);
});

test('AAA is mirrored at each scrape, its round trips bucket for bucket', async () => {
  const bng = new FakeBng();
  bng.radius = radiusReport;
  const { scrape } = makeMetrics(bng);
  await scrape();
  // What follows holds at the second scrape too: totals are the source's, not added up.
  const { series } = await scrape();
  const auth = 'server="192.0.2.7:1812"';
  const acct = 'server="192.0.2.7:1813"';
  const expected = {
    [`bng_radius_requests_total{${auth},code="Access-Request",outcome="access-accept"}`]: 30,
    [`bng_radius_requests_total{${auth},code="Access-Request",outcome="access-reject"}`]: 5,
    [`bng_radius_requests_total{${auth},code="Access-Request",outcome="access-challenge"}`]: 0,
    [`bng_radius_requests_total{${auth},code="Access-Request",outcome="no-answer"}`]: 2,
    [`bng_radius_requests_total{${acct},code="Accounting-Request",outcome="accounting-response"}`]: 0,
    [`bng_radius_requests_total{${acct},code="Accounting-Request",outcome="no-answer"}`]: 12,
    [`bng_radius_retransmissions_total{${auth}}`]: 6,
    [`bng_radius_retransmissions_total{${acct}}`]: 13,
    [`bng_radius_ignored_total{${auth},reason="missing-message-authenticator"}`]: 7,
    [`bng_radius_ignored_total{${auth},reason="malformed"}`]: 0,
    [`bng_radius_in_flight{${auth}}`]: 3,
    [`bng_radius_in_flight{${acct}}`]: 1,
    [`bng_radius_server_up{${auth}}`]: 1,
    [`bng_radius_server_up{${acct}}`]: 0,
    [`bng_radius_round_trip_seconds_bucket{${auth},le="0.001"}`]: 0,
    [`bng_radius_round_trip_seconds_bucket{${auth},le="0.01"}`]: 4,
    [`bng_radius_round_trip_seconds_bucket{${auth},le="1"}`]: 9,
    [`bng_radius_round_trip_seconds_bucket{${auth},le="+Inf"}`]: 10,
    [`bng_radius_round_trip_seconds_sum{${auth}}`]: 2.5,
    [`bng_radius_round_trip_seconds_count{${auth}}`]: 10,
    [`bng_radius_round_trip_seconds_bucket{${acct},le="+Inf"}`]: 0,
    bng_accounting_queue_length: 27,
    bng_accounting_queue_unsaved: 28,
    bng_accounting_queue_oldest_seconds: 30.5,
    bng_accounting_outage: 1,
    bng_accounting_store_failed: 0,
    bng_accounting_retries_total: 32,
    'bng_accounting_records_total{result="delivered"}': 31,
    'bng_accounting_records_total{result="superseded"}': 33,
    'bng_accounting_records_total{result="unsendable"}': 34,
    'bng_accounting_records_total{result="damaged"}': 35,
    'bng_coa_requests_total{code="CoA-Request",outcome="ack"}': 44,
    'bng_coa_requests_total{code="CoA-Request",outcome="SessionContextNotFound"}': 44,
    'bng_coa_requests_total{code="Disconnect-Request",outcome="ack"}': 0,
    bng_coa_duplicates_total: 40,
    'bng_coa_dropped_total{reason="unknown-client"}': 36,
    'bng_coa_dropped_total{reason="malformed"}': 47,
    'bng_coa_dropped_total{reason="replayed"}': 2,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
  const found = [...series.keys()].filter((name) => /^bng_(radius|accounting|coa)_/.test(name));
  const others = found.filter((name) => !(name in expected));
  assert.ok(
    others.every((name) => name.includes(acct) && name.startsWith('bng_radius_round_trip_seconds')),
    others.join(', '),
  );
});

test('where AAA has no queue and no CoA server there are no series of them, also when they go away', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  const aaaSeries = async (): Promise<string[]> =>
    [...(await scrape()).series.keys()].filter((name) => /^bng_(radius|accounting|coa)_/.test(name));
  assert.deepEqual(await aaaSeries(), []);
  const local = bng.radius;
  bng.radius = radiusReport;
  assert.notEqual((await aaaSeries()).length, 0);
  bng.radius = local;
  assert.deepEqual(await aaaSeries(), []);
});

test('two BNGs in one process do not share a series, and a closed one listens no more', async () => {
  const [one, two] = [new FakeBng(), new FakeBng()];
  const first = makeMetrics(one);
  const second = makeMetrics(two);
  one.tellStateChange('wgar', 'active', 1);
  assert.equal((await second.scrape()).series.get('bng_activations_total{result="success"}'), 0);
  first.metrics.close();
  assert.equal(one.listeners.size, 0);
});

test('another path is a problem document', async () => {
  checkProblem(await makeMetrics(new FakeBng()).app.inject({ url: '/' }), 404, 'not-found');
});

test('a store that takes nothing is an alarm, and what was refused because of it is counted by what it was', async () => {
  const { series } = await makeMetrics(new FakeBng()).scrape();
  assert.equal(series.get('bng_store_failed'), 1);
  const refused = ['session', 'order', 'answer'].map((what) =>
    series.get(`bng_store_refused_total{what="${what}"}`),
  );
  assert.deepEqual(refused, [3, 2, 1]);
  assert.equal(series.get('bng_store_unstored_renewals_total'), 5);
});
