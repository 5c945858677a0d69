/** Attributes: kinds, order, vendor attributes, bounds, and mutated packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute, countUnknownAttributes } from '../../src/wire/radius-dictionary.js';
import type { RadiusAttribute } from '../../src/wire/radius-kinds.js';
import type { RadiusPacket } from '../../src/wire/radius-packet.js';
import { decodeRadiusPacket, layOutRadiusPacket } from '../../src/wire/radius-packet.js';
import { mutate, seededRandom } from '../support/mutate.js';
import { hex } from './fixtures/bytes.js';
import { isValueOrWireError, throwsBng } from './fixtures/wire-errors.js';

const MUTATIONS = 20_000;
const ALL = Object.values(Attribute) as readonly RadiusAttribute<unknown>[];

/** A packet with a zero authenticator around the attributes. */
function around(attributes: string): Uint8Array {
  const body = hex(attributes);
  return new Uint8Array([2, 7, 0, 20 + body.length, ...new Uint8Array(16), ...body]);
}

function packetOf(builder: RadiusAttributesBuilder): Uint8Array {
  return layOutRadiusPacket({ code: 2, identifier: 7, attributes: builder.build(), room: 0 });
}

const FULL = packetOf(
  new RadiusAttributesBuilder()
    .add(Attribute.UserName, 'ont-ä')
    .add(Attribute.Class, hex('0001ff'))
    .add(Attribute.FramedIpAddress, parseIpv4('10.0.0.7'))
    .add(Attribute.EventTimestamp, 0xf0000000)
    .octets64(Attribute.AcctInputOctets, Attribute.AcctInputGigawords, 0x1234567890n)
    .add(Attribute.AdslAgentCircuitId, hex('00ff'))
    .add(Attribute.WisprBandwidthMaxUp, 1_000_000)
    .add(Attribute.BngDownloadRate, 5_000_000)
    .add(Attribute.Class, hex('02')),
);

test('every kind of value is read as it was written, and Class in its order', () => {
  const { attributes } = decodeRadiusPacket(FULL);
  assert.equal(attributes.first(Attribute.UserName), 'ont-ä');
  assert.deepEqual(attributes.all(Attribute.Class), [hex('0001ff'), hex('02')]);
  assert.equal(attributes.first(Attribute.FramedIpAddress), parseIpv4('10.0.0.7'));
  assert.equal(attributes.first(Attribute.EventTimestamp), 0xf0000000);
  assert.equal(attributes.first(Attribute.AcctInputGigawords), 0x12);
  assert.equal(attributes.octets64(Attribute.AcctInputOctets, Attribute.AcctInputGigawords), 0x1234567890n);
  assert.equal(attributes.octets64(Attribute.AcctOutputOctets, Attribute.AcctOutputGigawords), undefined);
  assert.deepEqual(attributes.first(Attribute.AdslAgentCircuitId), hex('00ff'));
  assert.equal(attributes.first(Attribute.WisprBandwidthMaxUp), 1_000_000);
  assert.equal(attributes.first(Attribute.BngDownloadRate), 5_000_000);
  assert.equal(attributes.has(Attribute.Class), true);
  assert.equal(attributes.has(Attribute.State), false);
  assert.equal(countUnknownAttributes(attributes), 0);
});

test('octets below 2^32 are sent without Gigawords and read back', () => {
  const { attributes } = decodeRadiusPacket(
    packetOf(
      new RadiusAttributesBuilder().octets64(
        Attribute.AcctOutputOctets,
        Attribute.AcctOutputGigawords,
        0xffffffffn,
      ),
    ),
  );
  assert.equal(attributes.has(Attribute.AcctOutputGigawords), false);
  assert.equal(attributes.octets64(Attribute.AcctOutputOctets, Attribute.AcctOutputGigawords), 0xffffffffn);
});

test('a Vendor-Specific attribute with several sub-attributes gives them all', () => {
  // RFC 2865 §5.26: 26, length, vendor 32473, then (2, kbit/s 1000) and (3, kbit/s 500).
  const { attributes } = decodeRadiusPacket(around('1a12 00007ed9 0206 000003e8 0306 000001f4'));
  assert.equal(attributes.first(Attribute.BngDownloadRate), 1000);
  assert.equal(attributes.first(Attribute.BngUploadRate), 500);
});

test('attributes that the dictionary lacks are counted, an unknown vendor once', () => {
  const { attributes } = decodeRadiusPacket(
    // Framed-MTU, Cisco with a layout of its own, ours with type 99 beside type 2, Vendor-Specific without a vendor.
    around('0c06000005dc 1a0800000009ffff 1a0f 00007ed9 6303 61 0206 00000001 1a0400aa'),
  );
  assert.equal(countUnknownAttributes(attributes), 4);
});

test('bad framing is refused with the offset of the attribute', () => {
  throwsBng(() => decodeRadiusPacket(around('0101')), 'BNG_ERR_WIRE_MALFORMED', { offset: 20 });
  throwsBng(() => decodeRadiusPacket(around('0106616263 64 01')), 'BNG_ERR_WIRE_MALFORMED', { offset: 26 });
  throwsBng(() => decodeRadiusPacket(around('010661')), 'BNG_ERR_WIRE_MALFORMED', { offset: 20 });
  const vendor = decodeRadiusPacket(around('1a0b 00007ed9 0206 000003')).attributes;
  throwsBng(() => vendor.first(Attribute.BngDownloadRate), 'BNG_ERR_WIRE_MALFORMED', { offset: 26 });
});

test('a value that does not fit its kind is refused with its offset, and spoils no other', () => {
  const { attributes } = decodeRadiusPacket(around('1b05000001 0103ff 1c06 0000003c'));
  throwsBng(() => attributes.first(Attribute.SessionTimeout), 'BNG_ERR_WIRE_MALFORMED', { offset: 22 });
  throwsBng(() => attributes.first(Attribute.UserName), 'BNG_ERR_WIRE_MALFORMED', { offset: 27 });
  assert.equal(attributes.first(Attribute.IdleTimeout), 60);
});

test('a header is refused when short, when Length is beyond the datagram, below 20 or above 4096', () => {
  throwsBng(() => decodeRadiusPacket(FULL.subarray(0, 19)), 'BNG_ERR_WIRE_TRUNCATED');
  throwsBng(() => decodeRadiusPacket(FULL.subarray(0, 40)), 'BNG_ERR_WIRE_TRUNCATED', { offset: 2 });
  const long = new Uint8Array(5000);
  long.set([1, 1, 0x13, 0x88]);
  throwsBng(() => decodeRadiusPacket(long), 'BNG_ERR_WIRE_MALFORMED', { found: 5000 });
  long.set([1, 1, 0, 19]);
  throwsBng(() => decodeRadiusPacket(long), 'BNG_ERR_WIRE_MALFORMED', { found: 19 });
});

test('bytes beyond Length are padding (RFC 2865 §3)', () => {
  const padded = decodeRadiusPacket(new Uint8Array([...FULL, 1, 2, 3]));
  assert.deepEqual(padded.bytes, FULL);
  assert.deepEqual(padded.attributes.entries(), decodeRadiusPacket(FULL).attributes.entries());
});

test('values and packets that do not fit are refused before they are sent', () => {
  const builder = (): RadiusAttributesBuilder => new RadiusAttributesBuilder();
  throwsBng(() => builder().add(Attribute.UserName, 'x'.repeat(254)), 'BNG_ERR_VALUE', { found: 254 });
  throwsBng(() => builder().add(Attribute.AdslAgentRemoteId, new Uint8Array(248)), 'BNG_ERR_VALUE');
  throwsBng(() => builder().add(Attribute.SessionTimeout, -1), 'BNG_ERR_VALUE');
  throwsBng(() => builder().add(Attribute.SessionTimeout, 2 ** 32), 'BNG_ERR_VALUE');
  const big = builder().addEach(Attribute.Class, Array<Uint8Array>(16).fill(new Uint8Array(253)));
  throwsBng(() => packetOf(big), 'BNG_ERR_VALUE');
});

function readAll({ attributes }: RadiusPacket): void {
  for (const attribute of ALL) isValueOrWireError(() => attributes.all(attribute));
  isValueOrWireError(() => countUnknownAttributes(attributes));
  isValueOrWireError(() => attributes.octets64(Attribute.AcctInputOctets, Attribute.AcctInputGigawords));
}

test(`${MUTATIONS} mutated packets give a value or a wire error, and values are written again to the same bytes`, () => {
  const random = seededRandom(2865);
  let values = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutate(FULL, random);
    // Every second time Length is made true again, or few mutations get beyond the header.
    if (i % 2 === 0 && bytes.length >= 4) bytes.set([bytes.length >> 8, bytes.length & 255], 2);
    const ok = isValueOrWireError(() => {
      const packet = decodeRadiusPacket(bytes);
      readAll(packet);
      const { code, identifier, attributes } = packet;
      const again = layOutRadiusPacket({ code, identifier, attributes, room: 0 });
      again.set(packet.authenticator, 4);
      assert.deepEqual(again, packet.bytes);
    });
    if (ok) values += 1;
  }
  assert.ok(values > MUTATIONS / 10 && values < MUTATIONS, `${values} values`);
});

test('every prefix of a packet gives a wire error', () => {
  for (let length = 0; length < FULL.length; length++) {
    assert.equal(
      isValueOrWireError(() => decodeRadiusPacket(FULL.subarray(0, length))),
      false,
    );
  }
});
