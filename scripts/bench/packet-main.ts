/**
 * Nanoseconds a packet, in the BNG's namespace, by BPF_PROG_TEST_RUN. Method: packet.bpf.c. Each run times three
 * programs one after the other: the wrapper alone, the wrapper with the frame moved, and the wrapper around the body.
 *
 *   body = around − alone − (moved − alone) / 2
 *
 * The last term is what moving the frame back costs the wrapper; `moved` pays it twice, there and back, and the way
 * there is the body's own. What comes of every packet is checked against the programs' own counters.
 */
import { z } from 'zod';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { GARDEN_LIMITS, loadKernelObject } from '../../src/dataplane/kernel-load.js';
import { LeaseMaps, type PoolReply, newOption82Key } from '../../src/dataplane/lease-maps.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeObject } from '../../src/dataplane/native-binding.js';
import { slotKey, SubscriberMaps } from '../../src/dataplane/subscriber-maps.js';
import { BngError } from '../../src/model/bng-error.js';
import { systemClock } from '../../src/model/clock.js';
import { IPV4_ANY, parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { replyTemplate } from '../../src/dhcpv4/reply.js';
import { decodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import { tellParent } from './bench-context.js';
import { ontFrame, tagsOf } from './ont-frames.js';
import type { PacketCase } from './packet-cases.js';
import {
  addressOf,
  FIRST_ADDRESS,
  FIRST_CLIENT,
  GARDEN_DESTINATION,
  GATEWAY,
  macOf,
  PACKET_CASES,
  RANDOM_SUBSCRIBERS,
  UNPOLICED_SUBSCRIBER,
  WALLED_SUBSCRIBER,
} from './packet-cases.js';

export const packetSettingsSchema = z.strictObject({
  objectPath: z.string(),
  accessInterface: z.string(),
  coreInterface: z.string(),
  runs: z.int(),
  rounds: z.int(),
});
type Settings = z.infer<typeof packetSettingsSchema>;

/** Ample: the policer's work is done, and nothing is ever dropped by it. */
const RATE_BITS_PER_SECOND = 1e12;
const PUNTS_PER_SECOND = 1e9;
/** Records of a DISCOVER that the punt ring is sure to hold. */
const RING_ROUNDS = 4000;
const TEMPLATE_BYTES = 64;
const REST_BYTES = 448;
const POOL_NAME = 'bench';
const LEASE_SECONDS = 86_400;
const DRAIN_DEADLINE_MS = 2000;

class PacketBench {
  readonly #object: NativeObject;
  readonly #ifindexOf: Readonly<Record<PacketCase['program'], number>>;
  readonly #settings: Settings;
  readonly #leases: LeaseMaps;
  #read = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const binding = loadNative();
    const key = newOption82Key();
    const fastDhcp = { trustOption82: true, replies: [poolReply()] };
    const accessIfindex = binding.interfaceIndex(settings.accessInterface);
    const coreIfindex = binding.interfaceIndex(settings.coreInterface);
    this.#ifindexOf = { bench_access: accessIfindex, bench_core: coreIfindex };
    this.#object = loadKernelObject({
      binding,
      objectPath: settings.objectPath,
      accessPorts: [{ ifindex: accessIfindex, mac: parseMac('02:00:00:00:aa:01') }],
      coreIfindexes: [coreIfindex],
      subscriberMtu: 1500,
      policy: compileGardenPolicy(
        {
          allow: [{ prefix: { network: GARDEN_DESTINATION, length: 32 }, port: null }],
          resolvers: [],
          portal: { address: GATEWAY, port: 80 },
          gateways: [GATEWAY],
        },
        GARDEN_LIMITS,
      ),
      localForwarding: true,
      forwardInStack: false,
      puntLineRatePerSecond: PUNTS_PER_SECOND,
      puntTotalRatePerSecond: PUNTS_PER_SECOND,
      pins: null,
      maxSubscribers: 131_072,
      fastDhcp,
      option82Key: key,
    }).object;
    this.#leases = new LeaseMaps(this.#object, { key, clock: systemClock });
    this.#leases.fillReplies(this.#object, fastDhcp.replies);
    // A veth has receive queues that TEST_RUN can name only once a native program is attached.
    for (const ifindex of [accessIfindex, coreIfindex]) {
      this.#object.program('bench_pass').attachXdp(ifindex, 'native');
    }
    binding.openRingBuffer(this.#object.map('bng_punts'), {
      slabBytes: 1 << 20,
      onBatch: (_slab, _used, records) => (this.#read += records),
    });
    this.#install(accessIfindex);
  }

  #install(ifindex: number): void {
    const maps = new SubscriberMaps({ object: this.#object, sTpid: 0x88a8, cTpid: 0x8100, burstMs: 100 });
    // Every station bears the same, since the wrapper changes it for none.
    const option82 = optionOf(ontFrame(FIRST_CLIENT, null));
    for (let n = 0; n <= WALLED_SUBSCRIBER; n++) {
      const rate = n === UNPOLICED_SUBSCRIBER ? 0 : RATE_BITS_PER_SECOND;
      const attachment = { ifindex, ...tagsOf(n), mac: macOf(n) };
      const address = addressOf(n);
      const rates = { downloadBitsPerSecond: rate, uploadBitsPerSecond: rate };
      maps.create({ address, attachment, walled: n === WALLED_SUBSCRIBER, ...rates }, n);
      maps.createLine(attachment, address);
      this.#leases.promise({
        ...{ address, attachment, option82, poolName: POOL_NAME, leaseSeconds: LEASE_SECONDS },
        expiresAtMs: systemClock.monotonicMs() + 1000 * LEASE_SECONDS,
        endsAtMs: null,
      });
    }
  }

  /** Nanoseconds of one program that does nothing. */
  trivial(): number {
    const data = new Uint8Array(TEMPLATE_BYTES);
    return this.#object.program('bench_pass').testRun({ data, repeat: this.#settings.rounds }).durationNs;
  }

  async run(one: PacketCase): Promise<number> {
    this.#prepare(one);
    const moves = one.shift !== 0 || one.whole === true;
    const alone = await this.#time('bench_restore', one);
    const moved = !moves ? alone : await this.#time('bench_shift', one);
    const before = this.#counted(one);
    const around = await this.#time(one.program, one);
    const counted = this.#counted(one) - before;
    const expected = BigInt(this.#roundsOf(one));
    if (counted !== expected) {
      throw new BngError('BNG_ERR_DATAPLANE', 'expected the same verdict for every packet', {
        packet: one.name,
        expected: expected.toString(),
        found: counted.toString(),
      });
    }
    return around - alone - (moved - alone) / 2;
  }

  /** A program of the object as it is in production, on a frame that it does not rewrite: to check the method with. */
  direct(one: PacketCase): number {
    const program = one.program === 'bench_access' ? 'bng_access' : 'bng_core';
    const ingressIfindex = this.#ifindexOf[one.program];
    const { rounds } = this.#settings;
    return this.#object.program(program).testRun({ data: one.frame, repeat: rounds, ingressIfindex })
      .durationNs;
  }

  close(): void {
    this.#object.close();
  }

  #roundsOf(one: PacketCase): number {
    const { rounds } = this.#settings;
    return one.fillsRing ? Math.ceil(rounds / RING_ROUNDS / 4) * RING_ROUNDS : rounds;
  }

  #prepare(one: PacketCase): void {
    // struct bench_case of packet.bpf.c; template and rest are bytes of the frame, all else in the machine's order.
    const value = new Uint8Array(TEMPLATE_BYTES + REST_BYTES + 32);
    value.set(one.frame.subarray(0, one.whole ? TEMPLATE_BYTES + REST_BYTES : TEMPLATE_BYTES));
    const view = new DataView(value.buffer, TEMPLATE_BYTES + REST_BYTES);
    view.setUint32(0, one.whole ? one.frame.length - TEMPLATE_BYTES : 0, true);
    view.setInt32(4, one.whole ? this.#growth(one) : 0, true);
    view.setUint32(8, one.frame.length, true);
    view.setUint32(12, one.vary, true);
    view.setUint32(16, RANDOM_SUBSCRIBERS, true);
    view.setUint32(20, FIRST_ADDRESS, true);
    view.setUint32(24, 1, true);
    view.setInt32(28, one.shift, true);
    this.#object.map('bench_cases').update(slotKey(0), value);
  }

  /** By how much the program makes the frame longer. */
  #growth(one: PacketCase): number {
    const ingressIfindex = this.#ifindexOf[one.program];
    const { dataOut } = this.#object.program('bng_access').testRun({ data: one.frame, ingressIfindex });
    return dataOut.length - one.frame.length;
  }

  async #time(programName: string, one: PacketCase): Promise<number> {
    const program = this.#object.program(programName);
    const ingressIfindex = this.#ifindexOf[one.program];
    const all = this.#roundsOf(one);
    const repeat = one.fillsRing ? RING_ROUNDS : all;
    let sum = 0;
    for (let done = 0; done < all; done += repeat) {
      const read = this.#read;
      sum += program.testRun({ data: one.frame, repeat, ingressIfindex }).durationNs;
      if (one.fillsRing && programName === one.program) await this.#drained(read + repeat);
    }
    return sum / (all / repeat);
  }

  async #drained(records: number): Promise<void> {
    const deadline = performance.now() + DRAIN_DEADLINE_MS;
    while (this.#read < records) {
      if (performance.now() > deadline) {
        throw new BngError('BNG_ERR_DEADLINE', 'expected every punt in the ring', {
          expected: records,
          found: this.#read,
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #counted(one: PacketCase): bigint {
    const [map, index] =
      one.drop === undefined ? (['bng_verdicts', one.verdict] as const) : (['bng_drops', one.drop] as const);
    return this.#object.map(map).readSums(index, 1)[0] ?? 0n;
  }
}

function poolReply(): PoolReply {
  const terms = {
    address: IPV4_ANY,
    network: { network: parseIpv4('10.0.0.0'), length: 12 },
    gateway: GATEWAY,
    dns: [parseIpv4('1.1.1.1'), parseIpv4('1.0.0.1')],
    leaseSeconds: LEASE_SECONDS,
  };
  const message = replyTemplate({ poolName: POOL_NAME, terms, serverId: GATEWAY });
  return { poolName: POOL_NAME, serverId: GATEWAY, leaseSeconds: LEASE_SECONDS, message };
}

function optionOf(frame: Uint8Array): Uint8Array {
  return decodeDhcpFrame(frame).message.options.get(DhcpOption.RelayAgentInformation) ?? new Uint8Array(0);
}

const settings = packetSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const bench = new PacketBench(settings);
const times = new Map<string, number[]>();
const add = (name: string, ns: number): void => void times.set(name, [...(times.get(name) ?? []), ns]);
for (let run = 0; run < settings.runs; run++) {
  tellParent({ progress: `run ${run + 1} of ${settings.runs}` });
  add('a program that does nothing', bench.trivial());
  for (const one of PACKET_CASES) add(one.name, await bench.run(one));
  for (const one of PACKET_CASES) {
    if (one.verdict === 8) add(`${one.name}, without the wrapper`, bench.direct(one));
  }
}
bench.close();
tellParent({ result: Object.fromEntries(times) });
