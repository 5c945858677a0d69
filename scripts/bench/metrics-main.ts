/**
 * What scraping costs the event loop with very many subscribers installed in the real dataplane: both endpoints served over HTTP
 * to a curl in another process. Sessions are made up on the way, as the session table would show them; every one has moved
 * something since the scrape before.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { z } from 'zod';
import type { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { buildMetrics } from '../../src/http/metrics-app.js';
import type { MetricsSources } from '../../src/http/metrics.js';
import { Metrics } from '../../src/http/metrics.js';
import { NOTHING_REFUSED } from '../../src/http/store-metrics.js';
import { exec } from '../../src/lab/exec.js';
import { BngError } from '../../src/model/bng-error.js';
import { systemClock } from '../../src/model/system-clock.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { TrafficCounters } from '../../src/model/traffic-counters.js';
import { NO_ADMISSION_FIGURES, NO_LINE_FIGURES } from '../../src/session/view.js';
import type { SessionView } from '../../src/session/view.js';
import { tellParent } from './bench-context.js';
import { openBenchDataplane } from './subscriber-world.js';

export const metricsSettingsSchema = z.strictObject({
  objectPath: z.string(),
  accessInterface: z.string(),
  coreInterface: z.string(),
  many: z.int(),
  scrapes: z.int(),
});

const TIMEOUT_MS = 60_000;
const POOL = 'isp';
const TERMS = { name: POOL, network: parsePrefix('10.0.0.0/12'), dns: [], leaseSeconds: 86_400 };

function viewOf(n: number): SessionView {
  const { address, attachment } = entry(n, false);
  return {
    id: `session-${n}`,
    ontSerial: `BNCH${String(n).padStart(8, '0')}`,
    circuitId: null,
    state: 'active',
    leasePhase: 'bound',
    attachment,
    profile: {
      serviceId: 'home-100',
      poolName: POOL,
      walled: false,
      downloadBitsPerSecond: 100_000_000,
      uploadBitsPerSecond: 50_000_000,
    },
    poolName: POOL,
    address,
    heldAddress: null,
    createdWallMs: 0,
    stateSinceWallMs: 0,
    leaseExpiresWallMs: null,
    suspendedFor: null,
  };
}

/** The dataplane, its readings of traffic with something on top that grows with every scrape. */
function moving(dataplane: KernelDataplane): MetricsSources['dataplane'] {
  let scrape = 0n;
  const on = ({ upstreamBytes, upstreamPackets, ...rest }: TrafficCounters): TrafficCounters => ({
    ...rest,
    upstreamBytes: upstreamBytes + scrape * 1000n,
    upstreamPackets: upstreamPackets + scrape,
  });
  return {
    drops: () => dataplane.drops(),
    verdicts: () => dataplane.verdicts(),
    ports: () => dataplane.ports(),
    firewallDrops: () => dataplane.firewallDrops(),
    gardenMismatches: () => dataplane.gardenMismatches(),
    *trafficInPortions(size) {
      scrape += 1n;
      for (const portion of dataplane.trafficInPortions(size)) {
        const moved = new Map<Ipv4, TrafficCounters>();
        for (const [address, traffic] of portion) moved.set(address, on(traffic));
        yield moved;
      }
    },
  };
}

const settings = metricsSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { many, scrapes } = settings;
const { dataplane, entry } = await openBenchDataplane(settings);
try {
  const outcomes = await Promise.all(
    Array.from({ length: many }, (_, n) => dataplane.install(entry(n, false))),
  );
  if (!outcomes.every(({ ok }) => ok)) {
    throw new BngError('BNG_ERR_DATAPLANE', 'expected every subscriber to be installed', { many });
  }
  const first = entry(0, false).address;
  const counts = { discovered: 0, wgar: 0, activating: 0, active: many, suspended: 0, terminated: 0 };
  const operator = {
    *sessions() {
      for (let n = 0; n < many; n++) yield viewOf(n);
    },
    stateCounts: () => counts,
    isDraining: false,
    sessionByAddress: (address: Ipv4) => viewOf(address - first),
  };
  const metrics = new Metrics({
    operator,
    lifecycle: { onLifecycle: () => () => undefined },
    pools: {
      allocate: () => ({ kind: 'exhausted' }),
      claim: () => ({ kind: 'no-pool' }),
      free: () => false,
      quarantine: () => undefined,
      unquarantine: () => undefined,
      terms: () => ({ ...TERMS, gateway: parseIpv4('10.0.0.1') }),
      termsAt: () => null,
      drainOf: () => 'none',
      isDraining: false,
      names: () => [POOL],
      means: (name, poolName) => name === poolName,
      usage: () => [
        { name: POOL, capacity: 1_000_000, allocated: many, quarantined: 0, held: many, drain: 'none' },
      ],
      groups: () => [],
    },
    dataplane: moving(dataplane),
    radius: () => ({
      authMode: 'local',
      accountingMode: 'log',
      servers: [],
      clients: [],
      authenticator: null,
      accounting: null,
      coa: null,
    }),
    clock: systemClock,
    topTalkers: 10,
    store: () => NOTHING_REFUSED,
    lines: () => NO_LINE_FIGURES,
    admission: () => NO_ADMISSION_FIGURES,
  });
  const app = buildMetrics({ metrics, subscribers: { operator, dataplane }, logger: fastify().log });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const result: Record<string, number[]> = {};
  for (const path of ['/metrics', '/metrics/subscribers']) {
    for (let n = 0; n <= scrapes; n++) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const began = performance.now();
      const url = `http://127.0.0.1:${port}${path}`;
      const { exitCode } = await exec(['curl', '-sS', '--noproxy', '*', '-o', '/dev/null', '-f', url], {
        timeoutMs: TIMEOUT_MS,
      });
      delay.disable();
      if (exitCode !== 0) throw new BngError('BNG_ERR_LAB', 'expected the metrics', { path });
      // The first is compiled on the way; a BNG is scraped for months.
      if (n === 0) continue;
      (result[`${path}: one scrape`] ??= []).push(performance.now() - began);
      // A timer of 1 ms is late by the delay and its own length.
      (result[`${path}: longest stall of the event loop`] ??= []).push(delay.max / 1e6 - 1);
    }
  }
  tellParent({ result });
  await app.close();
  metrics.close();
} finally {
  await dataplane.close();
}
