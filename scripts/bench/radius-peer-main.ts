/**
 * A RADIUS server that says yes: every Access-Request is accepted, every accounting record acknowledged, each answer signed.
 * Runs as a process of its own and verifies nothing, so that the client is what limits. Prints its ports as one JSON line.
 */
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { RadiusAttributes } from '../../src/wire/radius-attributes.js';
import { encodeRadiusResponse } from '../../src/wire/radius-encode.js';
import { AUTHENTICATOR_OFFSET, HEADER_LENGTH, RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { acceptAttributes, BENCH_SECRET, LOOPBACK } from './radius-fixtures.js';

const BUFFER_BYTES = 4 << 20;

interface Answer {
  readonly code: number;
  readonly attributes: RadiusAttributes;
  readonly messageAuthenticator: boolean;
}

const secret = new RadiusSecret(BENCH_SECRET);

async function serve(answer: Answer): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });
  socket.on('message', (datagram, from) => {
    const request = {
      identifier: datagram[1] ?? 0,
      authenticator: datagram.subarray(AUTHENTICATOR_OFFSET, HEADER_LENGTH),
    };
    socket.send(encodeRadiusResponse({ ...answer, request, secret }), from.port, from.address, () => {
      // A client that is gone asks for nothing.
    });
  });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}

const access = await serve({
  code: RadiusCode['Access-Accept'],
  attributes: acceptAttributes(),
  messageAuthenticator: true,
});
const accounting = await serve({
  code: RadiusCode['Accounting-Response'],
  attributes: RadiusAttributes.NONE,
  messageAuthenticator: false,
});
const ports = { authPort: access.address().port, acctPort: accounting.address().port };
process.stdout.write(`${JSON.stringify(ports)}\n`);
