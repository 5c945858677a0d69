/**
 * A town after a power cut, a process in the namespace of the ONTs: every ONT asks for a lease within a moment and repeats
 * itself as RFC 2131 §4.1 has it until it has one. Knows the BNG from outside only.
 */
import { loadNative } from '../../src/dataplane/load-native.js';
import { BngError } from '../../src/model/bng-error.js';
import { tellParent } from './bench-context.js';
import { cpuMsOf } from './cpu-time.js';
import { quantile } from './figure.js';
import type { Offer } from './ont-frames.js';
import { ontFrame, readReply } from './ont-frames.js';
import type { StormResult } from './storm-settings.js';
import { stormSettingsSchema } from './storm-settings.js';

/** Until a message is repeated, a second more or less. */
const BACKOFF_MS = [4_000, 8_000, 16_000, 32_000, 64_000] as const;
const JITTER_MS = 1_000;
const TURN_MS = 5;
/** Frames that are sent in one turn at most, so that answers are read in between. */
const MOST_OF_TURN = 2_000;

const settings = stormSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { count, withinMs, bngPid, deadlineMs } = settings;
const native = loadNative();
const ifindex = native.interfaceIndex(settings.interface);
// Made before the clock runs.
const discovers = Array.from({ length: count }, (_, ont) => ontFrame(ont, null));
const offers = new Array<Offer | null>(count).fill(null);
const tries = new Uint8Array(count);
const firstMs = new Float64Array(count);
const tookMs = new Float64Array(count).fill(NaN);
/** Who says something in which turn. */
const agenda = new Map<number, number[]>();
let [leased, sent, lastAckMs] = [0, 0, 0];
let refused: string | null = null;

const beganMs = performance.now();
const turnOf = (atMs: number): number => Math.max(0, Math.ceil((atMs - beganMs) / TURN_MS));

function plan(ont: number, turn: number): void {
  const there = agenda.get(turn);
  if (there === undefined) agenda.set(turn, [ont]);
  else there.push(ont);
}

const receiver = native.openPacketSocket({
  ifindex,
  onFrame: (frame) => {
    const reply = readReply(frame);
    if (reply === null || reply.ont >= count || !Number.isNaN(tookMs[reply.ont] ?? 0)) return;
    const { ont } = reply;
    const nowMs = performance.now();
    if (reply.type === 'ack') {
      tookMs[ont] = nowMs - (firstMs[ont] ?? nowMs);
      leased += 1;
      lastAckMs = nowMs;
    } else if (reply.type === 'offer') {
      if (offers[ont] !== null) return;
      offers[ont] = reply.offer;
      tries[ont] = 0;
      say(ont, nowMs);
    } else refused = `expected an OFFER or an ACK, found ${reply.type}`;
  },
});
const sender = native.openPacketSocket({ ifindex });

/** What the station has to say now; and again, if nothing comes of it. */
function say(ont: number, nowMs: number): void {
  const offer = offers[ont] ?? null;
  const frame = offer === null ? discovers[ont] : ontFrame(ont, offer);
  if (frame === undefined) return;
  // A full queue loses a frame as a full line does: it is said again.
  if (sender.send(frame)) sent += 1;
  const wait = BACKOFF_MS[Math.min(tries[ont] ?? 0, BACKOFF_MS.length - 1)] ?? 0;
  tries[ont] = (tries[ont] ?? 0) + 1;
  plan(ont, turnOf(nowMs + wait + (2 * Math.random() - 1) * JITTER_MS));
}

for (let ont = 0; ont < count; ont++) plan(ont, turnOf(beganMs + (ont * withinMs) / count));
const cpuBefore = process.cpuUsage();
const bngBefore = cpuMsOf(bngPid);
let turn = 0;
while (leased < count && performance.now() - beganMs < deadlineMs && refused === null) {
  const nowMs = performance.now();
  for (let budget = MOST_OF_TURN; turn <= turnOf(nowMs) && budget > 0; ) {
    const onts = agenda.get(turn) ?? [];
    for (const ont of onts.splice(0, budget)) {
      budget -= 1;
      if (!Number.isNaN(tookMs[ont] ?? 0)) continue;
      if (firstMs[ont] === 0) firstMs[ont] = nowMs;
      say(ont, nowMs);
    }
    if (onts.length > 0) break;
    agenda.delete(turn);
    turn += 1;
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
if (refused !== null) throw new BngError('BNG_ERR_LAB', refused);
const cpu = process.cpuUsage(cpuBefore);
const known = tookMs.filter((ms) => !Number.isNaN(ms));
const result: StormResult = {
  leased,
  elapsedMs: lastAckMs - beganMs,
  p50Ms: quantile(known, 0.5),
  p99Ms: quantile(known, 0.99),
  framesEach: sent / Math.max(leased, 1),
  bngCpuMs: cpuMsOf(bngPid) - bngBefore,
  generatorCpuMs: (cpu.user + cpu.system) / 1000,
};
tellParent({ result });
receiver.close();
sender.close();
