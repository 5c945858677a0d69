/**
 * A connection to the access node's management socket: requests with a deadline, events as they come, one attempt
 * after another until it is there. A request that cannot be answered is a value. Knows no session.
 */
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import type { Clock, TimerHandle } from '../model/clock.js';
import { JsonLines, toLine } from './json-lines.js';
import type { OltEvent, OltMethod, OltParams } from './protocol.js';
import { messageSchema, parseLine } from './protocol.js';

export type OltAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly reason: string };

export interface OltConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly onUp: () => void;
  readonly onDown: () => void;
  readonly onEvent: (event: OltEvent) => void;
}

interface Pending {
  readonly settle: (answer: OltAnswer) => void;
  readonly deadline: TimerHandle;
}

/** The list of all ONTs is one line, some 300 bytes for each: room for 50,000. */
const LONGEST_ANSWER = 16 * 1024 * 1024;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

export class OltConnection {
  readonly #options: OltConnectionOptions;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | null = null;
  #up = false;
  #closed = false;
  #nextId = 1;
  #backoffMs = FIRST_BACKOFF_MS;
  #retry: TimerHandle | null = null;
  #badMessages = 0;

  constructor(options: OltConnectionOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Lines of the access node that could not be read, since start. */
  get badMessages(): number {
    return this.#badMessages;
  }

  /** Begins to connect, and connects again whenever the connection is lost, until `close()`. */
  open(): void {
    if (this.#closed || this.#socket !== null) return;
    const socket = createConnection(this.#options.path);
    this.#socket = socket;
    const lines = new JsonLines({
      onLine: (line) => this.#hear(line),
      onTooLong: () => void (this.#badMessages += 1),
      longest: LONGEST_ANSWER,
    });
    socket.on('connect', () => {
      this.#up = true;
      this.#backoffMs = FIRST_BACKOFF_MS;
      this.#options.onUp();
    });
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    // The reason matters to nobody: 'close' always follows, and the next attempt is the answer to all of them.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#lost());
  }

  /** Asks; resolves with the answer, or with why there is none. Never rejects. */
  request<M extends OltMethod>(method: M, params: OltParams<M>): Promise<OltAnswer> {
    const socket = this.#socket;
    if (socket === null || !this.#up) {
      return Promise.resolve({ ok: false, reason: 'the access node is not connected' });
    }
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const deadline = this.#options.clock.after(this.#options.requestTimeoutMs, () => {
        this.#settle(id, {
          ok: false,
          reason: `the access node gave no answer in ${this.#options.requestTimeoutMs} ms`,
        });
      });
      this.#pending.set(id, { settle: resolve, deadline });
      socket.write(toLine({ id, method, params }));
    });
  }

  /** Gives up this connection and tries anew. */
  restart(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#retry = null;
    this.#socket?.destroy();
  }

  #hear(line: string): void {
    const message = parseLine(messageSchema, line);
    if (!message.ok) {
      this.#badMessages += 1;
    } else if ('event' in message.value) {
      this.#options.onEvent(message.value.event);
    } else if ('error' in message.value) {
      const { id, error } = message.value;
      if (id === null) this.#badMessages += 1;
      else this.#settle(id, { ok: false, reason: error.message });
    } else {
      this.#settle(message.value.id, { ok: true, result: message.value.result });
    }
  }

  #settle(id: number, answer: OltAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.deadline.cancel();
    pending.settle(answer);
  }

  #lost(): void {
    const wasUp = this.#up;
    this.#socket = null;
    this.#up = false;
    for (const id of [...this.#pending.keys()]) {
      this.#settle(id, { ok: false, reason: 'the connection to the access node was lost' });
    }
    if (this.#closed) return;
    if (wasUp) this.#options.onDown();
    this.#retry = this.#options.clock.after(this.#backoffMs, () => this.open());
    this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS);
  }
}
