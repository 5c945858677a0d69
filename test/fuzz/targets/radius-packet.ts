/** RADIUS packets as anybody may send them: read, judged, put into words, written again as they were. */
import assert from 'node:assert/strict';
import { readRadiusGrant } from '../../../src/aaa/radius-grant.js';
import { RadiusAttributesBuilder } from '../../../src/wire/radius-attributes-builder.js';
import { Attribute, countUnknownAttributes } from '../../../src/wire/radius-dictionary.js';
import type { RadiusPacket } from '../../../src/wire/radius-packet.js';
import { decodeRadiusPacket, layOutRadiusPacket } from '../../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../../src/wire/radius-secret.js';
import { attributeTexts } from '../../../src/wire/radius-text.js';
import { refuseRequest, refuseResponse } from '../../../src/wire/radius-verify.js';
import { hex } from '../../wire/fixtures/bytes.js';
import { valueOf } from '../value-or-wire-error.js';
import type { FuzzTarget } from '../fuzz-target.js';

const SECRET = new RadiusSecret('xyzzy5461');
const AUTHENTICATOR = new Uint8Array(16);
/** RFC 2865 §7.1: a Telnet login, and its accept. */
const EXAMPLES = [
  hex(
    '01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee 0406c0a80110 050600000003',
  ),
  hex('02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103'),
];

function granting(): Uint8Array {
  const attributes = new RadiusAttributesBuilder()
    .add(Attribute.FramedIpAddress, 0x0a000005 as never)
    .add(Attribute.FramedPool, 'isp')
    .add(Attribute.Class, Uint8Array.of(1, 2))
    .add(Attribute.FramedRoute, '10.1.0.0/16')
    .add(Attribute.SessionTimeout, 3600)
    .add(Attribute.WisprBandwidthMaxDown, 1_000_000)
    .add(Attribute.BngUploadRate, 1_000)
    .add(Attribute.AcctInterimInterval, 30)
    .build();
  return layOutRadiusPacket({ code: 2, identifier: 7, attributes, room: 0 });
}

function judged(packet: RadiusPacket): void {
  const rules = { secret: SECRET, requireMessageAuthenticator: true };
  // Nobody here has the secret: whatever is taken for genuine is a forgery, but for an example of the RFC.
  assert.notEqual(refuseRequest(packet, rules), null);
  refuseResponse(packet, { ...rules, requestAuthenticator: AUTHENTICATOR });
}

export const target: FuzzTarget = {
  seeds: () => [...EXAMPLES, granting()],
  maxBytes: 4_200,
  boundedRuns: 6_000,
  run: (input) => {
    const packet = valueOf(() => decodeRadiusPacket(input));
    if (packet === null) return;
    const { code, identifier, attributes } = packet;
    judged(packet);
    valueOf(() => countUnknownAttributes(attributes));
    const texts = attributeTexts(attributes);
    assert.ok(texts.length <= input.length, 'more words than there are bytes');
    const grant = valueOf(() => readRadiusGrant(attributes));
    if (grant !== null) assert.ok((grant.interimIntervalSeconds ?? 60) >= 60);
    for (const attribute of Object.values(Attribute)) {
      valueOf(() => attributes.all<unknown>(attribute));
      valueOf(() => attributes.has(attribute));
    }
    const again = layOutRadiusPacket({ code, identifier, attributes, room: 0 });
    assert.deepEqual(again.subarray(20), packet.bytes.subarray(20));
    assert.deepEqual(decodeRadiusPacket(again).attributes.entries(), attributes.entries());
  },
};
