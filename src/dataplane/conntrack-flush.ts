/**
 * Forgets the stack's connections of subscribers that became walled or left, so that address translation and answers
 * of old flows end with them. Bounded, batched, in the background; holds no policy.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { formatIpv4, type Ipv4 } from '../model/ipv4.js';
import { errorText } from '../model/bng-error.js';

export interface ConntrackFlushOptions {
  readonly deadlineMs: number;
  /** Told when a flush did not work; flows are still judged packet by packet, so this is a warning. */
  readonly onFailure: (reason: string) => void;
}

/** Above this many addresses the table is read once, and only those that have flows are deleted. */
const READ_FIRST_ABOVE = 16;

export class ConntrackFlush {
  readonly #options: ConntrackFlushOptions;
  #waiting = new Set<Ipv4>();
  #running: Promise<void> | null = null;

  constructor(options: ConntrackFlushOptions) {
    this.#options = options;
  }

  /** Resolves when the flows known now are gone (or the failure was told). One process at a time serves all callers. */
  async flush(address: Ipv4): Promise<void> {
    this.#waiting.add(address);
    // A run under way may have taken its addresses already: wait for it, then for one that has ours.
    while (this.#waiting.has(address)) {
      this.#running ??= this.#run();
      await this.#running;
    }
  }

  /** Waits for what is under way. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const addresses = [...this.#waiting].map(formatIpv4);
    this.#waiting = new Set();
    try {
      await this.#delete(addresses.length > READ_FIRST_ABOVE ? await this.#withFlows(addresses) : addresses);
    } catch (error) {
      this.#options.onFailure(errorText(error));
    } finally {
      this.#running = null;
    }
  }

  async #withFlows(addresses: readonly string[]): Promise<string[]> {
    const asked = new Set(addresses);
    const found = new Set<string>();
    const lines = execa('conntrack', ['-L', '-f', 'ipv4'], {
      timeout: this.#options.deadlineMs,
      buffer: false,
    });
    for await (const line of lines) {
      for (const [, address = ''] of line.matchAll(/(?:src|dst)=([0-9.]+)/g)) {
        if (asked.has(address)) found.add(address);
      }
    }
    return [...found];
  }

  async #delete(addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return;
    // `conntrack -R` reads commands from a file: one process for any number of addresses.
    const folder = await mkdtemp(join(tmpdir(), 'bng-conntrack-'));
    try {
      const file = join(folder, 'commands');
      await writeFile(file, addresses.flatMap((a) => [`-D -s ${a}`, `-D -d ${a}`, '']).join('\n'));
      await execa('conntrack', ['-R', file], { timeout: this.#options.deadlineMs });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
