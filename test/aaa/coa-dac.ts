/** A dynamic authorization client that speaks bytes over loopback UDP, and the inlet that records what it is asked. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { CoaServerOptions } from '../../src/aaa/coa-server.js';
import { CoaServer } from '../../src/aaa/coa-server.js';
import type { CoaDrop } from '../../src/aaa/coa-statistics.js';
import type {
  AuthorizationChange,
  AuthorizationInlet,
  AuthorizationOutcome,
  SessionSelector,
} from '../../src/aaa/port.js';
import type { Clock } from '../../src/model/clock.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { encodeSignedRequest } from '../../src/wire/radius-encode.js';
import type { RadiusPacket } from '../../src/wire/radius-packet.js';
import { decodeRadiusPacket, RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { ErrorCause } from '../../src/wire/radius-values.js';
import { refuseResponse } from '../../src/wire/radius-verify.js';

export const SECRET = 'only for tests';
const LOOPBACK = parseIpv4('127.0.0.1');
const DEADLINE_MS = 10_000;

/** Waits for `met` without a fixed pause. */
export async function until(met: () => boolean, what: string): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!met()) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export type Asked =
  | { readonly selector: SessionSelector; readonly change: AuthorizationChange }
  | { readonly selector: SessionSelector };

export class FakeInlet implements AuthorizationInlet {
  readonly asked: Asked[] = [];
  answer: () => AuthorizationOutcome | Promise<AuthorizationOutcome> = () => ({ ok: true });

  async changeAuthorization(
    selector: SessionSelector,
    change: AuthorizationChange,
  ): Promise<AuthorizationOutcome> {
    this.asked.push({ selector, change });
    return this.answer();
  }

  async disconnect(selector: SessionSelector): Promise<AuthorizationOutcome> {
    this.asked.push({ selector });
    return this.answer();
  }
}

export interface Asking {
  readonly kind?: 'CoA' | 'Disconnect';
  readonly attributes: RadiusAttributesBuilder;
  readonly secret?: string;
  readonly messageAuthenticator?: boolean;
  /** Null sends no Event-Timestamp. */
  readonly timestamp?: number | null;
  readonly identifier?: number;
}

/** What came back, checked: the code, and the Error-Cause of a NAK. */
export interface Told {
  readonly code: string;
  readonly errorCause: string | null;
  readonly packet: RadiusPacket;
}

export class Dac {
  readonly received: Buffer[] = [];
  readonly #socket: Socket;
  readonly #port: number;
  readonly #clock: Clock;
  #identifier = 0;
  #closed = false;

  private constructor(socket: Socket, port: number, clock: Clock) {
    this.#socket = socket;
    this.#port = port;
    this.#clock = clock;
    socket.on('message', (message) => this.received.push(message));
  }

  static async open(port: number, clock: Clock, address = '127.0.0.1'): Promise<Dac> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new Dac(socket, port, clock);
  }

  get localPort(): number {
    return this.#socket.address().port;
  }

  /** The bytes of a request; Event-Timestamp is now unless told otherwise. */
  bytes({ kind = 'CoA', attributes, timestamp, ...asking }: Asking): Uint8Array {
    const now = Math.floor(this.#clock.wallMs() / 1000);
    if (timestamp !== null) attributes.add(Attribute.EventTimestamp, timestamp ?? now);
    return encodeSignedRequest({
      code: RadiusCode[`${kind}-Request`],
      identifier: asking.identifier ?? this.#identifier++ % 256,
      attributes: attributes.build(),
      secret: new RadiusSecret(asking.secret ?? SECRET),
      messageAuthenticator: asking.messageAuthenticator ?? true,
    });
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.send(bytes, this.#port, '127.0.0.1', (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
  }

  /** Sends the bytes and gives the one answer, which must be authentic. */
  async tell(bytes: Uint8Array, secret = SECRET): Promise<Told> {
    const before = this.received.length;
    await this.send(bytes);
    await until(() => this.received.length > before, 'an answer');
    return this.read(this.received[before]!, bytes, secret);
  }

  read(answer: Uint8Array, request: Uint8Array, secret = SECRET): Told {
    const packet = decodeRadiusPacket(answer);
    const refusal = refuseResponse(packet, {
      secret: new RadiusSecret(secret),
      requestAuthenticator: request.subarray(4, 20),
      requireMessageAuthenticator: decodeRadiusPacket(request).attributes.has(Attribute.MessageAuthenticator),
    });
    assert.equal(refusal, null);
    assert.equal(packet.identifier, request[1]);
    const code = Object.entries(RadiusCode).find(([, value]) => value === packet.code)?.[0] ?? '?';
    const cause = packet.attributes.first(Attribute.ErrorCause);
    const name = Object.entries(ErrorCause).find(([, value]) => value === cause)?.[0] ?? null;
    return { code, errorCause: name, packet };
  }

  ask(asking: Asking): Promise<Told> {
    return this.tell(this.bytes(asking), asking.secret);
  }

  /** Idempotent. */
  close(): void {
    if (!this.#closed) this.#socket.close();
    this.#closed = true;
  }
}

export type ServerSettings = Partial<CoaServerOptions> & Pick<CoaServerOptions, 'inlet' | 'clock'>;

export function openServer(settings: ServerSettings): Promise<CoaServer> {
  return CoaServer.listen({
    listen: { address: LOOPBACK, port: 0 },
    clients: [{ address: LOOPBACK, secret: new RadiusSecret(SECRET), allow: ['CoA', 'Disconnect'] }],
    nasIdentifier: 'bng-1',
    nasIpAddress: parseIpv4('192.0.2.1'),
    filters: new Map(),
    requireMessageAuthenticator: true,
    requireEventTimestamp: true,
    replayWindowSeconds: 300,
    onBug: (error) => {
      throw error;
    },
    ...settings,
  });
}

export function dropsOf(server: CoaServer): Partial<Record<CoaDrop, number>> {
  const [client] = server.statistics().clients;
  return Object.fromEntries(Object.entries(client!.dropped).filter(([, count]) => count > 0));
}

export function attributes(): RadiusAttributesBuilder {
  return new RadiusAttributesBuilder();
}
