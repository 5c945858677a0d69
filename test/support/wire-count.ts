/** What was on a wire, counted by tcpdump: independent of anything of ours. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Lab } from '../../src/lab/lab.js';
import { eventually } from './eventually.js';
import { destinationOf, ipv4At, sourceOf } from './frame-fields.js';
import type { Sum } from './raw-peer.js';

export interface Arrival {
  readonly seconds: number;
  /** `source>destination`. */
  readonly ends: string;
  /** Length of the IPv4 packet. */
  readonly bytes: number;
}

/** Octets and packets of IPv4 on an interface, as tcpdump saw them: independent of anything of ours. */
export class WireCount {
  readonly #child: ChildProcess;
  readonly #file: string;
  #words = '';

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async start(lab: Lab, namespace: string, filter = 'ip'): Promise<WireCount> {
    const file = lab.paths.logFile(`wire-${namespace}-${process.hrtime.bigint()}`);
    const options = [
      '-n',
      '-U',
      '--immediate-mode',
      '-Z',
      'root',
      '-B',
      '32768',
      '-s',
      '96',
      '-i',
      'eth0',
      '-w',
      file,
      filter,
    ];
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${namespace}`, '--', 'setpriv', '--pdeathsig', 'KILL', '--', 'tcpdump', ...options],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const count = new WireCount(child, file);
    lab.onClose(async () => void child.kill('SIGKILL'));
    child.stderr.on('data', (chunk: Buffer) => (count.#words += chunk.toString()));
    await eventually('tcpdump listens', () => (count.#words.includes('listening on') ? true : null));
    return count;
  }

  /** What was seen so far, by `source>destination`. */
  read(): Readonly<Record<string, Sum>> {
    const sums: Record<string, Sum> = {};
    for (const { ends, bytes } of this.arrivals()) {
      const sum = sums[ends] ?? { packets: 0, bytes: 0 };
      sums[ends] = { packets: sum.packets + 1, bytes: sum.bytes + bytes };
    }
    return sums;
  }

  /** Every IPv4 packet seen so far, in its order, with the kernel's time of it. */
  arrivals(): readonly Arrival[] {
    const pcap = readFileSync(this.#file);
    const arrivals: Arrival[] = [];
    for (let at = 24; at + 16 <= pcap.length; ) {
      const kept = pcap.readUInt32LE(at + 8);
      const seconds = pcap.readUInt32LE(at) + pcap.readUInt32LE(at + 4) / 1e6;
      const frame = pcap.subarray(at + 16, at + 16 + kept);
      if (frame.length < kept) break;
      at += 16 + kept;
      const ip = ipv4At(frame);
      if (ip === null) continue;
      const ends = `${sourceOf(frame)}>${destinationOf(frame)}`;
      arrivals.push({ seconds, ends, bytes: frame.readUInt16BE(ip + 2) });
    }
    return arrivals;
  }

  /** Ends the capture; fails when anything was missed. */
  async stop(): Promise<Readonly<Record<string, Sum>>> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGINT');
    await ended;
    assert.match(this.#words, /\b0 packets dropped by kernel/);
    return this.read();
  }
}

/** Adds up what has `address` as its source, or as its destination. */
export function sumOf(sums: Readonly<Record<string, Sum>>, side: 'from' | 'to', address: string): Sum {
  const chosen = Object.entries(sums).filter(
    ([ends]) => ends.split('>')[side === 'from' ? 0 : 1] === address,
  );
  return chosen.reduce(
    (total, [, sum]) => ({ packets: total.packets + sum.packets, bytes: total.bytes + sum.bytes }),
    { packets: 0, bytes: 0 },
  );
}
