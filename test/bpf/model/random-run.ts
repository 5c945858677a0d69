/**
 * One random world, run through kernel and model side by side: every frame's exit and bytes are compared at once, counters and
 * punt records a batch at a time. When they differ the same world is run again with counters read after every frame.
 */
import assert from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import {
  BngDropReason,
  BngDropReasonLabels,
  BngPuntReason,
  BngVerdict,
  BngVerdictLabels,
} from '../../../src/dataplane/abi.js';
import { Random } from '../../support/random.js';
import { type ProgramName, Tc, Xdp } from '../rig.js';
import { judgeCore, judgeEgress } from './judge-downstream.js';
import { judgeAccess } from './judge-upstream.js';
import { KernelMirror, type PuntSeen, TRAFFIC_WORDS } from './kernel-mirror.js';
import type { Outcome, PuntRecord } from './outcome.js';
import { type RandomFrame, RandomFrames } from './random-frames.js';
import {
  type Interfaces,
  LOCAL,
  POOLS,
  RandomChanges,
  randomGarden,
  randomSettings,
  SLOTS,
} from './random-world.js';
import { type Routes, World } from './world.js';

const FRAMES_BETWEEN_CHANGES = 250;
/** Of so many batches one is a flood of DHCP that fills the punt ring. */
const STORM_EVERY = 20;
const FIRST_SUBSCRIBERS = 30;
/** The kernel wants a power of two of whole pages. */
const RING_BYTES = 65_536;

export interface Place {
  readonly interfaces: Interfaces;
  readonly core: number;
  readonly routes: Routes;
}

export interface Run {
  readonly seed: number;
  readonly frames: number;
}

/** How often each end was met, by label. */
export type Reached = Map<string, number>;

const XDP_CODES: ReadonlyMap<number, number> = new Map([
  [BngVerdict.drop, Xdp.drop],
  [BngVerdict.punt, Xdp.drop],
  [BngVerdict.arpReply, Xdp.tx],
  [BngVerdict.dhcpReply, Xdp.tx],
  [BngVerdict.forwardUp, Xdp.redirect],
  [BngVerdict.forwardDown, Xdp.redirect],
  [BngVerdict.forwardLocal, Xdp.redirect],
  [BngVerdict.stackUp, Xdp.pass],
  [BngVerdict.stackDown, Xdp.pass],
  [BngVerdict.foreign, Xdp.pass],
]);

const JUDGES: Readonly<Record<ProgramName, (world: World, frame: Buffer, ifindex: number) => Outcome>> = {
  bng_access: judgeAccess,
  bng_core: judgeCore,
  bng_egress: judgeEgress,
};

function codeOf(program: ProgramName, { verdict, elsewhere }: Outcome): number {
  if (elsewhere) return Tc.redirect;
  if (program === 'bng_egress') return verdict === BngVerdict.drop ? Tc.shot : Tc.ok;
  return XDP_CODES.get(verdict ?? -1) ?? -1;
}

export function describeOutcome({ verdict, drop, elsewhere }: Outcome): string {
  if (verdict === null) return elsewhere ? 'elsewhere' : 'own';
  const reason = drop === null ? '' : ` ${BngDropReasonLabels.get(drop)}`;
  return `${BngVerdictLabels.get(verdict)}${reason}`;
}

class SideBySide {
  readonly #run: Run;
  readonly #place: Place;
  readonly #random: Random;
  readonly #world: World;
  readonly #kernel: KernelMirror;
  readonly #verdicts = new BigUint64Array(BngVerdict.count);
  readonly #drops = new BigUint64Array(BngDropReason.count);
  readonly #traffic = new BigUint64Array(SLOTS * TRAFFIC_WORDS);
  #punts: { readonly punt: PuntRecord; readonly frame: Buffer }[] = [];
  #index = 0;

  constructor(run: Run, place: Place) {
    this.#run = run;
    this.#place = place;
    this.#random = new Random(run.seed);
    const settings = randomSettings(this.#random, place.interfaces);
    this.#world = new World({
      settings,
      routes: place.routes,
      ports: new Set([...settings.accessPorts.keys(), place.core]),
      garden: randomGarden(this.#random),
      local: LOCAL,
      pools: POOLS,
      ringBytes: RING_BYTES,
    });
    this.#kernel = new KernelMirror(this.#world, SLOTS);
  }

  /** Throws on the first difference. `batch` is how many frames go between two looks at the counters. */
  async play(batch: number, reached: Reached): Promise<void> {
    try {
      const changes = new RandomChanges(this.#random, this.#world, this.#kernel, this.#place.interfaces);
      for (let count = 0; count < FIRST_SUBSCRIBERS; count++) changes.install();
      const frames = new RandomFrames(this.#random, this.#world, this.#place.core);
      for (let round = 0; this.#index < this.#run.frames; round++) {
        const fresh = changes.next();
        if (fresh !== null) this.#traffic.fill(0n, fresh * TRAFFIC_WORDS, (fresh + 1) * TRAFFIC_WORDS);
        for (let done = 0; done < FRAMES_BETWEEN_CHANGES; done++) {
          const next = frames.next(round % STORM_EVERY === 0);
          const outcome = this.#one(next);
          const end = describeOutcome(outcome);
          reached.set(end, (reached.get(end) ?? 0) + 1);
          if (this.#index++ % batch === batch - 1) this.#compareCounters(next, outcome);
        }
        await this.#comparePunts();
      }
    } finally {
      this.#kernel.close();
    }
  }

  #one(next: RandomFrame): Outcome {
    const { program, frame, ifindex } = next;
    const outcome = JUDGES[program](this.#world, frame, ifindex);
    const { returnValue, dataOut } = this.#kernel.run(program, frame, ifindex);
    const expected = outcome.out ?? frame;
    if (returnValue !== codeOf(program, outcome) || expected.compare(dataOut) !== 0) {
      const seen = { returnValue, out: Buffer.from(dataOut).toString('hex') };
      const wanted = { returnValue: codeOf(program, outcome), out: expected.toString('hex') };
      same(seen, wanted, this.#where(next, outcome));
    }
    this.#expect(outcome, frame);
    return outcome;
  }

  #expect({ verdict, drop, traffic, punt }: Outcome, frame: Buffer): void {
    if (verdict !== null) this.#verdicts[verdict]!++;
    if (drop !== null) this.#drops[drop]!++;
    if (punt !== null) this.#punts.push({ punt, frame });
    for (const { slot, upstream, bytes } of traffic) {
      const at = slot * TRAFFIC_WORDS + (upstream ? 0 : 2);
      this.#traffic[at]!++;
      this.#traffic[at + 1]! += BigInt(bytes);
    }
  }

  #compareCounters(last: RandomFrame, outcome: Outcome): void {
    const seen = this.#kernel.counters();
    const where = this.#where(last, outcome);
    same(seen.verdicts, this.#verdicts, `verdicts after ${where}`);
    same(seen.drops, this.#drops, `drops after ${where}`);
    same(seen.traffic, this.#traffic, `traffic, ${TRAFFIC_WORDS} words a slot, after ${where}`);
  }

  /** Every record, in order, to the byte; the ring is empty after. */
  async #comparePunts(): Promise<void> {
    const expected = this.#punts.map(({ punt, frame }) => this.#record(punt, frame));
    const seen = (await this.#kernel.takePunts(expected.length)).map(comparable);
    const first = expected.findIndex((record, index) => !isDeepStrictEqual(seen[index], record));
    const where = `punt record ${first} before frame ${this.#index} of seed ${this.#run.seed}`;
    if (first >= 0) same(seen[first], expected[first], where);
    assert.equal(
      seen.length,
      expected.length,
      `punt records before frame ${this.#index} of seed ${this.#run.seed}`,
    );
    this.#punts = [];
    this.#world.ringUsed = 0;
  }

  #record({ ethernet, answered }: PuntRecord, frame: Buffer): ReturnType<typeof comparable> {
    const { ifindex, vlans, tpids, l3Offset } = ethernet;
    return {
      ifindex,
      frameLength: answered === null ? frame.length : 0,
      reason: answered === null ? BngPuntReason.dhcp : BngPuntReason.leaseAnswered,
      sVlan: vlans[0] ?? 0,
      cVlan: vlans[1] ?? 0,
      sTpid: tpids[0] ?? 0,
      cTpid: tpids[1] ?? 0,
      l3Offset,
      frame: answered === null ? frame.toString('hex') : '',
      answered,
    };
  }

  #where({ program, frame, ifindex }: RandomFrame, outcome: Outcome): string {
    const model = describeOutcome(outcome);
    return `seed ${this.#run.seed} frame ${this.#index}: ${program}(${frame.toString('hex')}) at ${ifindex}, by the model: ${model}`;
  }
}

/** Fails with both answers in full. */
function same(kernel: unknown, model: unknown, where: string): void {
  if (isDeepStrictEqual(kernel, model)) return;
  const text = (answer: unknown): string =>
    inspect(answer, { maxArrayLength: null, maxStringLength: null, breakLength: 160 });
  assert.fail(`${where}\n  kernel: ${text(kernel)}\n  model:  ${text(model)}`);
}

function comparable({
  head,
  frame,
  answered,
}: PuntSeen): Omit<PuntSeen['head'], 'timeNs'> & Pick<PuntSeen, 'answered'> & { readonly frame: string } {
  const { timeNs, ...rest } = head;
  assert.ok(timeNs > 0n && timeNs <= process.hrtime.bigint());
  return { ...rest, frame: frame.toString('hex'), answered };
}

/** Throws with seed, frame, the kernel's answer and the model's. */
export async function runSideBySide(run: Run, place: Place, reached: Reached): Promise<void> {
  try {
    await new SideBySide(run, place).play(FRAMES_BETWEEN_CHANGES, reached);
  } catch (error) {
    // Says which frame of the batch it was, unless that is known already; else the batch's own words have to do.
    await new SideBySide(run, place).play(1, new Map());
    throw error;
  }
}
