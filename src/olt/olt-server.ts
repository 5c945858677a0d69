/**
 * The management socket of the simulated access node: peers ask the simulator, everybody hears its events. A line that
 * cannot be read is counted and answered; it harms nobody else. Holds no rules.
 */
import { rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { BngError, isBngError } from '../model/bng-error.js';
import { JsonLines, toLine } from './json-lines.js';
import type { OltSimulator } from './olt-simulator.js';
import type { OltEvent, OltRequest, OltStats } from './protocol.js';
import { parseLine, requestIdOf, requestSchema } from './protocol.js';

export interface OltServerOptions {
  /** Path of the unix socket; a stale one is replaced. */
  readonly path: string;
  readonly simulator: OltSimulator;
  /** Frames and drops since start, by name. */
  readonly counts: () => Readonly<Record<string, number>>;
}

/** Bytes that a peer which does not read may owe before it is cut off. */
const MAX_BACKLOG = 4 * 1024 * 1024;

export class OltServer {
  readonly #options: OltServerOptions;
  readonly #peers = new Set<Socket>();
  #server: Server | null = null;
  #badLines = 0;

  constructor(options: OltServerOptions) {
    this.#options = options;
  }

  /** Resolves once peers can connect; `BNG_ERR_OLT` when the path cannot be had. */
  async listen(): Promise<void> {
    rmSync(this.#options.path, { force: true });
    const server = createServer((peer) => this.#serve(peer));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        reject(new BngError('BNG_ERR_OLT', 'cannot listen', { path: this.#options.path }, cause));
      });
      server.listen(this.#options.path, resolve);
    });
    this.#server = server;
  }

  /** Tells every connected peer. */
  publish(event: OltEvent): void {
    const line = toLine({ event });
    for (const peer of this.#peers) this.#send(peer, line);
  }

  stats(): OltStats {
    return { peers: this.#peers.size, badLines: this.#badLines, counts: { ...this.#options.counts() } };
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const peer of this.#peers) peer.destroy();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #serve(peer: Socket): void {
    this.#peers.add(peer);
    const lines = new JsonLines({
      onLine: (line) => void this.#answer(peer, line),
      onTooLong: () => this.#refuse(peer, null, 'expected a line of at most 64 KiB'),
    });
    peer.on('data', (chunk: Buffer) => lines.push(chunk));
    // A peer that went away is no fault of ours; 'close' follows and takes it off the list.
    peer.on('error', () => peer.destroy());
    peer.on('close', () => this.#peers.delete(peer));
  }

  async #answer(peer: Socket, line: string): Promise<void> {
    const parsed = parseLine(requestSchema, line);
    if (!parsed.ok) return this.#refuse(peer, requestIdOf(line), parsed.reason);
    const { id } = parsed.value;
    try {
      this.#send(peer, toLine({ id, result: await this.#perform(parsed.value) }));
    } catch (error) {
      if (!isBngError(error)) throw error;
      this.#send(peer, toLine({ id, error: { message: error.message } }));
    }
  }

  #perform(request: OltRequest): unknown {
    const { simulator } = this.#options;
    switch (request.method) {
      case 'plug':
        return simulator.plug(request.params);
      case 'unplug':
        return simulator.unplug(request.params.ontSerial);
      case 'reconfigure':
        return simulator.reconfigure(request.params);
      case 'onts':
        return simulator.onts();
      case 'stats':
        return this.stats();
    }
  }

  #refuse(peer: Socket, id: number | null, message: string): void {
    this.#badLines += 1;
    this.#send(peer, toLine({ id, error: { message } }));
  }

  #send(peer: Socket, line: string): void {
    if (!peer.writable) return;
    peer.write(line);
    if (peer.writableLength > MAX_BACKLOG) peer.destroy();
  }
}
