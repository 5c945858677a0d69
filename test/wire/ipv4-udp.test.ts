/** IPv4 and UDP against captured packets and what RFC 768 and RFC 791 refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import { internetChecksum } from '../../src/wire/checksum.js';
import { decodeIpv4Udp, encodeIpv4Udp } from '../../src/wire/ipv4-udp.js';
import { throwsBng } from './fixtures/wire-errors.js';
import { capturedDhcp, hex } from './fixtures/bytes.js';
import { dhclientFrames } from './fixtures/dhclient.js';
import { udhcpcFrames } from './fixtures/udhcpc.js';

/** A captured packet with bytes replaced and the header checksum made right again. */
function packetWith(changes: Record<number, number>): Uint8Array {
  const packet = hex(udhcpcFrames.discover).slice(14);
  for (const [offset, value] of Object.entries(changes)) packet[Number(offset)] = value;
  return withHeaderChecksum(packet, 20);
}

function withHeaderChecksum(packet: Uint8Array, headerLength: number): Uint8Array {
  packet[10] = packet[11] = 0;
  const checksum = internetChecksum(packet, 0, headerLength);
  packet[10] = checksum >>> 8;
  packet[11] = checksum;
  return packet;
}

for (const { name, frame } of capturedDhcp) {
  test(`the datagram of ${name} has right checksums, and both are written the same`, () => {
    const udp = decodeIpv4Udp(frame, 14);
    assert.equal(udp.payload.length, frame.length - 42);
    const again = encodeIpv4Udp(udp, frame[14 + 8]);
    assert.deepEqual(again.subarray(20), frame.subarray(14 + 20));
    assert.deepEqual(decodeIpv4Udp(again), udp);
  });
}

test("udhcpc's DISCOVER, which has TTL 64, id 0 and no DF, is encoded byte for byte", () => {
  const packet = hex(udhcpcFrames.discover).slice(14);
  assert.deepEqual(encodeIpv4Udp(decodeIpv4Udp(packet)), packet);
});

test('addresses and ports are those of the headers', () => {
  const udp = decodeIpv4Udp(hex(dhclientFrames.release), 14);
  assert.equal(formatIpv4(udp.sourceIp), '192.0.2.18');
  assert.equal(formatIpv4(udp.destinationIp), '192.0.2.1');
  assert.deepEqual([udp.sourcePort, udp.destinationPort], [68, 67]);
});

test('Ethernet padding behind the total length is ignored', () => {
  const packet = packetWith({});
  const padded = new Uint8Array([...packet, 1, 2, 3]);
  assert.deepEqual(decodeIpv4Udp(padded), decodeIpv4Udp(packet));
});

test('RFC 791 §3.1: options are skipped', () => {
  const packet = packetWith({});
  const withOption = new Uint8Array([...packet.subarray(0, 20), 0x94, 0x04, 0, 0, ...packet.subarray(20)]);
  withOption[0] = 0x46;
  const total = withOption.length;
  withOption[2] = total >>> 8;
  withOption[3] = total;
  assert.deepEqual(decodeIpv4Udp(withHeaderChecksum(withOption, 24)), decodeIpv4Udp(packet));
});

test('every prefix of a packet is truncated', () => {
  const packet = packetWith({});
  for (let length = 0; length < packet.length; length++) {
    throwsBng(() => decodeIpv4Udp(packet.subarray(0, length)), 'BNG_ERR_WIRE_TRUNCATED');
  }
});

test('a version other than 4 and a header of less than 20 bytes are malformed', () => {
  throwsBng(() => decodeIpv4Udp(packetWith({ 0: 0x65 })), 'BNG_ERR_WIRE_MALFORMED', { offset: 0 });
  throwsBng(() => decodeIpv4Udp(packetWith({ 0: 0x44 })), 'BNG_ERR_WIRE_MALFORMED', { offset: 0 });
});

test('a total length within the header is malformed', () => {
  throwsBng(() => decodeIpv4Udp(packetWith({ 2: 0, 3: 19 })), 'BNG_ERR_WIRE_MALFORMED', { offset: 2 });
});

test('a total length without room for the UDP header is truncated', () => {
  throwsBng(() => decodeIpv4Udp(packetWith({ 2: 0, 3: 27 })), 'BNG_ERR_WIRE_TRUNCATED');
});

test('a wrong header checksum is refused', () => {
  const packet = packetWith({});
  packet[8]! -= 1;
  throwsBng(() => decodeIpv4Udp(packet), 'BNG_ERR_WIRE_CHECKSUM', { offset: 10 });
});

test('a first, a middle and a last fragment are not supported; DF is no fragment', () => {
  for (const [high, low] of [
    [0x20, 0],
    [0x20, 1],
    [0, 1],
  ] as const) {
    throwsBng(() => decodeIpv4Udp(packetWith({ 6: high, 7: low })), 'BNG_ERR_WIRE_UNSUPPORTED', {
      offset: 6,
    });
  }
  assert.equal(decodeIpv4Udp(packetWith({ 6: 0x40 })).destinationPort, 67);
});

test('a protocol other than UDP is not supported', () => {
  throwsBng(() => decodeIpv4Udp(packetWith({ 9: 6 })), 'BNG_ERR_WIRE_UNSUPPORTED', { found: 6 });
});

test('a UDP length of less than its header or beyond the packet is malformed', () => {
  throwsBng(() => decodeIpv4Udp(packetWith({ 24: 0, 25: 7 })), 'BNG_ERR_WIRE_MALFORMED', { offset: 24 });
  throwsBng(() => decodeIpv4Udp(packetWith({ 24: 1, 25: 0x35 })), 'BNG_ERR_WIRE_MALFORMED', { found: 309 });
});

test('a UDP length shorter than the packet cuts the payload', () => {
  const udp = decodeIpv4Udp(packetWith({ 24: 0, 25: 12, 26: 0, 27: 0 }));
  assert.equal(udp.payload.length, 4);
});

test('a wrong UDP checksum is refused, and 0 means that there is none', () => {
  throwsBng(() => decodeIpv4Udp(packetWith({ 30: 0x77 })), 'BNG_ERR_WIRE_CHECKSUM', { offset: 26 });
  assert.equal(decodeIpv4Udp(packetWith({ 30: 0x77, 26: 0, 27: 0 })).payload[2], 0x77);
});

test('RFC 768: a computed checksum of 0 is sent as all ones', () => {
  const draft = {
    sourceIp: parseIpv4('0.0.0.0'),
    destinationIp: parseIpv4('0.0.0.0'),
    sourcePort: 0,
    destinationPort: 0,
  };
  // 17 (protocol) + 10 (pseudo length) + 10 (length) + ffda = ffff, whose complement is 0.
  const packet = encodeIpv4Udp({ ...draft, payload: hex('ffda') });
  assert.deepEqual(packet.subarray(26, 28), hex('ffff'));
  assert.deepEqual(decodeIpv4Udp(packet).payload, hex('ffda'));
});

test('a payload of odd length is summed right', () => {
  const udp = { ...decodeIpv4Udp(packetWith({})), payload: hex('010203') };
  assert.deepEqual(decodeIpv4Udp(encodeIpv4Udp(udp)), udp);
});

test('a payload too long for a datagram is refused', () => {
  const udp = { ...decodeIpv4Udp(packetWith({})), payload: new Uint8Array(65508) };
  throwsBng(() => encodeIpv4Udp(udp), 'BNG_ERR_VALUE');
});
