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
import type { NativeObject } from '../../src/dataplane/native-binding.js';
import { BngError } from '../../src/model/bng-error.js';
import { tellParent } from './bench-context.js';
import { HELPER_CASES, type HelperCase, PACKET_CASES, type PacketCase } from './packet-cases.js';
import { openPacketObject, TEMPLATE_BYTES, writeCase } from './packet-object.js';

export const packetSettingsSchema = z.strictObject({
  objectPath: z.string(),
  accessInterface: z.string(),
  coreInterface: z.string(),
  runs: z.int(),
  rounds: z.int(),
});
type Settings = z.infer<typeof packetSettingsSchema>;

/** Records of a DISCOVER that the punt ring is sure to hold. */
const RING_ROUNDS = 4000;
const DRAIN_DEADLINE_MS = 2000;

class PacketBench {
  readonly #object: NativeObject;
  readonly #ifindexOf: Readonly<Record<PacketCase['program'], number>>;
  readonly #settings: Settings;
  #read = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { binding, object, accessIfindex, coreIfindex } = openPacketObject(settings);
    this.#object = object;
    this.#ifindexOf = { bench_access: accessIfindex, bench_core: coreIfindex };
    binding.openRingBuffer(object.map('bng_punts'), {
      slabBytes: 1 << 20,
      onBatch: (_slab, _used, records) => (this.#read += records),
    });
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

  /** A part of the body by itself, or what the kernel does for it. */
  async helper(one: HelperCase): Promise<number> {
    const ingressIfindex = this.#ifindexOf.bench_access;
    this.#prepare(one);
    const { returnValue } = this.#object.program(one.program).testRun({ data: one.frame, ingressIfindex });
    if (returnValue !== one.returns) {
      throw new BngError('BNG_ERR_DATAPLANE', 'expected the helper to find something', {
        helper: one.name,
        found: returnValue,
      });
    }
    const alone = await this.#time('bench_restore', one);
    const moves = one.shift !== 0 || one.moves === true;
    const moved = moves ? await this.#time('bench_shift', one) : alone;
    return (await this.#time(one.program, one)) - alone - (moved - alone) / 2;
  }

  close(): void {
    this.#object.close();
  }

  #roundsOf(one: Pick<PacketCase, 'fillsRing'>): number {
    const { rounds } = this.#settings;
    return one.fillsRing ? Math.ceil(rounds / RING_ROUNDS / 4) * RING_ROUNDS : rounds;
  }

  #prepare(one: PacketCase | HelperCase): void {
    const growth = one.whole ? this.#growth(one) : 0;
    writeCase(this.#object, one, { coreIfindex: this.#ifindexOf.bench_core, growth });
  }

  /** By how much the program makes the frame longer. */
  #growth(one: PacketCase | HelperCase): number {
    const ingressIfindex = this.#ifindexOf.bench_access;
    const { dataOut } = this.#object.program('bng_access').testRun({ data: one.frame, ingressIfindex });
    return dataOut.length - one.frame.length;
  }

  async #time(programName: string, one: PacketCase | HelperCase): Promise<number> {
    const program = this.#object.program(programName);
    const ingressIfindex = this.#ifindexOf[one.program === 'bench_core' ? 'bench_core' : 'bench_access'];
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

const settings = packetSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const bench = new PacketBench(settings);
const times = new Map<string, number[]>();
const add = (name: string, ns: number): void => void times.set(name, [...(times.get(name) ?? []), ns]);
for (let run = 0; run < settings.runs; run++) {
  tellParent({ progress: `run ${run + 1} of ${settings.runs}` });
  add('a program that does nothing', bench.trivial());
  for (const one of PACKET_CASES) add(one.name, await bench.run(one));
  for (const one of HELPER_CASES) add(one.name, await bench.helper(one));
  for (const one of PACKET_CASES) {
    if (one.verdict === 8) add(`${one.name}, without the wrapper`, bench.direct(one));
  }
}
bench.close();
tellParent({ result: Object.fromEntries(times) });
