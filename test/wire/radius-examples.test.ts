/** The packets of RFC 2865 §7 byte for byte, MD5 and HMAC-MD5 by their own RFCs' vectors and against OpenSSL. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { hmacKey, hmacMd5, md5 } from '../../src/wire/md5.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { encodeRadiusResponse } from '../../src/wire/radius-encode.js';
import { decodeRadiusPacket, layOutRadiusPacket, RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { refuseResponse } from '../../src/wire/radius-verify.js';
import { mutate, seededRandom } from '../support/mutate.js';
import { hex } from './fixtures/bytes.js';

const text = (value: string): Uint8Array => Buffer.from(value);
const asHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const SECRET = new RadiusSecret('xyzzy5461');

// RFC 2865 §7.1: the secret is "xyzzy5461", the password "arctangent".
const REQUEST_7_1 = hex(`01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb
  98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d
  93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8
  01 10 05 06 00 00 00 03`);
const ACCEPT_7_1 = hex(`02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf
  9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00
  0e 06 c0 a8 01 03`);
// RFC 2865 §7.2: Framed user with CHAP. Copies of it are about with Framed-Routing 0; the authenticator is that of 2.
const REQUEST_7_2 = hex(`01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e
  0d 33 67 a2 01 08 66 6c 6f 70 73 79 03 13 16 e9
  75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75 04
  06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00
  02 07 06 00 00 00 01`);
const ACCEPT_7_2 = hex(`02 01 00 38 15 ef bc 7d ab 26 cf a3 dc 34 d9 c0
  3c 86 01 a4 06 06 00 00 00 02 07 06 00 00 00 01
  08 06 ff ff ff fe 0a 06 00 00 00 02 0d 06 00 00
  00 01 0c 06 00 00 05 dc`);

test('the Access-Request of RFC 2865 §7.1 is read, its password revealed, and written again to the same bytes', () => {
  const packet = decodeRadiusPacket(REQUEST_7_1);
  const { attributes } = packet;
  assert.deepEqual([packet.code, packet.identifier], [RadiusCode['Access-Request'], 0]);
  assert.equal(attributes.first(Attribute.UserName), 'nemo');
  assert.equal(attributes.first(Attribute.NasIpAddress), parseIpv4('192.168.1.16'));
  assert.equal(attributes.first(Attribute.NasPort), 3);
  const hidden = attributes.first(Attribute.UserPassword)!;
  assert.equal(asHex(SECRET.revealPassword(hidden, packet.authenticator)), asHex(text('arctangent')));
  const built = new RadiusAttributesBuilder()
    .add(Attribute.UserName, 'nemo')
    .add(Attribute.UserPassword, SECRET.hidePassword(text('arctangent'), packet.authenticator))
    .add(Attribute.NasIpAddress, parseIpv4('192.168.1.16'))
    .add(Attribute.NasPort, 3)
    .build();
  const bytes = layOutRadiusPacket({ code: 1, identifier: 0, attributes: built, room: 0 });
  bytes.set(packet.authenticator, 4);
  assert.equal(asHex(bytes), asHex(REQUEST_7_1));
});

for (const [section, request, accept] of [
  ['7.1', REQUEST_7_1, ACCEPT_7_1],
  ['7.2', REQUEST_7_2, ACCEPT_7_2],
] as const) {
  test(`the Access-Accept of RFC 2865 §${section} verifies, and is written again to the same bytes`, () => {
    const asked = decodeRadiusPacket(request);
    const answer = decodeRadiusPacket(accept);
    const expected = {
      secret: SECRET,
      requestAuthenticator: asked.authenticator,
      requireMessageAuthenticator: false,
    };
    assert.equal(refuseResponse(answer, expected), null);
    assert.equal(
      refuseResponse(answer, { ...expected, requireMessageAuthenticator: true }),
      'missing-message-authenticator',
    );
    const again = encodeRadiusResponse({
      code: answer.code,
      request: asked,
      attributes: answer.attributes,
      secret: SECRET,
      messageAuthenticator: false,
    });
    assert.equal(asHex(again), asHex(accept));
  });
}

test('passwords of 0 to 128 bytes are hidden in blocks of 16 and revealed again', () => {
  const authenticator = hex('0f403f9473978057bd83d5cb98f4227a');
  for (let length = 0; length <= 128; length++) {
    const password = new Uint8Array(length).map((_, i) => i + 1);
    const hidden = SECRET.hidePassword(password, authenticator);
    assert.equal(hidden.length, Math.max(16, Math.ceil(length / 16) * 16));
    assert.deepEqual(SECRET.revealPassword(hidden, authenticator), password);
  }
});

// RFC 1321 §A.5 and RFC 2202 §2.
test('MD5 and HMAC-MD5 give the digests of their RFCs', () => {
  assert.equal(asHex(md5(text(''))), 'd41d8cd98f00b204e9800998ecf8427e');
  assert.equal(asHex(md5(text('message digest'))), 'f96b697d7cb7938d525a2f31aaf161d0');
  assert.equal(asHex(md5(text('1234567890'.repeat(8)))), '57edf4a22be3c955ac49da2e2107b67a');
  const hmac = (key: Uint8Array, data: Uint8Array): string => asHex(hmacMd5(hmacKey(key), data));
  assert.equal(hmac(new Uint8Array(16).fill(0x0b), text('Hi There')), '9294727a3638bb1c13f48ef8158bfc9d');
  assert.equal(hmac(text('Jefe'), text('what do ya want for nothing?')), '750c783e6ab0b503eaa86e310a5db738');
  assert.equal(
    hmac(new Uint8Array(80).fill(0xaa), text('Test Using Larger Than Block-Size Key - Hash Key First')),
    '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd',
  );
});

test('MD5 and HMAC-MD5 agree with OpenSSL for every length up to 300 and random content', () => {
  const random = seededRandom(1321);
  for (let length = 0; length <= 300; length++) {
    const data = mutate(
      Uint8Array.from({ length }, () => random(256)),
      random,
    );
    const key = Uint8Array.from({ length: random(150) }, () => random(256));
    assert.equal(asHex(md5(data)), createHash('md5').update(data).digest('hex'));
    assert.equal(asHex(hmacMd5(hmacKey(key), data)), createHmac('md5', key).update(data).digest('hex'));
  }
});

test('a secret shows itself in no text, and an empty one is refused', () => {
  assert.equal(`${JSON.stringify({ secret: SECRET })} ${inspect(SECRET)}`.includes('xyzzy'), false);
  assert.throws(() => new RadiusSecret(''), { code: 'BNG_ERR_VALUE' });
});
