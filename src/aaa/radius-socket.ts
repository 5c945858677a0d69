/**
 * One source port towards one RADIUS server and its 256 identifiers. Connected, so that the kernel hands over datagrams of
 * that server's address and port only. Knows no packet.
 */
import { createSocket } from 'node:dgram';

export const IDENTIFIERS = 256;
// A burst of answers to 256 requests, the kernel's bookkeeping included.
const RECEIVE_BUFFER_BYTES = 1 << 20;

export interface RadiusSocketOptions<Holder> {
  readonly host: string;
  readonly port: number;
  readonly received: (datagram: Uint8Array, socket: RadiusSocket<Holder>) => void;
  readonly failed: (error: Error, socket: RadiusSocket<Holder>) => void;
}

/** `Holder` is whoever waits for the answer to an identifier. */
export class RadiusSocket<Holder> {
  readonly #socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  readonly #options: RadiusSocketOptions<Holder>;
  readonly #holders: (Holder | null)[] = Array.from({ length: IDENTIFIERS }, () => null);
  #used = 0;
  #next = 0;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #unsent: Uint8Array[] = [];

  constructor(options: RadiusSocketOptions<Holder>) {
    this.#options = options;
    this.#socket.on('message', (datagram) => options.received(datagram, this));
    // On a connected socket the system reports here that nothing listens at the other end (ICMP).
    this.#socket.on('error', (error) => options.failed(error, this));
    this.#socket.connect(options.port, options.host, (error?: Error) => this.#opened(error));
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** What is sent now waits until the other side's name is known. */
  get isOpening(): boolean {
    return this.#state === 'opening';
  }

  get used(): number {
    return this.#used;
  }

  /** A free identifier, or null. They go round, so that one is used again as late as can be (RFC 5080 §2.2.2). */
  acquire(holder: Holder): number | null {
    if (this.#used === IDENTIFIERS || this.isClosed) return null;
    let identifier = this.#next;
    while (this.#holders[identifier] !== null) identifier = (identifier + 1) % IDENTIFIERS;
    this.#holders[identifier] = holder;
    this.#next = (identifier + 1) % IDENTIFIERS;
    this.#used += 1;
    return identifier;
  }

  release(identifier: number): void {
    if (this.#holders[identifier] === null) return;
    this.#holders[identifier] = null;
    this.#used -= 1;
  }

  holderOf(identifier: number): Holder | null {
    return this.#holders[identifier] ?? null;
  }

  send(bytes: Uint8Array): void {
    if (this.#state === 'opening') this.#unsent.push(bytes);
    else if (this.#state === 'open') this.#socket.send(bytes, this.#sent);
  }

  close(): void {
    if (this.isClosed) return;
    this.#state = 'closed';
    this.#unsent = [];
    this.#socket.close();
  }

  readonly #sent = (error: Error | null): void => {
    // What a closing socket had not sent yet is of no interest to anybody.
    if (error !== null && !this.isClosed) this.#options.failed(error, this);
  };

  #opened(error?: Error): void {
    if (this.isClosed) return;
    if (error !== undefined && error !== null) {
      this.close();
      this.#options.failed(error, this);
      return;
    }
    this.#state = 'open';
    for (const bytes of this.#unsent) this.send(bytes);
    this.#unsent = [];
  }
}
