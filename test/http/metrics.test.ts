/** /metrics, read line by line as Prometheus does. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { buildMetrics } from '../../src/http/metrics-app.js';
import { Metrics } from '../../src/http/metrics.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { NO_ADMISSION_FIGURES, NO_LINE_FIGURES } from '../../src/session/view.js';
import { FakeBng, FakeClock, makeLogger, makeSession, START_WALL_MS, traffic } from './fake-bng.js';
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
    const sample = /^([a-z_]+)(\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})? ([0-9.e+-]+)$/.exec(line);
    assert.ok(sample !== null, `not a line of the text format: ${line}`);
    const family = sample[1]!.replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(sample[1]!) || types.get(family) === 'histogram', `no TYPE before ${line}`);
    const name = `${sample[1]!}${sample[2] ?? ''}`;
    assert.ok(!series.has(name), `twice: ${name}`);
    series.set(name, Number(sample[3]));
  }
  return { series, types };
}

const open: Metrics[] = [];
afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});

function makeMetrics(bng: FakeBng, { topTalkers = 10, clock = new FakeClock() } = {}) {
  const metrics = new Metrics({
    operator: bng,
    lifecycle: bng,
    pools: bng.pools,
    dataplane: bng.dataplane,
    radius: () => bng.radius,
    lines: () => NO_LINE_FIGURES,
    admission: () => NO_ADMISSION_FIGURES,
    store: () => ({
      refusedSessions: 3,
      refusedOrders: 2,
      withheldAnswers: 1,
      unstoredRenewals: 5,
    }),
    clock,
    topTalkers,
  });
  open.push(metrics);
  const app = buildMetrics({ metrics, subscribers: null, logger: makeLogger().logger });
  const scrape = async () => {
    const response = await app.inject({ url: '/metrics' });
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers['content-type']), /^text\/plain; version=0.0.4/);
    return parseMetrics(response.body);
  };
  return { metrics, app, scrape, clock };
}

test('every family of the mission is there with its type, and nothing unnamed beside them', async () => {
  const { types } = await makeMetrics(new FakeBng()).scrape();
  assert.deepEqual(Object.fromEntries(types), {
    bng_sessions_total: 'gauge',
    bng_draining: 'gauge',
    bng_sessions_detected_total: 'counter',
    bng_sessions_provisioned_total: 'counter',
    bng_session_setup_duration_seconds: 'histogram',
    bng_dhcp_answer_duration_seconds: 'histogram',
    bng_dhcp_dropped_total: 'counter',
    bng_top_talker_bytes_total: 'counter',
    bng_garden_mismatches: 'gauge',
    bng_line_refusals_total: 'counter',
    bng_line_takeovers_total: 'counter',
    bng_liveness_checks_total: 'counter',
    bng_store_writes_total: 'counter',
    bng_store_write_duration_seconds: 'histogram',
    bng_store_failing: 'gauge',
    bng_process_cpu_seconds_total: 'counter',
    bng_process_resident_memory_bytes: 'gauge',
    bng_process_heap_used_bytes: 'gauge',
    bng_process_open_fds: 'gauge',
    bng_process_start_time_seconds: 'gauge',
    bng_event_loop_busy_seconds_total: 'counter',
    bng_event_loop_delay_seconds: 'histogram',
    bng_session_duration_seconds: 'histogram',
    bng_dhcp_requests_total: 'counter',
    bng_dhcp_pool_utilization: 'gauge',
    bng_garden_dns_queries_total: 'counter',
    bng_dhcp_pool_available_ips: 'gauge',
    bng_admission_window: 'gauge',
    bng_admission_in_progress: 'gauge',
    bng_admission_waiting: 'gauge',
    bng_admission_dropped_total: 'counter',
    bng_dhcp_pool_draining: 'gauge',
    bng_dhcp_pool_group_available_ips: 'gauge',
    bng_dhcp_pool_group_member: 'gauge',
    bng_dhcp_pool_group_utilization: 'gauge',
    bng_traffic_bytes_total: 'counter',
    bng_traffic_packets_total: 'counter',
    bng_activations_total: 'counter',
    bng_activation_duration_seconds: 'histogram',
    bng_walled_garden_drops_total: 'counter',
    bng_drops_total: 'counter',
    bng_verdicts_total: 'counter',
    bng_xdp_native: 'gauge',
    bng_event_clients_dropped_total: 'counter',
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
  assert.equal(series.get('bng_draining'), 0);
  bng.list.length = 0;
  bng.setDraining(true);
  const later = (await scrape()).series;
  assert.equal(later.get('bng_sessions_total{state="active"}'), 0);
  assert.equal(later.get('bng_draining'), 1);
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
  assert.equal(series.get('bng_walled_garden_drops_total{reason="garden_fragment"}'), 0);
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
  metrics.dhcp.decided('offer', 'wgar');
  metrics.dhcp.answered('offer', 3);
  metrics.dhcp.decided('ack', 'wgar');
  metrics.dhcp.decided('silence', null);
  metrics.dhcp.dropped('malformed');
  metrics.eventClientDropped();
  const { series } = await scrape();
  assert.equal(series.get('bng_dhcp_requests_total{pool="wgar"}'), 2);
  assert.equal(series.get('bng_dhcp_requests_total{pool="isp-residential"}'), 0);
  assert.equal(series.get('bng_dhcp_requests_total{pool="none"}'), 1);
  assert.equal(series.get('bng_event_clients_dropped_total'), 1);
  assert.equal(series.get('bng_dhcp_dropped_total{reason="malformed"}'), 1);
  assert.equal(series.get('bng_dhcp_answer_duration_seconds_count{answer="offer"}'), 1);
  assert.equal(series.get('bng_dhcp_answer_duration_seconds_bucket{le="0.002",answer="offer"}'), 0);
  assert.equal(series.get('bng_dhcp_answer_duration_seconds_bucket{le="0.005",answer="offer"}'), 1);
  assert.equal(series.get('bng_dhcp_answer_duration_seconds_count{answer="ack"}'), 0);
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

test('session set-up is timed once a session, and only then is it provisioned', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  const session = makeSession();
  const bound = { type: 'lease-bound', wallMs: START_WALL_MS, session, poolName: 'wgar' } as const;
  bng.tell({ type: 'session-created', wallMs: START_WALL_MS, session });
  bng.tell({ ...bound, address: parseIpv4('10.255.0.10'), setupMs: 40 });
  bng.tell({ ...bound, address: parseIpv4('10.0.0.10'), setupMs: null });
  const { series } = await scrape();
  assert.equal(series.get('bng_sessions_detected_total'), 1);
  assert.equal(series.get('bng_sessions_provisioned_total'), 1);
  assert.equal(series.get('bng_session_setup_duration_seconds_count'), 1);
  assert.equal(series.get('bng_session_setup_duration_seconds_sum'), 0.04);
});

test('drops in the firewall count as garden drops; where they cannot be read there is no series', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  bng.firewallDrops = 5n;
  const { series } = await scrape();
  assert.equal(series.get('bng_walled_garden_drops_total{reason="firewall"}'), 5);
  assert.equal(series.get('bng_drops_total{reason="firewall"}'), 5);
  bng.firewallDrops = null;
  assert.equal((await scrape()).series.has('bng_walled_garden_drops_total{reason="firewall"}'), false);
});

test('the garden is audited beside the scrapes, again after a pause, and not known while it cannot be read', async () => {
  const bng = new FakeBng();
  const { scrape, clock } = makeMetrics(bng);
  bng.gardenMismatches = 2;
  const found = async (): Promise<number | undefined> => {
    // The first scrape begins a look when one is due, the second shows what it found.
    await scrape();
    return (await scrape()).series.get('bng_garden_mismatches');
  };
  assert.equal(await found(), 2);
  bng.gardenMismatches = null;
  clock.advance(4_999);
  assert.equal(await found(), 2);
  clock.advance(1);
  assert.equal(await found(), undefined);
});

test('writes to the store count by result, and the last one says whether it is failing', async () => {
  const { metrics, scrape } = makeMetrics(new FakeBng());
  assert.equal((await scrape()).series.get('bng_store_failing'), 0);
  metrics.store.written(3, null);
  metrics.store.written(30, 'full');
  const failing = (await scrape()).series;
  assert.equal(failing.get('bng_store_failing'), 1);
  assert.equal(failing.get('bng_store_writes_total{result="ok"}'), 1);
  assert.equal(failing.get('bng_store_writes_total{result="full"}'), 1);
  assert.equal(failing.get('bng_store_write_duration_seconds_count'), 2);
  metrics.store.written(3, null);
  assert.equal((await scrape()).series.get('bng_store_failing'), 0);
});

test('top talkers are those who moved most lately, as many as configured, and gone with their lease', async () => {
  const bng = new FakeBng();
  const { scrape, clock } = makeMetrics(bng, { topTalkers: 2 });
  const talkers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(parseIpv4);
  const [first, second, third] = talkers as [(typeof talkers)[0], (typeof talkers)[0], (typeof talkers)[0]];
  bng.list.push(
    ...talkers.map((address, n) => makeSession({ id: `s${n}`, ontSerial: `ONT${n + 1}`, address })),
  );
  bng.installed.set(first, traffic(8000n, 100n));
  bng.installed.set(second, traffic(4000n));
  bng.installed.set(third, traffic(1000n));
  const seen = async (): Promise<string[]> =>
    [...(await scrape()).series]
      .filter(([name]) => name.startsWith('bng_top_talker_bytes_total'))
      .map(
        ([name, value]) =>
          `${/ont_serial="(\w+)".*direction="(\w+)"/.exec(name)?.slice(1).join(' ')} ${value}`,
      );
  assert.deepEqual(await seen(), ['ONT1 in 8000', 'ONT1 out 100', 'ONT2 in 4000', 'ONT2 out 0']);
  // Five minutes later the third has moved less than the others ever did, but now.
  clock.advance(300_000);
  bng.installed.set(third, traffic(2000n));
  assert.deepEqual(await seen(), ['ONT3 in 2000', 'ONT3 out 0', 'ONT1 in 8000', 'ONT1 out 100']);
  bng.tell({
    type: 'lease-ended',
    wallMs: START_WALL_MS,
    session: makeSession(),
    address: third,
    poolName: 'isp-residential',
    traffic: traffic(2000n),
  });
  bng.installed.delete(third);
  assert.deepEqual(await seen(), ['ONT1 in 8000', 'ONT1 out 100', 'ONT2 in 4000', 'ONT2 out 0']);
});

test('two scrapers at the same time both see everything once', async () => {
  const bng = new FakeBng();
  const { scrape } = makeMetrics(bng);
  bng.installed.set(parseIpv4('10.0.0.7'), traffic(1000n));
  bng.dropTable['malformed'] = 4n;
  for (const { series } of await Promise.all([scrape(), scrape(), scrape()])) {
    assert.equal(series.get('bng_traffic_bytes_total{direction="in",pool="isp-residential"}'), 1000);
    assert.equal(series.get('bng_drops_total{reason="malformed"}'), 4);
  }
});

test('another path is a problem document', async () => {
  checkProblem(await makeMetrics(new FakeBng()).app.inject({ url: '/' }), 404, 'not-found');
});

test('a store that takes nothing is an alarm, and what was refused because of it is counted by what it was', async () => {
  const { series } = await makeMetrics(new FakeBng()).scrape();
  const refused = ['session', 'order', 'answer'].map((what) =>
    series.get(`bng_store_refused_total{what="${what}"}`),
  );
  assert.deepEqual(refused, [3, 2, 1]);
  assert.equal(series.get('bng_store_unstored_renewals_total'), 5);
});
