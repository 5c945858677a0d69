/**
 * A RADIUS server for tests: speaks bytes over loopback UDP with digests from node:crypto, knows nothing of our codec. What
 * it answers is the test's script.
 */
import { createHash, createHmac } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface PeerRequest {
  readonly code: number;
  readonly identifier: number;
  readonly authenticator: Buffer;
  /** In order; Vendor-Specific as it stands. */
  readonly attributes: readonly (readonly [type: number, value: Buffer])[];
  readonly bytes: Buffer;
  readonly from: RemoteInfo;
}

export interface PeerAnswer {
  readonly code: number;
  readonly attributes?: readonly (readonly [type: number, value: Uint8Array])[];
  /** Message-Authenticator first; true unless told. */
  readonly messageAuthenticator?: boolean;
}

/** Called for every request; send with `peer.answer`, or leave it. */
export type PeerScript = (request: PeerRequest, peer: RadiusPeer) => void;

function parse(bytes: Buffer, from: RemoteInfo): PeerRequest {
  const attributes: [number, Buffer][] = [];
  for (let at = 20; at < bytes.length; at += bytes[at + 1]!) {
    attributes.push([bytes[at]!, bytes.subarray(at + 2, at + bytes[at + 1]!)]);
  }
  const [code, identifier] = bytes;
  return {
    code: code!,
    identifier: identifier!,
    authenticator: bytes.subarray(4, 20),
    attributes,
    bytes,
    from,
  };
}

export class RadiusPeer {
  readonly requests: PeerRequest[] = [];
  readonly #secret: string;
  readonly #socket: Socket;
  #script: PeerScript;

  private constructor(secret: string, socket: Socket, script: PeerScript) {
    this.#secret = secret;
    this.#socket = socket;
    this.#script = script;
    socket.on('message', (bytes, from) => {
      const request = parse(bytes, from);
      this.requests.push(request);
      this.#script(request, this);
    });
  }

  static async start(options: {
    secret: string;
    script: PeerScript;
    address?: string;
    port?: number;
  }): Promise<RadiusPeer> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    const peer = new RadiusPeer(options.secret, socket, options.script);
    socket.bind(options.port ?? 0, options.address ?? '127.0.0.1');
    await once(socket, 'listening');
    return peer;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  set script(script: PeerScript) {
    this.#script = script;
  }

  /** A correct answer as bytes. */
  encode(request: PeerRequest, answer: PeerAnswer): Buffer {
    const withAuthenticator = answer.messageAuthenticator ?? true;
    const parts = (answer.attributes ?? []).map(([type, value]) =>
      Buffer.concat([Buffer.of(type, value.length + 2), value]),
    );
    if (withAuthenticator) parts.unshift(Buffer.concat([Buffer.of(80, 18), Buffer.alloc(16)]));
    const body = Buffer.concat(parts);
    const bytes = Buffer.concat([
      Buffer.of(answer.code, request.identifier, 0, 0),
      request.authenticator,
      body,
    ]);
    bytes.writeUInt16BE(bytes.length, 2);
    if (withAuthenticator) createHmac('md5', this.#secret).update(bytes).digest().copy(bytes, 22);
    createHash('md5').update(bytes).update(this.#secret).digest().copy(bytes, 4);
    return bytes;
  }

  answer(request: PeerRequest, answer: PeerAnswer): void {
    this.send(request, this.encode(request, answer));
  }

  /** Any bytes to where the request came from. */
  send(request: PeerRequest, bytes: Uint8Array): void {
    this.#socket.send(bytes, request.from.port, request.from.address);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

/** The value of the first attribute of this type. */
export function attributeOf(request: PeerRequest, type: number): Buffer | undefined {
  return request.attributes.find(([found]) => found === type)?.[1];
}
