/**
 * The demo under a real Prometheus with the configuration that we ship: every query of every panel and every alert is executed,
 * and must find what the demo has caused.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { demoSerial, playFullLifecycle } from '../../src/lab/demo/full-lifecycle.js';
import { Narrator } from '../../src/lab/demo/narrator.js';
import { demoUsers } from '../../src/lab/demo/radius-books.js';
import { exec } from '../../src/lab/exec.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { radiusConfig, startLabRadius } from '../../src/lab/lab-radius.js';
import { patience } from '../../src/lab/patience.js';
import { hasFreeRadius } from '../../src/lab/radius-server.js';
import { House, until } from '../support/lab-house.js';
import {
  metricsIn,
  repository,
  runbooks,
  shellLines,
  shippedAlerts,
  shippedDashboards,
} from '../support/observability-files.js';
import type { FoundSeries } from '../support/prometheus.js';
import { Prometheus } from '../support/prometheus.js';

const SUBSCRIBERS = 4;
const DURATION_SECONDS = 15;
/** At least four scrapes, as Grafana makes of `$__rate_interval`. */
const RATE_INTERVAL = '4s';
const METRICS = 'http://127.0.0.1:9090/metrics';

/** True as well of a BNG in order, on a machine where others take the processors from it. alerts.test.yml says when it fires. */
const OF_THE_MACHINE = 'BngEventLoopHeldUp';

type Demand = (found: readonly FoundSeries[]) => void;

const last = (series: FoundSeries | undefined): number | undefined => series?.values.at(-1);
const most = ({ values }: FoundSeries): number => Math.max(...values.filter((value) => !Number.isNaN(value)));
const one = (found: readonly FoundSeries[]): FoundSeries => {
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0]!;
};
const by = (found: readonly FoundSeries[], label: string): ReadonlyMap<string, FoundSeries> =>
  new Map(found.map((series) => [series.labels[label] ?? '', series]));

/** One series that ends at exactly this. */
const ends =
  (value: number): Demand =>
  (found) =>
    assert.equal(last(one(found)), value);
/** One series that was above a value at some time. */
const exceeds =
  (value: number): Demand =>
  (found) =>
    assert.ok(most(one(found)) > value, JSON.stringify(found));
/** One series that is there, whatever its value. */
const isThere: Demand = (found) => assert.ok(Number.isFinite(most(one(found))), JSON.stringify(found));
/** Series by a label: those named were above 0 at some time. */
const moved =
  (label: string, ...names: readonly string[]): Demand =>
  (found) => {
    for (const name of names) {
      const series = by(found, label).get(name);
      assert.ok(series !== undefined && most(series) > 0, `${name}: ${JSON.stringify(found)}`);
    }
  };
/** Series by a label: exactly those named end at these values. */
const endAs =
  (label: string, expected: Readonly<Record<string, number>>): Demand =>
  (found) =>
    assert.deepEqual(
      Object.fromEntries([...by(found, label)].map(([name, series]) => [name, last(series)])),
      expected,
    );
/** Seconds: above 0 and below a minute at some time. */
const isTime: Demand = (found) => {
  const value = most(one(found));
  assert.ok(value > 0 && value < 60, JSON.stringify(found));
};

/** Three of four are activated, one of them for business; the first of them is suspended in the end. */
function talkersMoved(bytes: number): Demand {
  return (found) => {
    const talkers = by(found, 'ont_serial');
    for (const n of [2, 3]) {
      const series = talkers.get(demoSerial(n));
      assert.ok((last(series) ?? 0) >= bytes, `${demoSerial(n)}: ${JSON.stringify(found)}`);
      assert.match(series?.labels['ip'] ?? '', n === 2 ? /^10\.\d\./ : /^10\.(1[6-9]|2\d|3[01])\./);
    }
  };
}

/** By title of the panel and legend of the query. */
const DEMANDS: Readonly<Record<string, Demand>> = {
  'Sessions over time, WGAR': (found) => {
    assert.equal(last(one(found)), 1);
    assert.equal(most(one(found)), SUBSCRIBERS);
  },
  'Sessions over time, Active': (found) => {
    assert.equal(last(one(found)), 2);
    assert.equal(most(one(found)), 3);
  },
  'Sessions over time, Suspended': ends(1),
  'State distribution, {{state}}': endAs('state', { wgar: 1, active: 2, suspended: 1 }),
  'Pool utilisation, {{pool}}': moved('pool', 'wgar', 'isp-residential', 'isp-business'),
  'Activation funnel, Detected': ends(SUBSCRIBERS),
  'Activation funnel, Provisioned': ends(SUBSCRIBERS),
  'Activation funnel, Activated': ends(3),
  'Activation funnel, Currently active': ends(2),
  'Activation rate and average time, Successful a minute': exceeds(0),
  'Activation rate and average time, Failed or refused a minute': ends(0),
  'Activation rate and average time, Average time': isTime,
  'Top talkers, Bytes in': talkersMoved(1_000_000),
  'Top talkers, Bytes out': talkersMoved(4_000_000),
  'Packets by verdict, {{verdict}}': moved(
    'verdict',
    'forward_up',
    'forward_down',
    'punt',
    'drop',
    'arp_reply',
  ),
  'Throughput, {{direction}}': moved('direction', 'in', 'out'),
  'XDP mode, {{interface}}': (found) => {
    assert.deepEqual(found.map(last), [1, 1]);
  },
  'Drops by reason, {{reason}}': moved('reason', 'garden'),
  'Walled garden drops, {{reason}}': (found) => {
    moved('reason', 'garden')(found);
    assert.ok(by(found, 'reason').has('firewall') && by(found, 'reason').has('garden_fragment'));
  },
  'Policed, {{reason}}': (found) => {
    // Downloads without an end through 100 Mbit/s.
    moved('reason', 'policed_down')(found);
    assert.ok(by(found, 'reason').has('policed_up'));
  },
  'Punts, punted': exceeds(0),
  'Punts, {{reason}}': endAs('reason', {
    punt_line_rate: 0,
    punt_total_rate: 0,
    punt_ring_full: 0,
    punt_too_long: 0,
  }),
  'DHCP answers, median': isTime,
  'DHCP answers, 99 %': isTime,
  'Session set-up, median': isTime,
  'Session set-up, 99 %': isTime,
  'RADIUS requests by outcome, {{code}} {{outcome}}': moved(
    'outcome',
    'access-accept',
    'accounting-response',
  ),
  'RADIUS round trip, median': isTime,
  'RADIUS round trip, 99 %': isTime,
  'RADIUS servers, {{server}}': (found) => assert.deepEqual(found.map(last), [1, 1]),
  'Accounting queue, Waiting': isThere,
  'Accounting queue, Not in the store': isThere,
  'Accounting queue, Age of the oldest': isThere,
  'Event loop, median': isTime,
  'Event loop, 99 %': isTime,
  'Event loop, Busy': exceeds(0),
  'CPU and memory, {{mode}}': moved('mode', 'user', 'system'),
  'CPU and memory, Resident': exceeds(10_000_000),
  'CPU and memory, Heap': exceeds(1_000_000),
  'Store, {{result}}': moved('result', 'ok'),
  'Store, 99 %': isTime,
  'Alarms, Garden mismatches': ends(0),
  'Alarms, Store failing': ends(0),
  'Alarms, Accounting outage': ends(0),
};

const TIMEOUT_MS = 120_000 * patience;

describe('the demo under Prometheus', { timeout: TIMEOUT_MS, skip: !hasFreeRadius }, () => {
  let house: House;
  let prometheus: Prometheus;

  before(async () => {
    const serials = Array.from({ length: SUBSCRIBERS }, (_, n) => demoSerial(n + 1));
    house = await House.start({
      prefix: 'l1p',
      configure: async (lab) => {
        const server = await startLabRadius(lab, { users: demoUsers(serials) });
        return {
          ...radiusConfig(lab, [server]),
          metrics: { listen: '127.0.0.1:9090', subscribers: true },
          // Alerts look at groups of pools, too.
          poolGroups: { home: ['isp-residential'] },
        };
      },
    });
    prometheus = await Prometheus.start(house.lab);
    const lines: string[] = [];
    const narrator = new Narrator({ json: true, write: (line) => void lines.push(line) });
    await playFullLifecycle({
      lab: house.lab,
      bng: house.bng,
      narrator,
      subscribers: SUBSCRIBERS,
      durationSeconds: DURATION_SECONDS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const failed = lines.filter((line) => line.includes('"came":false'));
    assert.deepEqual(failed, []);
    // What the story did last must have been scraped: its last order, and the audit of the garden after it.
    await until('the suspended session is scraped, and the garden found whole', 15_000, async () => {
      const found = await prometheus.instant(
        'sum(bng_sessions_total{state="suspended"}) == 1 and sum(bng_garden_mismatches) == 0',
      );
      return found.length > 0 ? true : null;
    });
  });
  after(() => house?.close());

  for (const { title, panels } of shippedDashboards()) {
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      it(`${title}: ${panel.title} shows what the demo caused`, async () => {
        assert.ok(panel.targets.length > 0);
        for (const { expr, legendFormat, range } of panel.targets) {
          const demand = DEMANDS[`${panel.title}, ${legendFormat}`];
          assert.ok(demand !== undefined, `no demand of ${panel.title}, ${legendFormat}`);
          const expression = expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll('$instance', '.*');
          assert.ok(!expression.includes('$'), expression);
          demand(await (range ? prometheus.range(expression) : prometheus.instant(expression)));
        }
      });
    }
  }

  it('no demand is of a query that is gone', () => {
    const queries = shippedDashboards().flatMap(({ panels }) =>
      panels.flatMap((panel) => panel.targets.map(({ legendFormat }) => `${panel.title}, ${legendFormat}`)),
    );
    assert.deepEqual(Object.keys(DEMANDS).sort(), queries.sort());
  });

  it('every alert can be evaluated, has the series that it looks at, and is silent on a BNG in order', async () => {
    const health = await prometheus.ruleHealth();
    for (const { alert, expr } of shippedAlerts()) {
      assert.equal(health.get(alert), 'ok', alert);
      if (alert !== OF_THE_MACHINE) assert.deepEqual(await prometheus.instant(expr), [], alert);
      for (const name of metricsIn(expr)) {
        assert.notDeepEqual(await prometheus.instant(name), [], `${alert}: ${name}`);
      }
    }
  });

  it('Prometheus reads OpenMetrics, completely', async () => {
    const { ok, body } = await scrapeAs('application/openmetrics-text');
    assert.ok(ok && body.endsWith('# EOF\n'));
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    // One of the two may be a scrape older: a reason or an answer that was new in between.
    const kept = last(one(await prometheus.instant('scrape_samples_scraped{job="bng"}'))) ?? 0;
    assert.ok(Math.abs(kept - samples) <= 5 && samples > 100, `${kept} of ${samples}`);
  });

  it('promtool finds nothing wrong with the metrics but the name that was promised', async () => {
    const { body } = await scrapeAs('text/plain');
    const { stdout, stderr } = await exec(['promtool', 'check', 'metrics'], {
      input: body,
      timeoutMs: 10_000 * patience,
    });
    assert.deepEqual(`${stdout}${stderr}`.trim().split('\n'), [
      'bng_sessions_total non-counter metrics should not have "_total" suffix',
    ]);
    const subscribers = await scrapeAs('text/plain', '/subscribers');
    const checked = await exec(['promtool', 'check', 'metrics'], {
      input: subscribers.body,
      timeoutMs: 10_000 * patience,
    });
    assert.deepEqual([checked.exitCode, `${checked.stdout}${checked.stderr}`], [0, '']);
  });

  it('/metrics/subscribers has each subscriber with its line and what it moved', async () => {
    const { body } = await scrapeAs('text/plain', '/subscribers');
    for (let n = 1; n <= SUBSCRIBERS; n++) {
      assert.match(body, new RegExp(`^bng_subscriber_info\\{ont_serial="${demoSerial(n)}".* 1$`, 'm'));
    }
    const out = new RegExp(
      `^bng_subscriber_traffic_bytes_total\\{ont_serial="${demoSerial(2)}".*direction="out"\\} (\\d+)$`,
      'm',
    );
    assert.ok(Number(out.exec(body)?.[1]) >= 4_000_000, body);
  });

  it('promtool: rules and configuration are right, and every alert fires on what it is for', async () => {
    for (const [words, file] of [
      ['check rules', 'alerts.yml'],
      ['check config', 'prometheus.yml'],
      ['test rules', 'alerts.test.yml'],
    ] as const) {
      const path = join(repository, 'grafana/prometheus', file);
      const { exitCode, stdout, stderr } = await exec(['promtool', ...words.split(' '), path], {
        timeoutMs: 20_000 * patience,
      });
      assert.equal(exitCode, 0, `${stdout}${stderr}`);
      assert.match(stdout, /SUCCESS/);
    }
  });

  it('everything that the runbooks say to type can be typed', async () => {
    const folder = join(house.lab.paths.directory, 'typed');
    mkdirSync(folder);
    const bngctl = join(folder, 'bngctl');
    const program = labProgram('../bin/bngctl.js');
    writeFileSync(
      bngctl,
      `#!/bin/sh\nexec ${process.execPath} ${program} --token-file ${house.bng.tokenFile} "$@"\n`,
    );
    chmodSync(bngctl, 0o755);
    for (const line of new Set([...runbooks().values()].flatMap(shellLines))) {
      const here = line
        .replaceAll('access0', house.lab.accessInterface)
        .replaceAll('core0', house.lab.coreInterface);
      const command = ['sh', '-c', `PATH=${folder}:$PATH; ${here}`];
      const { exitCode, stdout, stderr } = await house.bng.probe.run(command, 10_000 * patience);
      assert.equal(exitCode, 0, `${line}: ${stdout}${stderr}`);
      assert.ok(stdout !== '' || line.includes('tcpdump'), `${line} said nothing`);
    }
  });

  // The last one: it damages the firewall.
  it('a member taken out of the firewall beside us is a garden mismatch', async () => {
    const [member] = await house.gardenMembers();
    const change = ['nft', 'delete', 'element', 'inet', 'bng', 'garden_members', `{ ${member} }`];
    assert.equal((await house.bng.probe.run(change)).exitCode, 0);
    const mismatch = shippedAlerts().find(({ alert }) => alert === 'BngGardenMismatch');
    await until('the alert’s expression finds it', 15_000, async () => {
      const found = await prometheus.instant(mismatch?.expr ?? '');
      return found.length === 1 && last(found[0]) === 1 ? true : null;
    });
  });

  async function scrapeAs(
    accept: string,
    path = '',
  ): Promise<{ readonly ok: boolean; readonly body: string }> {
    const command = ['curl', '-sS', '--noproxy', '*', '-H', `accept: ${accept}`, `${METRICS}${path}`];
    const { exitCode, stdout } = await house.bng.probe.run(command, 10_000 * patience);
    // The last line end is lost on the way.
    return { ok: exitCode === 0, body: `${stdout}\n` };
  }
});
