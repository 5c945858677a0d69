/** `/metrics/subscribers`: opt-in, complete, and harmless to the event loop however many there are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildMetrics } from '../../src/http/metrics-app.js';
import { Metrics } from '../../src/http/metrics.js';
import { NO_ADMISSION_FIGURES, NO_LINE_FIGURES } from '../../src/session/view.js';
import { NOTHING_REFUSED } from '../../src/http/store-metrics.js';
import { subscriberChunks } from '../../src/http/subscriber-metrics.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { ipv4FromNumber, parseIpv4 } from '../../src/model/ipv4.js';
import { FakeBng, FakeClock, makeLogger, makeSession, traffic } from './fake-bng.js';
import { checkProblem } from './problem-check.js';

const FIRST = parseIpv4('10.0.0.1');

function bngWith(subscribers: number): FakeBng {
  const bng = new FakeBng();
  for (let n = 0; n < subscribers; n++) {
    const address = ipv4FromNumber(FIRST + n);
    bng.list.push(makeSession({ id: `s${n}`, ontSerial: `ONT${n}`, address, state: 'active' }));
    bng.installed.set(address, traffic(BigInt(n * 100), 7n));
  }
  return bng;
}

function appOf(bng: FakeBng, on: boolean) {
  const metrics = new Metrics({
    operator: bng,
    lifecycle: bng,
    pools: bng.pools,
    dataplane: bng.dataplane,
    radius: () => bng.radius,
    clock: new FakeClock(),
    topTalkers: 10,
    store: () => NOTHING_REFUSED,
    lines: () => NO_LINE_FIGURES,
    admission: () => NO_ADMISSION_FIGURES,
  });
  const subscribers = on ? { operator: bng, dataplane: bng.dataplane } : null;
  return { metrics, app: buildMetrics({ metrics, subscribers, logger: makeLogger().logger }) };
}

describe('/metrics/subscribers', () => {
  it('is a problem document that says what to set where it is not turned on', async (t) => {
    const { app, metrics } = appOf(bngWith(1), false);
    t.after(() => metrics.close());
    const answer = await app.inject({ url: '/metrics/subscribers' });
    checkProblem(answer, 404, 'not-found');
    assert.match(answer.body, /metrics\.subscribers/);
  });

  it('has every subscriber with an address, its families one after the other, in both formats', async (t) => {
    const bng = bngWith(2);
    bng.list.push(makeSession({ id: 'no-address', address: null, attachment: null, profile: null }));
    // Granted and not installed: known, but nothing counts for it yet.
    bng.list.push(makeSession({ id: 'offered', ontSerial: null, address: parseIpv4('10.0.9.9') }));
    const { app, metrics } = appOf(bng, true);
    t.after(() => metrics.close());
    const line = 'service="walled-garden",s_vlan="100",c_vlan="7",mac="02:00:00:00:00:01"';
    const expected = [
      '# TYPE bng_subscriber_info gauge',
      `bng_subscriber_info{ont_serial="ONT0",ip="10.0.0.1",state="active",pool="wgar",${line}} 1`,
      `bng_subscriber_info{ont_serial="ONT1",ip="10.0.0.2",state="active",pool="wgar",${line}} 1`,
      `bng_subscriber_info{ont_serial="",ip="10.0.9.9",state="wgar",pool="wgar",${line}} 1`,
      '# TYPE bng_subscriber_traffic_bytes_total counter',
      'bng_subscriber_traffic_bytes_total{ont_serial="ONT0",ip="10.0.0.1",direction="in"} 0',
      'bng_subscriber_traffic_bytes_total{ont_serial="ONT0",ip="10.0.0.1",direction="out"} 7',
      'bng_subscriber_traffic_bytes_total{ont_serial="ONT1",ip="10.0.0.2",direction="in"} 100',
      'bng_subscriber_traffic_bytes_total{ont_serial="ONT1",ip="10.0.0.2",direction="out"} 7',
      '# TYPE bng_subscriber_traffic_packets_total counter',
      'bng_subscriber_traffic_packets_total{ont_serial="ONT0",ip="10.0.0.1",direction="in"} 0',
      'bng_subscriber_traffic_packets_total{ont_serial="ONT0",ip="10.0.0.1",direction="out"} 0',
      'bng_subscriber_traffic_packets_total{ont_serial="ONT1",ip="10.0.0.2",direction="in"} 1',
      'bng_subscriber_traffic_packets_total{ont_serial="ONT1",ip="10.0.0.2",direction="out"} 0',
    ];
    const { body } = await app.inject({ url: '/metrics/subscribers' });
    const said = body.split('\n').filter((text) => text !== '' && !text.startsWith('# HELP'));
    assert.deepEqual(said, expected);
    const headers = { accept: 'application/openmetrics-text' };
    const open = await app.inject({ url: '/metrics/subscribers', headers });
    assert.match(String(open.headers['content-type']), /^application\/openmetrics-text/);
    assert.ok(open.body.endsWith('\n# EOF\n'));
    assert.ok(open.body.includes('# TYPE bng_subscriber_traffic_bytes counter\n'));
  });

  it('of 20,000 subscribers it is made in chunks of which the first is there before most are looked at', async () => {
    const bng = bngWith(20_000);
    let looked = 0;
    const operator = {
      sessionByAddress: (address: Ipv4) => bng.list[address - FIRST] ?? null,
      *sessions() {
        for (const session of bng.list) {
          looked += 1;
          yield session;
        }
      },
    };
    const chunks = subscriberChunks({ operator, dataplane: bng.dataplane }, 'prometheus');
    const first = await chunks.next();
    assert.ok(looked < 1000, `${looked} sessions looked at for the first chunk`);
    let [turns, samples, longest] = [0, 0, 0];
    const count = (text: string): void => {
      samples += text.split('\n').filter((line) => line.startsWith('bng_')).length;
      longest = Math.max(longest, text.length);
    };
    count(String(first.value));
    const turning = setInterval(() => (turns += 1), 0);
    for await (const text of chunks) count(text);
    clearInterval(turning);
    assert.equal(samples, 5 * 20_000);
    assert.ok(longest < 40_000, `a chunk of ${longest} characters`);
    // The loop turned while the text was made: timers fired in between.
    assert.ok(turns > 3, `the event loop turned ${turns} times`);
  });
});
