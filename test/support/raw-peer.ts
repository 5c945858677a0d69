/** The test's end of a peer of raw frames in a namespace; the other end is raw-peer-main.ts. Asserts nothing. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { patience } from '../../src/lab/patience.js';

const RAW_PEER = fileURLToPath(new URL('raw-peer-main.js', import.meta.url));
const DEADLINE_MS = 8_000;

export interface Sum {
  readonly packets: number;
  readonly bytes: number;
}

export interface Flood extends Sum {
  readonly sent: number;
  readonly milliseconds: number;
  /** How long the sender did not come to send. */
  readonly idleMs: number;
}

/** A raw peer on one interface of one namespace; see raw-peer-main.ts. */
export class RawPeer {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: Record<string, unknown>) => void>();
  readonly #listeners = new Set<() => void>();
  #frames: Buffer[] = [];
  #nextId = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(namespace: string, interfaceName: string): Promise<RawPeer> {
    const child = spawn(
      'nsenter',
      [
        `--net=/run/netns/${namespace}`,
        '--',
        'setpriv',
        '--pdeathsig',
        'KILL',
        '--',
        process.execPath,
        RAW_PEER,
        interfaceName,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const peer = new RawPeer(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`raw peer ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message = JSON.parse(line) as Record<string, unknown>;
        if (message['ready'] === true) resolve();
        else peer.#take(message);
      });
    });
    return peer;
  }

  /** What arrived while capturing, oldest first. */
  get frames(): readonly Buffer[] {
    return this.#frames;
  }

  forget(): void {
    this.#frames = [];
  }

  async send(...frames: readonly Uint8Array[]): Promise<void> {
    await this.#ask({ op: 'send', frames: frames.map((frame) => Buffer.from(frame).toString('hex')) });
  }

  async capture(on: boolean): Promise<void> {
    await this.#ask({ op: 'capture', on });
  }

  /** What arrived since the last clearing, by `source>destination`. */
  async tally(clear = false): Promise<Readonly<Record<string, Sum & { firstMs: number; lastMs: number }>>> {
    const { tally } = await this.#ask({ op: 'tally', clear });
    return tally as Record<string, Sum & { firstMs: number; lastMs: number }>;
  }

  async flood(frame: Uint8Array, bitsPerSecond: number, milliseconds: number): Promise<Flood> {
    const answer = await this.#ask({
      op: 'flood',
      frame: Buffer.from(frame).toString('hex'),
      bitsPerSecond,
      milliseconds,
    });
    return { ...(answer as unknown as Flood), packets: Number(answer['sent']) };
  }

  /** Sends `frames` in turn at full speed; gives how many went out. */
  async barrage(frames: readonly Uint8Array[], milliseconds: number): Promise<number> {
    const hex = frames.map((frame) => Buffer.from(frame).toString('hex'));
    const { sent } = await this.#ask({ op: 'barrage', frames: hex, milliseconds });
    return Number(sent);
  }

  /** The first frame that satisfies `predicate`, now or later; fails at the deadline. */
  frame(
    what: string,
    predicate: (frame: Buffer) => boolean,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.#frames.find(predicate);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new assert.AssertionError({ message: `no frame in time: ${what}` }));
      }, deadlineMs * patience);
      this.#listeners.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #take(message: Record<string, unknown>): void {
    if (typeof message['frame'] === 'string') {
      this.#frames.push(Buffer.from(message['frame'], 'hex'));
      for (const listener of [...this.#listeners]) listener();
      return;
    }
    const id = Number(message['id']);
    this.#answers.get(id)?.(message);
    this.#answers.delete(id);
  }

  async #ask(request: object): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    const answer = new Promise<Record<string, unknown>>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('raw peer: no answer in time')), 30_000 * patience);
      this.#answers.set(id, (message) => {
        clearTimeout(timer);
        if (message['error'] === undefined) resolve(message);
        else reject(new Error(`raw peer: ${JSON.stringify(message['error'])}`));
      });
    });
    this.#child.stdin!.write(`${JSON.stringify({ id, ...request })}\n`);
    return answer;
  }
}
