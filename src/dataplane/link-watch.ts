/**
 * Tells when one of our links comes up: the kernel took its routes away when it went down. Reads what `ip monitor` says and
 * changes nothing.
 */
import { execa } from 'execa';
import type { Clock, TimerHandle } from '../model/clock.js';

export interface LinkWatchOptions {
  readonly interfaces: readonly string[];
  readonly clock: Clock;
  /** A link is up that was down; or nobody knows, because nobody had watched for a while. */
  readonly onUp: (interfaceName: string) => void;
  /** Told when nothing can be watched; it is tried again. */
  readonly onWarning: (warning: string) => void;
}

/** It dies with us, even when we are killed: it would not hear of it before the next event. */
const MONITOR = ['setpriv', '--pdeathsig', 'KILL', '--', 'ip', '-o', 'monitor', 'link'] as const;
const AGAIN_MS = 5_000;
/** `3: access0@if2: <BROADCAST,NOARP,UP,LOWER_UP> mtu 1500 ...` */
const LINK = /^\d+: ([^:@\s]+)(?:@[^:]*)?: <([^>]*)>/;

export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #down = new Set<string>();
  #child: ReturnType<typeof spawnMonitor> | null = null;
  #again: TimerHandle | null = null;
  #rest = '';
  #closed = false;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#start();
  }

  /** Waits for the end of what was started. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#again?.cancel();
    this.#child?.kill('SIGKILL');
    await this.#child;
  }

  #start(): void {
    const child = spawnMonitor();
    this.#child = child;
    this.#rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    void child.then((result) => {
      if (this.#closed) return;
      this.#options.onWarning(`links are not watched: ${result.shortMessage ?? 'ip monitor ended'}`);
      this.#again = this.#options.clock.after(AGAIN_MS, () => {
        this.#start();
        for (const name of this.#options.interfaces) this.#options.onUp(name);
      });
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, name = '', flags = ''] = LINK.exec(line) ?? [];
      if (!this.#options.interfaces.includes(name)) continue;
      if (!flags.split(',').includes('UP')) this.#down.add(name);
      else if (this.#down.delete(name)) this.#options.onUp(name);
    }
  }
}

function spawnMonitor() {
  const [file, ...args] = MONITOR;
  return execa(file, args, {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    buffer: false,
    reject: false,
  });
}
