/**
 * An AAA server that only orders (RFC 5176), a process in the namespace of the core: a CoA-Request for one line after another, each
 * sent once, and a Disconnect-Request for each fiftieth. Says once a second how many were answered, and how.
 */
import { createSocket } from 'node:dgram';
import { z } from 'zod';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { encodeSignedRequest } from '../../src/wire/radius-encode.js';
import { RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';

const settingsSchema = z.strictObject({
  host: z.string(),
  port: z.int(),
  secret: z.string(),
  userNames: z.array(z.string()),
  everyMs: z.int(),
});
export type CoaSettings = z.infer<typeof settingsSchema>;

export const coaWordSchema = z.object({ sent: z.int(), acknowledged: z.int(), refused: z.int() });
export type CoaWord = z.infer<typeof coaWordSchema>;

const DISCONNECT_ONE_IN = 50;
const TELL_MS = 1_000;
const ACKS: readonly number[] = [RadiusCode['CoA-ACK'], RadiusCode['Disconnect-ACK']];

function play({ host, port, secret, userNames, everyMs }: CoaSettings): void {
  const counts = { sent: 0, acknowledged: 0, refused: 0 };
  const shared = new RadiusSecret(secret);
  const socket = createSocket('udp4');
  socket.on('message', ([code = 0]) => {
    if (ACKS.includes(code)) counts.acknowledged += 1;
    else counts.refused += 1;
  });
  // Nobody listens while a BNG is down.
  socket.on('error', () => undefined);
  setInterval(() => {
    const n = counts.sent++;
    const disconnect = n % DISCONNECT_ONE_IN === DISCONNECT_ONE_IN - 1;
    const attributes = new RadiusAttributesBuilder()
      .add(Attribute.UserName, userNames[(n * 11) % userNames.length] ?? '')
      .add(Attribute.EventTimestamp, Math.floor(Date.now() / 1000));
    if (!disconnect) attributes.add(Attribute.BngDownloadRate, 50_000 + (n % 100));
    const bytes = encodeSignedRequest({
      code: RadiusCode[disconnect ? 'Disconnect-Request' : 'CoA-Request'],
      identifier: n % 256,
      attributes: attributes.build(),
      secret: shared,
      messageAuthenticator: true,
    });
    socket.send(bytes, port, host);
  }, everyMs);
  setInterval(() => console.log(JSON.stringify(counts)), TELL_MS);
}

const [, program = '', argument] = process.argv;
if (program.endsWith('coa-main.js') && argument !== undefined)
  play(settingsSchema.parse(JSON.parse(argument)));
