/**
 * The npm package `radius` 1.1.4 as a foreign peer, where it is sound. Known not to be: it compares digests as UTF-8 text
 * (forgeries pass), so nothing of its verdicts on bad packets is used here.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import {
  encodeAccessRequest,
  encodeRadiusResponse,
  encodeSignedRequest,
} from '../../src/wire/radius-encode.js';
import { decodeRadiusPacket, RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { refuseRequest, refuseResponse } from '../../src/wire/radius-verify.js';
import { hex } from './fixtures/bytes.js';

interface ForeignPacket {
  readonly code: string;
  readonly identifier: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}
type Pairs = readonly (readonly [string, unknown] | readonly ['Vendor-Specific', string, unknown])[];

const radius = createRequire(import.meta.url)('radius') as {
  decode(args: { packet: Buffer; secret: string }): ForeignPacket;
  encode(args: { code: string; identifier: number; secret: string; attributes: Pairs }): Buffer;
  encode_response(args: { packet: ForeignPacket; code: string; secret: string; attributes: Pairs }): Buffer;
  verify_response(args: { request: Buffer; response: Buffer; secret: string }): boolean;
};

const KEY = 'foreign secret';
const secret = new RadiusSecret(KEY);
const authenticator = hex('f0e1d2c3b4a5968778695a4b3c2d1e0f');
const access = Buffer.from(
  encodeAccessRequest({
    identifier: 200,
    authenticator,
    attributes: new RadiusAttributesBuilder()
      .add(Attribute.UserName, 'ont-1')
      .add(Attribute.NasIpAddress, parseIpv4('192.0.2.9'))
      .add(Attribute.NasPortId, 'access0:100.7')
      .add(Attribute.AdslAgentCircuitId, Buffer.from('olt 1/1/1'))
      .build(),
    password: Buffer.from('a password of more than 16 bytes'),
    secret,
  }),
);

test('an Access-Request of ours is read by `radius`, password and vendor attribute included', () => {
  const { code, identifier, attributes } = radius.decode({ packet: access, secret: KEY });
  assert.deepEqual([code, identifier], ['Access-Request', 200]);
  assert.equal(attributes['User-Name'], 'ont-1');
  assert.equal(attributes['User-Password'], 'a password of more than 16 bytes');
  assert.equal(attributes['NAS-IP-Address'], '192.0.2.9');
  assert.equal(attributes['NAS-Port-Id'], 'access0:100.7');
  const vendor = attributes['Vendor-Specific'] as Record<string, unknown>;
  assert.equal(String(vendor['ADSL-Agent-Circuit-Id']), 'olt 1/1/1');
});

test('its answer to our request is believed and read by us', () => {
  const packet = radius.decode({ packet: access, secret: KEY });
  const bytes = radius.encode_response({
    packet,
    code: 'Access-Accept',
    secret: KEY,
    attributes: [
      ['Framed-Pool', 'isp-residential'],
      ['Framed-IP-Address', '10.0.0.7'],
      ['Session-Timeout', 3600],
      ['Class', Buffer.from('one')],
      ['Class', Buffer.from('two')],
    ],
  });
  const answer = decodeRadiusPacket(bytes);
  // It answers a request that has a Message-Authenticator with one.
  const expected = { secret, requestAuthenticator: authenticator, requireMessageAuthenticator: true };
  assert.equal(refuseResponse(answer, expected), null);
  assert.equal(answer.attributes.first(Attribute.FramedPool), 'isp-residential');
  assert.equal(answer.attributes.first(Attribute.FramedIpAddress), parseIpv4('10.0.0.7'));
  assert.equal(answer.attributes.first(Attribute.SessionTimeout), 3600);
  assert.deepEqual(
    answer.attributes.all(Attribute.Class).map((value) => Buffer.from(value).toString()),
    ['one', 'two'],
  );
});

test('our answer to a request of its own is believed and read by `radius`', () => {
  const request = radius.encode({
    code: 'Access-Request',
    identifier: 3,
    secret: KEY,
    attributes: [
      ['User-Name', 'ont-2'],
      ['User-Password', 'hidden'],
    ],
  });
  const asked = decodeRadiusPacket(request);
  const hidden = asked.attributes.first(Attribute.UserPassword);
  assert.equal(Buffer.from(secret.revealPassword(hidden!, asked.authenticator)).toString(), 'hidden');
  const response = encodeRadiusResponse({
    code: RadiusCode['Access-Accept'],
    request: asked,
    attributes: new RadiusAttributesBuilder().add(Attribute.FramedPool, 'wgar').build(),
    secret,
    messageAuthenticator: true,
  });
  assert.equal(radius.verify_response({ request, response: Buffer.from(response), secret: KEY }), true);
  assert.equal(
    radius.decode({ packet: Buffer.from(response), secret: KEY }).attributes['Framed-Pool'],
    'wgar',
  );
});

test('accounting and Disconnect requests go both ways', () => {
  for (const code of ['Accounting-Request', 'Disconnect-Request'] as const) {
    const theirs = radius.encode({
      code,
      identifier: 4,
      secret: KEY,
      attributes: [['Acct-Session-Id', 's-4']],
    });
    const asked = decodeRadiusPacket(theirs);
    assert.equal(refuseRequest(asked, { secret, requireMessageAuthenticator: false }), null);
    assert.equal(asked.attributes.first(Attribute.AcctSessionId), 's-4');
    const ours = encodeSignedRequest({
      code: RadiusCode[code],
      identifier: 5,
      attributes: new RadiusAttributesBuilder().add(Attribute.AcctSessionId, 's-5').build(),
      secret,
      messageAuthenticator: false,
    });
    const read = radius.decode({ packet: Buffer.from(ours), secret: KEY });
    assert.deepEqual([read.code, read.identifier], [code, 5]);
    assert.equal(read.attributes['Acct-Session-Id'], 's-5');
  }
});
