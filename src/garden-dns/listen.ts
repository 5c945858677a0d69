/** The garden's DNS on its sockets: UDP and TCP (RFC 7766), one address. Reads no message. */
import type { Socket } from 'node:net';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { limitConnections } from '../portal/connection-limit.js';
import type { GardenDns } from './garden-dns.js';

export interface GardenDnsListener {
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly dns: Pick<GardenDns, 'answer'>;
  /** Dotted text. */
  readonly host: string;
  readonly port: number;
  /** A defect of ours; the caller stops the process. */
  readonly onBug: (error: unknown) => void;
}

const CONNECTIONS_OF_ADDRESS = 4;
const MOST_CONNECTIONS = 256;
const IDLE_MS = 5_000;
/** Of a query; answers are longer, but nobody writes those to us. */
const LONGEST_QUERY_BYTES = 512;
const LENGTH_BYTES = 2;

/** Rejects when the address cannot be bound. */
export async function listenForDns(options: ListenOptions): Promise<GardenDnsListener> {
  const { dns, host, port, onBug } = options;
  const datagrams = createSocket('udp4');
  datagrams.on('message', (message, from) => {
    dns.answer(message).then((answer) => {
      // A client that cannot be reached asks again.
      if (answer !== null) datagrams.send(answer, from.port, from.address, () => undefined);
    }, onBug);
  });
  const server = createServer((socket) => serve(socket, options));
  server.maxConnections = MOST_CONNECTIONS;
  limitConnections(server, CONNECTIONS_OF_ADDRESS);
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await Promise.all([
    new Promise<void>((resolve, reject) => {
      datagrams.once('error', reject).bind(port, host, () => resolve());
    }),
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, () => resolve());
    }),
  ]);
  // What happens to single datagrams and connections is theirs.
  datagrams.removeAllListeners('error').on('error', () => undefined);
  return {
    close: async () => {
      datagrams.close();
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(socket: Socket, { dns, onBug }: ListenOptions): void {
  let waiting = Buffer.alloc(0);
  let busy = false;
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const next = (): void => {
    if (busy || waiting.length < LENGTH_BYTES) return;
    const length = waiting.readUInt16BE(0);
    if (length > LONGEST_QUERY_BYTES) return void socket.destroy();
    if (waiting.length < LENGTH_BYTES + length) return;
    const message = waiting.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
    waiting = waiting.subarray(LENGTH_BYTES + length);
    busy = true;
    dns.answer(message).then((answer) => {
      if (answer === null) return void socket.destroy();
      const head = Buffer.alloc(LENGTH_BYTES);
      head.writeUInt16BE(answer.length);
      // Whoever does not read its answers is not read either.
      socket.write(Buffer.concat([head, answer]), () => {
        busy = false;
        socket.resume();
        next();
      });
    }, onBug);
  };
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    next();
    if (busy) socket.pause();
  });
}
