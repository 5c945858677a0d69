/**
 * HTTP clients that read server-sent events: heads, heartbeats, and the bound on what waits for one that reads slowly; beyond
 * it the client is disconnected and counted. Knows no event.
 */
import type { ServerResponse } from 'node:http';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { ApiLimits } from './api-options.js';

export interface EventClientsOptions {
  readonly clock: Clock;
  readonly limits: Pick<ApiLimits, 'eventClients' | 'eventBufferBytes' | 'eventHeartbeatMs'>;
  readonly onClientDropped: () => void;
}

export class EventClients {
  readonly #options: EventClientsOptions;
  /** Each with what is to be done when it goes. */
  readonly #clients = new Map<ServerResponse, () => void>();
  #heartbeat: TimerHandle | null = null;

  constructor(options: EventClientsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#clients.size;
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#options.limits.eventClients;
  }

  /** Takes over a response whose head is not yet written, until either side closes; `onGone` is called once then. */
  add(response: ServerResponse, greeting: string, onGone: () => void = () => undefined): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    this.#clients.set(response, onGone);
    response.once('close', () => this.#remove(response));
    // A write to a peer that reset the connection: 'close' follows and tidies up.
    response.on('error', () => response.destroy());
    this.write(response, `: ${greeting}\n\n`);
    if (this.#heartbeat === null) this.#armHeartbeat();
  }

  /** JSON text has no line breaks, so one data line carries it whole. */
  write(response: ServerResponse, text: string): void {
    if (!this.#clients.has(response)) return;
    if (response.writableLength + Buffer.byteLength(text) <= this.#options.limits.eventBufferBytes) {
      response.write(text);
      return;
    }
    this.#remove(response);
    response.destroy();
    this.#options.onClientDropped();
  }

  writeAll(text: string): void {
    for (const response of [...this.#clients.keys()]) this.write(response, text);
  }

  /** Ends every client's stream. */
  close(): void {
    for (const response of [...this.#clients.keys()]) {
      this.#remove(response);
      response.end();
    }
  }

  #remove(response: ServerResponse): void {
    const onGone = this.#clients.get(response);
    if (onGone === undefined) return;
    this.#clients.delete(response);
    onGone();
    if (this.#clients.size > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
  }

  #armHeartbeat(): void {
    this.#heartbeat = this.#options.clock.after(this.#options.limits.eventHeartbeatMs, () => {
      this.#heartbeat = null;
      this.writeAll(': heartbeat\n\n');
      if (this.#clients.size > 0) this.#armHeartbeat();
    });
  }
}
