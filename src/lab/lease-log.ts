/**
 * What a DHCP client tells of its leases: JSON lines that its script appends to a file, read as they come. Knows no
 * client in particular.
 */
import type { FSWatcher } from 'node:fs';
import { closeSync, openSync, readSync, watch, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { JsonLines } from '../olt/json-lines.js';

const leaseEventSchema = z.object({
  /** `bound`: a lease after an exchange from the start; `renewed`: the same lease goes on; `lost`: no address now. */
  event: z.enum(['bound', 'renewed', 'lost', 'nak']),
  address: z.string(),
  prefixLength: z.int(),
  router: z.string(),
  dns: z.string().transform((text) => text.split(' ').filter((part) => part !== '')),
  leaseSeconds: z.number(),
  serverId: z.string(),
  /** Wall clock, milliseconds. */
  time: z.number(),
});
export type LeaseEvent = Readonly<z.infer<typeof leaseEventSchema>>;

/** Shell function for the clients' scripts: `emit EVENT ADDRESS LENGTH ROUTER DNS SECONDS SERVER`, file in $LEASE_LOG. */
export const EMIT_FUNCTION = `emit() {
  printf '{"event":"%s","address":"%s","prefixLength":%d,"router":"%s","dns":"%s","leaseSeconds":%d,"serverId":"%s","time":%s}\\n' \\
    "$1" "$2" "\${3:-0}" "$4" "$5" "\${6:-0}" "$7" "$(date +%s%3N)" >>"$LEASE_LOG"
}`;

export class LeaseLog {
  readonly #descriptor: number;
  readonly #watcher: FSWatcher;
  readonly #lines: JsonLines;
  readonly #events: LeaseEvent[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #chunk = Buffer.alloc(16 * 1024);
  #unreadable = 0;
  #closed = false;

  constructor(path: string) {
    writeFileSync(path, '');
    this.#descriptor = openSync(path, 'r');
    this.#lines = new JsonLines({
      onLine: (line) => this.#take(line),
      onTooLong: () => void (this.#unreadable += 1),
    });
    this.#watcher = watch(path, { persistent: false }, () => this.#read());
  }

  /** Everything told so far, oldest first. */
  get events(): readonly LeaseEvent[] {
    return this.#events;
  }

  /** Lines that were no lease event. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** The lease that the client has now; null without one. */
  get lease(): LeaseEvent | null {
    const last = this.#events.findLast(({ event }) => event !== 'nak');
    return last === undefined || last.event === 'lost' ? null : last;
  }

  /** Resolves with the first non-null value of `look`, which is asked now and after each event; null at the deadline. */
  async waitFor<T>(deadlineMs: number, look: () => T | null): Promise<T | null> {
    const present = look();
    if (present !== null) return present;
    return new Promise((resolve) => {
      const finish = (value: T | null): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(value);
      };
      const listener = (): void => {
        const value = look();
        if (value !== null || this.#closed) finish(value);
      };
      const timer = setTimeout(() => finish(null), deadlineMs);
      this.#listeners.add(listener);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watcher.close();
    closeSync(this.#descriptor);
    for (const listener of [...this.#listeners]) listener();
  }

  #read(): void {
    if (this.#closed) return;
    for (;;) {
      const length = readSync(this.#descriptor, this.#chunk);
      if (length === 0) break;
      this.#lines.push(this.#chunk.subarray(0, length));
    }
    for (const listener of [...this.#listeners]) listener();
  }

  #take(line: string): void {
    let event: LeaseEvent | null = null;
    try {
      event = leaseEventSchema.parse(JSON.parse(line));
    } catch {
      this.#unreadable += 1;
    }
    if (event !== null) this.#events.push(event);
  }
}
