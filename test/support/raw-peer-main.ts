/**
 * A peer of raw frames as a process: runs inside a network namespace, sends what it is told on one interface and tells
 * or tallies what arrives there. One JSON object a line: requests on standard input, answers and frames on standard
 * output. Prints `{"ready":true}` first. Decides and asserts nothing.
 */
import { createInterface } from 'node:readline';
import { loadNative } from '../../src/dataplane/load-native.js';

type Request = { readonly id: number } & (
  | { readonly op: 'send'; readonly frames: readonly string[] }
  /** What arrives is told frame by frame, or only tallied. */
  | { readonly op: 'capture'; readonly on: boolean }
  /** Packets and octets of IPv4 that arrived, by `source>destination`; `clear` begins anew. */
  | { readonly op: 'tally'; readonly clear: boolean }
  /** Sends one frame at a rate of IPv4 octets for a while. */
  | {
      readonly op: 'flood';
      readonly frame: string;
      readonly bitsPerSecond: number;
      readonly milliseconds: number;
    }
  /** Sends frames in turn, as fast as they go, for a while. */
  | { readonly op: 'barrage'; readonly frames: readonly string[]; readonly milliseconds: number }
);

const TAGS = new Set([0x8100, 0x88a8]);
/** Bytes of tags in front of the EtherType at 12, at most three tags. */
function l3Offset(frame: Buffer): number {
  let at = 12;
  while (at < 24 && at + 2 <= frame.length && TAGS.has(frame.readUInt16BE(at))) at += 4;
  return at + 2;
}

const [interfaceName = ''] = process.argv.slice(2);
const native = loadNative();
let capturing = true;
let tally = new Map<string, { packets: number; bytes: number; firstMs: number; lastMs: number }>();

const tell = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

function note(frame: Buffer): void {
  const at = l3Offset(frame);
  if (frame.length < at + 20 || frame.readUInt16BE(at - 2) !== 0x0800) return;
  const ends = `${frame.subarray(at + 12, at + 16).join('.')}>${frame.subarray(at + 16, at + 20).join('.')}`;
  const sum = tally.get(ends) ?? { packets: 0, bytes: 0, firstMs: performance.now(), lastMs: 0 };
  sum.packets += 1;
  sum.bytes += frame.readUInt16BE(at + 2);
  sum.lastMs = performance.now();
  tally.set(ends, sum);
}

const socket = native.openPacketSocket({
  ifindex: native.interfaceIndex(interfaceName),
  onFrame: (bytes) => {
    const frame = Buffer.from(bytes);
    note(frame);
    if (capturing) tell({ frame: frame.toString('hex') });
  },
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Whoever waits for its next frame leaves the processor to the others: a millisecond. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function sendOne(frame: Uint8Array): Promise<void> {
  while (!socket.send(frame)) await turn();
}

async function sendAll(frames: readonly string[]): Promise<object> {
  for (const frame of frames) await sendOne(Buffer.from(frame, 'hex'));
  return { sent: frames.length };
}

/** A policer's burst bridges a shorter gap; what is longer counts as idle, since a busy machine may stop us. */
const LONG_GAP_MS = 50;

async function flood(request: Extract<Request, { op: 'flood' }>): Promise<object> {
  const frame = Buffer.from(request.frame, 'hex');
  const bytes = frame.readUInt16BE(l3Offset(frame) + 2);
  const began = performance.now();
  let sent = 0;
  let before = 0;
  let idle = 0;
  for (;;) {
    const now = performance.now() - began;
    idle += Math.max(0, now - before - LONG_GAP_MS);
    before = now;
    if (now >= request.milliseconds) break;
    // Never more than 32 in a row: a veth's ring is short.
    const due = (request.bitsPerSecond * now) / 8000 / bytes;
    for (let burst = 0; burst < 32 && sent < due; burst++) {
      if (!socket.send(frame)) break;
      sent += 1;
    }
    await (sent < due ? turn() : pause());
  }
  return { sent, bytes: sent * bytes, milliseconds: performance.now() - began, idleMs: idle };
}

async function barrage(request: Extract<Request, { op: 'barrage' }>): Promise<object> {
  const frames = request.frames.map((frame) => Buffer.from(frame, 'hex'));
  const end = performance.now() + request.milliseconds;
  let sent = 0;
  while (performance.now() < end) {
    for (let burst = 0; burst < 32; burst++) {
      const frame = frames[sent % frames.length];
      if (frame === undefined || !socket.send(frame)) break;
      sent += 1;
    }
    await turn();
  }
  return { sent };
}

async function answer(request: Request): Promise<object> {
  switch (request.op) {
    case 'send':
      return sendAll(request.frames);
    case 'capture':
      capturing = request.on;
      return {};
    case 'tally': {
      const ends = Object.fromEntries(tally);
      if (request.clear) tally = new Map();
      return { tally: ends };
    }
    case 'flood':
      return flood(request);
    case 'barrage':
      return barrage(request);
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const request = JSON.parse(line) as Request;
    answer(request).then(
      (result) => tell({ id: request.id, ...result }),
      (error: unknown) => tell({ id: request.id, error: String(error) }),
    );
  })
  .on('close', () => process.exit(0));
tell({ ready: true });
