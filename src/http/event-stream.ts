/**
 * Lifecycle events to many HTTP clients as server-sent events. Nothing is kept for clients that come later, and what
 * waits for a client that reads slowly is bounded: beyond the bound it is disconnected and counted.
 */
import type { ServerResponse } from 'node:http';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { LifecycleEvent, LifecycleSource } from '../session/lifecycle.js';
import type { ApiLimits } from './api-options.js';
import { eventJson } from './event-json.js';

export interface EventStreamOptions {
  readonly lifecycle: LifecycleSource;
  readonly clock: Clock;
  readonly limits: Pick<ApiLimits, 'eventClients' | 'eventBufferBytes' | 'eventHeartbeatMs'>;
  readonly onClientDropped: () => void;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #clients = new Set<ServerResponse>();
  readonly #stopListening: () => void;
  #heartbeat: TimerHandle | null = null;
  #lastId = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#stopListening = options.lifecycle.onLifecycle((event) => this.#tell(event));
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#options.limits.eventClients;
  }

  /** Takes over a response whose head is not yet written; every later event goes to it until either side closes. */
  add(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    this.#clients.add(response);
    response.once('close', () => this.#remove(response));
    // A write to a peer that reset the connection: 'close' follows and tidies up.
    response.on('error', () => response.destroy());
    this.#write(response, ': the events from now on\n\n');
    if (this.#heartbeat === null) this.#armHeartbeat();
  }

  /** Ends every client's stream and stops listening. */
  close(): void {
    this.#stopListening();
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
    for (const response of this.#clients) response.end();
    this.#clients.clear();
  }

  #tell(event: LifecycleEvent): void {
    this.#lastId += 1;
    if (this.#clients.size === 0) return;
    // JSON text has no line breaks, so one data line carries it whole.
    const text = `id: ${this.#lastId}\nevent: ${event.type}\ndata: ${JSON.stringify(eventJson(event))}\n\n`;
    for (const response of this.#clients) this.#write(response, text);
  }

  #write(response: ServerResponse, text: string): void {
    if (response.writableLength + Buffer.byteLength(text) <= this.#options.limits.eventBufferBytes) {
      response.write(text);
      return;
    }
    this.#remove(response);
    response.destroy();
    this.#options.onClientDropped();
  }

  #remove(response: ServerResponse): void {
    this.#clients.delete(response);
    if (this.#clients.size > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
  }

  #armHeartbeat(): void {
    this.#heartbeat = this.#options.clock.after(this.#options.limits.eventHeartbeatMs, () => {
      this.#heartbeat = null;
      for (const response of this.#clients) this.#write(response, ': heartbeat\n\n');
      if (this.#clients.size > 0) this.#armHeartbeat();
    });
  }
}
