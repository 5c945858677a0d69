/** What is believed and what is not: every authenticator, each of its bytes flipped, and Message-Authenticator's rules. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import {
  encodeAccessRequest,
  encodeRadiusResponse,
  encodeSignedRequest,
} from '../../src/wire/radius-encode.js';
import { decodeRadiusPacket, RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import type { RadiusRefusal } from '../../src/wire/radius-verify.js';
import { refuseRequest, refuseResponse } from '../../src/wire/radius-verify.js';
import { hex } from './fixtures/bytes.js';
import { isValueOrWireError, throwsBng } from './fixtures/wire-errors.js';

const KEY = 'a shared secret';
const secret = new RadiusSecret(KEY);
const authenticator = hex('000102030405060708090a0b0c0d0e0f');
const attributes = new RadiusAttributesBuilder()
  .add(Attribute.UserName, 'ont-1')
  .add(Attribute.AcctSessionId, 's-1')
  .build();

const access = encodeAccessRequest({
  identifier: 9,
  authenticator,
  attributes,
  password: new Uint8Array(),
  secret,
});
const signed = (code: 'Accounting-Request' | 'Disconnect-Request' | 'CoA-Request', ma: boolean): Uint8Array =>
  encodeSignedRequest({
    code: RadiusCode[code],
    identifier: 9,
    attributes,
    secret,
    messageAuthenticator: ma,
  });
const answer = (code: number, messageAuthenticator: boolean): Uint8Array =>
  encodeRadiusResponse({
    code,
    request: { identifier: 9, authenticator },
    attributes,
    secret,
    messageAuthenticator,
  });

const asRequest = (bytes: Uint8Array, requireMessageAuthenticator = true): RadiusRefusal | null =>
  refuseRequest(decodeRadiusPacket(bytes), { secret, requireMessageAuthenticator });
const asResponse = (bytes: Uint8Array, requireMessageAuthenticator = true): RadiusRefusal | null =>
  refuseResponse(decodeRadiusPacket(bytes), {
    secret,
    requestAuthenticator: authenticator,
    requireMessageAuthenticator,
  });

test('an Access-Request has the Message-Authenticator first and an empty password in 16 hidden bytes', () => {
  assert.deepEqual([...access.subarray(20, 22)], [80, 18]);
  const zeroed = Buffer.from(access);
  zeroed.fill(0, 22, 38);
  assert.deepEqual(createHmac('md5', KEY).update(zeroed).digest(), Buffer.from(access.subarray(22, 38)));
  const hidden = decodeRadiusPacket(access).attributes.first(Attribute.UserPassword);
  // c1 = p1 xor MD5(S + RA), RFC 2865 §5.2, with p1 all zero.
  const expected = createHash('md5').update(KEY).update(authenticator).digest();
  assert.deepEqual(Buffer.from(hidden!), expected);
  assert.equal(asRequest(access), null);
});

test('an Accounting-Request has the authenticator of RFC 2866 §3', () => {
  const bytes = signed('Accounting-Request', false);
  const zeroed = Buffer.from(bytes);
  zeroed.fill(0, 4, 20);
  assert.deepEqual(createHash('md5').update(zeroed).update(KEY).digest(), Buffer.from(bytes.subarray(4, 20)));
  assert.equal(asRequest(bytes, false), null);
  assert.equal(asRequest(bytes, true), 'missing-message-authenticator');
});

test('the Message-Authenticator of a CoA-Request is made with a zero authenticator (RFC 5176 §3.4)', () => {
  const bytes = signed('CoA-Request', true);
  const zeroed = Buffer.from(bytes);
  zeroed.fill(0, 4, 20).fill(0, 22, 38);
  assert.deepEqual(createHmac('md5', KEY).update(zeroed).digest(), Buffer.from(bytes.subarray(22, 38)));
});

test('a response has its Message-Authenticator over the request authenticator, then its Response Authenticator', () => {
  const bytes = answer(RadiusCode['Access-Accept'], true);
  const work = Buffer.from(bytes);
  work.set(authenticator, 4);
  assert.deepEqual(createHash('md5').update(work).update(KEY).digest(), Buffer.from(bytes.subarray(4, 20)));
  work.fill(0, 22, 38);
  assert.deepEqual(createHmac('md5', KEY).update(work).digest(), Buffer.from(bytes.subarray(22, 38)));
});

const PACKETS: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => RadiusRefusal | null])[] = [
  ['an Access-Request', access, asRequest],
  ['an Accounting-Request', signed('Accounting-Request', false), (bytes) => asRequest(bytes, false)],
  ['an Accounting-Request with Message-Authenticator', signed('Accounting-Request', true), asRequest],
  ['a CoA-Request', signed('CoA-Request', true), asRequest],
  ['a Disconnect-Request', signed('Disconnect-Request', true), asRequest],
  ['an Access-Accept', answer(RadiusCode['Access-Accept'], true), asResponse],
  ['an Access-Reject', answer(RadiusCode['Access-Reject'], true), asResponse],
  [
    'an Accounting-Response',
    answer(RadiusCode['Accounting-Response'], false),
    (bytes) => asResponse(bytes, false),
  ],
  ['a CoA-ACK', answer(RadiusCode['CoA-ACK'], true), asResponse],
  ['a Disconnect-NAK', answer(RadiusCode['Disconnect-NAK'], true), asResponse],
];

for (const [name, bytes, refuse] of PACKETS) {
  test(`${name} is believed as it is, and with no single bit flipped`, () => {
    assert.equal(refuse(bytes), null);
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[at]! ^= 1 << bit;
        // What cannot be read any more is refused by the decoder.
        let refusal: RadiusRefusal | null = 'wrong-message-authenticator';
        isValueOrWireError(() => {
          refusal = refuse(flipped);
        });
        assert.notEqual(refusal, null, `bit ${bit} of byte ${at}`);
        refused += 1;
      }
    }
    assert.equal(refused, bytes.length * 8);
  });

  test(`${name} made with another secret is not believed`, () => {
    const other = { secret: new RadiusSecret('another'), requestAuthenticator: authenticator };
    const packet = decodeRadiusPacket(bytes);
    const expected = { ...other, requireMessageAuthenticator: false };
    const refusal =
      refuse === asResponse ? refuseResponse(packet, expected) : refuseRequest(packet, expected);
    assert.notEqual(refusal, null);
  });
}

/** Signs what follows the header as a response of the real server would, whatever it is. */
function sealed(body: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([Buffer.of(2, 9, 0, 20 + body.length), authenticator, body]);
  createHash('md5').update(bytes).update(KEY).digest().copy(bytes, 4);
  return bytes;
}

test('a wrong, a doubled and a short Message-Authenticator are refused under a right Response Authenticator', () => {
  assert.equal(asResponse(sealed(hex(`5012${'00'.repeat(16)}`))), 'wrong-message-authenticator');
  assert.equal(asResponse(sealed(hex(`5012${'00'.repeat(16)}`)), false), 'wrong-message-authenticator');
  const twice = sealed(hex(`5012${'00'.repeat(16)}5012${'00'.repeat(16)}`));
  assert.equal(asResponse(twice), 'malformed-message-authenticator');
  assert.equal(asResponse(sealed(hex('500300'))), 'malformed-message-authenticator');
});

test('a response without Message-Authenticator is believed only where none is required', () => {
  const bytes = answer(RadiusCode['Access-Accept'], false);
  assert.equal(asResponse(bytes), 'missing-message-authenticator');
  assert.equal(asResponse(bytes, false), null);
});

test('attributes that already hold a Message-Authenticator, and authenticators of another length, are not sent', () => {
  const doubled = new RadiusAttributesBuilder()
    .add(Attribute.MessageAuthenticator, new Uint8Array(16))
    .build();
  const request = { identifier: 1, authenticator, attributes: doubled, password: null, secret };
  throwsBng(() => encodeAccessRequest(request), 'BNG_ERR_VALUE');
  const short = { ...request, attributes, authenticator: new Uint8Array(15) };
  throwsBng(() => encodeAccessRequest(short), 'BNG_ERR_VALUE', { found: 15 });
});
