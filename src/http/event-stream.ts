/** Lifecycle events to many HTTP clients as server-sent events. Nothing is kept here for clients that come later. */
import type { ServerResponse } from 'node:http';
import type { LifecycleEvent, LifecycleSource } from '../session/lifecycle.js';
import { EventClients } from './event-clients.js';
import type { EventClientsOptions } from './event-clients.js';
import { eventJson } from './event-json.js';

export interface EventStreamOptions extends EventClientsOptions {
  readonly lifecycle: LifecycleSource;
}

export class EventStream {
  readonly #clients: EventClients;
  readonly #stopListening: () => void;
  #lastId = 0;

  constructor(options: EventStreamOptions) {
    this.#clients = new EventClients(options);
    this.#stopListening = options.lifecycle.onLifecycle((event) => this.#tell(event));
  }

  get clientCount(): number {
    return this.#clients.count;
  }

  get isFull(): boolean {
    return this.#clients.isFull;
  }

  /** Takes over a response whose head is not yet written; every later event goes to it until either side closes. */
  add(response: ServerResponse): void {
    this.#clients.add(response, 'the events from now on');
  }

  /** Ends every client's stream and stops listening. */
  close(): void {
    this.#stopListening();
    this.#clients.close();
  }

  #tell(event: LifecycleEvent): void {
    this.#lastId += 1;
    if (this.#clients.count === 0) return;
    this.#clients.writeAll(
      `id: ${this.#lastId}\nevent: ${event.type}\ndata: ${JSON.stringify(eventJson(event))}\n\n`,
    );
  }
}
