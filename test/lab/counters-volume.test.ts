/**
 * Ten gigabytes through the dataplane, both ways, while subscribers come and go: every octet that came out is counted, once
 * and for whom it was. The load is made of live frames, since no socket sends so much in the time a test may take.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { runPart } from '../../scripts/bench/bench-context.js';
import { compileBpf } from '../../scripts/bench/compile-bpf.js';
import { countSchema, type Direction } from '../../scripts/bench/live-job.js';
import { tagsOf } from '../../scripts/bench/ont-frames.js';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { SubscriberEntry } from '../../src/dataplane/port.js';
import { patience } from '../../src/lab/patience.js';
import { systemClock } from '../../src/model/system-clock.js';
import { type Ipv4, ipv4FromNumber, parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { addTraffic, NO_TRAFFIC, type TrafficCounters } from '../../src/model/traffic-counters.js';
import { Random } from '../support/random.js';
import { enterNamespaces, makeVeth, OBJECT_PATH, run, runIn } from './dataplane-world.js';

const BNG = 'vol-bng';
const PEER = 'vol-peer';
enterNamespaces(import.meta.url, [BNG, PEER]);

const SUBSCRIBERS = 600;
/** The others are there from the first frame to the last. */
const CHANGING = 60;
const FRAMES = 2_000_000;
const LEAST_BYTES = 10e9;
/** As much as XDP takes in one buffer, so that fewer frames do. */
const MTU = 3_000;
const LENGTHS = { least: 2_700, most: MTU + 14 };
const FIRST_ADDRESS = parseIpv4('10.0.1.0');
const GATEWAY = parseIpv4('10.0.0.1');
const SEED = 20_261_123;

const binding = loadNative();
let dataplane: KernelDataplane;
let folder: string;

const addressOf = (n: number): Ipv4 => ipv4FromNumber(FIRST_ADDRESS + n);
const macOf = (name: string): string =>
  /([0-9a-f]{2}:){5}[0-9a-f]{2}/.exec(run(`ip -br link show dev ${name}`))?.[0] ?? assert.fail(name);

function entry(n: number): SubscriberEntry {
  const ifindex = binding.interfaceIndex('access0');
  return {
    address: addressOf(n),
    attachment: { ifindex, ...tagsOf(n), mac: (0x02_10_00_00_00_00 + n) as Mac },
    walled: false,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
  };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vol-'));
  makeVeth('access0', 'trunk0');
  makeVeth('core0', 'eth0');
  for (const name of ['access0', 'trunk0', 'core0', 'eth0']) run(`ip link set ${name} mtu ${MTU + 8}`);
  run(`ip link set trunk0 netns ${PEER}; ip link set eth0 netns ${PEER}; ip link set access0 up; ip link set core0 up
    ip addr add 198.51.100.2/30 dev core0
    ip neigh replace 198.51.100.1 lladdr 02:00:00:00:cc:01 dev core0 nud permanent
    ip route add default via 198.51.100.1`);
  runIn(PEER, 'ip link set trunk0 up; ip link set eth0 up');
  dataplane = await KernelDataplane.open({
    binding,
    objectPath: OBJECT_PATH,
    clock: systemClock,
    access: { interfaces: ['access0'], mtu: MTU, xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: ['core0'] },
    policy: compileGardenPolicy(
      { allow: [], resolvers: [], portal: { address: GATEWAY, port: 80 }, gateways: [GATEWAY] },
      GARDEN_LIMITS,
    ),
    pools: [{ network: parsePrefix('10.0.0.0/12'), gateway: GATEWAY }],
    burstMs: 100,
    localForwarding: false,
    nftTable: 'bng',
  });
});

after(async () => {
  await dataplane.close();
  rmSync(folder, { recursive: true, force: true });
});

const resultSchema = z.object({
  seconds: z.number(),
  sent: z.record(z.enum(['up', 'down']), z.array(countSchema)),
  received: z.record(z.enum(['up', 'down']), z.array(countSchema)),
});
type Result = z.infer<typeof resultSchema>;

async function load(): Promise<Result> {
  const common = { subscribers: SUBSCRIBERS, firstAddress: FIRST_ADDRESS, ...LENGTHS };
  const jobs = {
    up: {
      ...common,
      from: 'trunk0',
      to: 'eth0',
      destinationMac: macOf('access0'),
      tagged: true,
      most: MTU + 22,
    },
    down: { ...common, from: 'eth0', to: 'trunk0', destinationMac: macOf('core0'), tagged: false },
  };
  const objectPath = join(folder, 'live.o');
  await compileBpf('scripts/bench/live.bpf.c', objectPath);
  const settings = { objectPath, jobs, frames: FRAMES, framesAtOnce: 20_000 };
  return resultSchema.parse(
    await runPart({
      program: 'live-main.js',
      settings,
      namespace: PEER,
      logFile: join(folder, 'live.log'),
      timeoutMs: 180_000 * patience,
    }),
  );
}

/** Installs and removes until `ended`; gives what the removed ones had counted in all their lives, by number. */
async function churn(ended: () => boolean): Promise<ReadonlyMap<number, TrafficCounters>> {
  const random = new Random(SEED);
  const present = new Set(Array.from({ length: CHANGING }, (_, n) => n));
  const counted = new Map<number, TrafficCounters>();
  const change = async (n: number): Promise<void> => {
    if (present.delete(n)) {
      const outcome = await dataplane.remove(addressOf(n));
      assert.ok(outcome.ok);
      counted.set(n, addTraffic(counted.get(n) ?? NO_TRAFFIC, outcome.traffic));
    } else {
      assert.ok((await dataplane.install(entry(n))).ok);
      present.add(n);
    }
  };
  while (!ended()) {
    const chosen = new Set(Array.from({ length: 8 }, () => random.below(CHANGING)));
    await Promise.all([...chosen].map(change));
  }
  for (const n of [...present]) await change(n);
  return counted;
}

function octets(counts: readonly { readonly bytes: number }[]): number {
  return counts.reduce((sum, { bytes }) => sum + bytes, 0);
}

test('ten gigabytes are counted to the octet, and who comes and goes changes nothing of the others', async () => {
  for (let n = 0; n < SUBSCRIBERS; n++) assert.ok((await dataplane.install(entry(n))).ok);
  const state = { ended: false };
  const [result, removed] = await Promise.all([
    load().finally(() => (state.ended = true)),
    churn(() => state.ended),
  ]);

  const seen = (direction: Direction): readonly { packets: number; bytes: number }[] =>
    result.received[direction] ?? assert.fail(direction);
  const sent = (direction: Direction): readonly { packets: number; bytes: number }[] =>
    result.sent[direction] ?? assert.fail(direction);
  const received = octets(seen('up')) + octets(seen('down'));
  assert.ok(received >= LEAST_BYTES, `${received} octets came out`);
  for (let n = 0; n < SUBSCRIBERS; n++) {
    const counted = removed.get(n) ?? dataplane.traffic(addressOf(n)) ?? assert.fail(`${n} is nowhere`);
    const { upstreamPackets, upstreamBytes, downstreamPackets, downstreamBytes } = counted;
    assert.deepEqual(
      {
        up: { packets: Number(upstreamPackets), bytes: Number(upstreamBytes) },
        down: { packets: Number(downstreamPackets), bytes: Number(downstreamBytes) },
      },
      { up: seen('up')[n], down: seen('down')[n] },
      `subscriber ${n}`,
    );
    if (n < CHANGING) continue;
    assert.deepEqual(
      [sent('up')[n], sent('down')[n]],
      [seen('up')[n], seen('down')[n]],
      `subscriber ${n} lost nothing`,
    );
  }
  assert.ok(removed.size === CHANGING);
});
