/**
 * Load generator, a process in the namespace of the ONTs: speaks raw frames on the trunk as ONTs behind an access node
 * do, and measures how soon the answers come. Knows the BNG from outside only; its CPU time is read to show what limits.
 */
import { loadNative } from '../../src/dataplane/load-native.js';
import { BngError } from '../../src/model/bng-error.js';
import { tellParent } from './bench-context.js';
import { cpuMsOf } from './cpu-time.js';
import { quantile } from './figure.js';
import type { LoadResult, LoadSettings } from './load-settings.js';
import { loadSettingsSchema } from './load-settings.js';
import type { Reply } from './ont-frames.js';
import { ontFrame, readReply } from './ont-frames.js';

const LOST_AFTER_MS = 1000;
const SWEEP_MS = 20;

class LoadGenerator {
  readonly #s: LoadSettings;
  readonly #discovers: readonly Uint8Array[];
  readonly #sentAt: Float64Array;
  readonly #offerMs: Float64Array;
  readonly #leaseMs: Float64Array;
  readonly #underWay = new Set<number>();
  readonly #send: (frame: Uint8Array) => boolean;
  #next = 0;
  #finished = 0;
  #lost = 0;
  #lastAnswerAt = 0;
  #refused: string | null = null;

  constructor(
    settings: LoadSettings,
    open: (onFrame: (frame: Uint8Array) => void) => (f: Uint8Array) => boolean,
  ) {
    this.#s = settings;
    // Made before the clock runs, so that the generator has little to do while it does.
    this.#discovers = Array.from({ length: settings.count }, (_, n) => ontFrame(settings.first + n, null));
    this.#sentAt = new Float64Array(settings.count);
    this.#offerMs = new Float64Array(settings.count).fill(NaN);
    this.#leaseMs = new Float64Array(settings.count).fill(NaN);
    this.#send = open((frame) => this.#receive(frame));
  }

  async run(): Promise<LoadResult> {
    const { pace, bngPid, count } = this.#s;
    const cpuBefore = process.cpuUsage();
    const bngBefore = cpuMsOf(bngPid);
    const began = performance.now();
    if ('outstanding' in pace) for (let n = 0; n < pace.outstanding; n++) this.#begin();
    await new Promise<void>((resolve) => {
      const paced = setInterval(() => {
        if ('outstanding' in pace) return;
        const due = Math.min(count, Math.floor(((performance.now() - began) * pace.perSecond) / 1000));
        while (this.#next < due) this.#begin();
      }, 1);
      const sweep = setInterval(() => {
        this.#sweep();
        if (this.#finished + this.#lost < count && this.#refused === null) return;
        clearInterval(paced);
        clearInterval(sweep);
        resolve();
      }, SWEEP_MS);
    });
    if (this.#refused !== null) throw new BngError('BNG_ERR_LAB', this.#refused);
    const wholeMs = performance.now() - began;
    const cpu = process.cpuUsage(cpuBefore);
    return {
      finished: this.#finished,
      lost: this.#lost,
      elapsedMs: this.#lastAnswerAt - began,
      offer: latency(this.#offerMs),
      lease: this.#s.exchange === 'lease' ? latency(this.#leaseMs) : null,
      wholeMs,
      generatorCpuMs: (cpu.user + cpu.system) / 1000,
      bngCpuMs: cpuMsOf(bngPid) - bngBefore,
    };
  }

  #begin(): void {
    const n = this.#next;
    const frame = this.#discovers[n];
    if (frame === undefined) return;
    this.#next += 1;
    this.#underWay.add(n);
    this.#sentAt[n] = performance.now();
    if (!this.#send(frame)) this.#refused = 'expected the trunk to take every frame';
  }

  #receive(frame: Uint8Array): void {
    const reply = readReply(frame);
    if (reply === null) return;
    const n = reply.ont - this.#s.first;
    if (!this.#underWay.has(n)) return;
    const now = performance.now();
    const waitedMs = now - (this.#sentAt[n] ?? now);
    if (reply.type === 'offer') this.#offered(n, reply, waitedMs, now);
    else if (reply.type === 'ack') {
      this.#leaseMs[n] = waitedMs;
      this.#finish(n, now);
    } else this.#refused = `expected an OFFER or an ACK, found ${reply.type}`;
  }

  #offered(n: number, reply: Reply, waitedMs: number, now: number): void {
    this.#offerMs[n] = waitedMs;
    if (this.#s.exchange === 'offer') this.#finish(n, now);
    else this.#send(ontFrame(reply.ont, reply.offer));
  }

  #finish(n: number, now: number): void {
    this.#underWay.delete(n);
    this.#finished += 1;
    this.#lastAnswerAt = now;
    if ('outstanding' in this.#s.pace) this.#begin();
  }

  /** What is not answered in time is lost, and the next one takes its place. */
  #sweep(): void {
    const before = performance.now() - LOST_AFTER_MS;
    for (const n of [...this.#underWay]) {
      if ((this.#sentAt[n] ?? 0) > before) continue;
      this.#underWay.delete(n);
      this.#lost += 1;
      if ('outstanding' in this.#s.pace) this.#begin();
    }
  }
}

function latency(ms: Float64Array): LoadResult['offer'] {
  const known = ms.filter((value) => !Number.isNaN(value));
  if (known.length === 0) throw new BngError('BNG_ERR_LAB', 'expected answers from the BNG, found none');
  const us = (part: number): number => quantile(known, part) * 1000;
  return { p50Us: us(0.5), p99Us: us(0.99), mostUs: us(1) };
}

const settings = loadSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const native = loadNative();
const ifindex = native.interfaceIndex(settings.interface);
const socket: { close: () => void } = { close: () => undefined };
const generator = new LoadGenerator(settings, (onFrame) => {
  // Two sockets: one that also receives would be polled for what it sends.
  const receiver = native.openPacketSocket({ ifindex, onFrame });
  const sender = native.openPacketSocket({ ifindex });
  socket.close = () => {
    receiver.close();
    sender.close();
  };
  return (frame) => sender.send(frame);
});
tellParent({ result: await generator.run() });
socket.close();
