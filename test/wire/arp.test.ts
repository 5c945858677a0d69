/** ARP against captured packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { formatMac } from '../../src/model/mac.js';
import { decodeArp, encodeArp } from '../../src/wire/arp.js';
import { decodeEthernet, encodeEthernet } from '../../src/wire/ethernet.js';
import { throwsBng } from './fixtures/wire-errors.js';
import { capturedArp, hex } from './fixtures/bytes.js';
import { dhclientFrames } from './fixtures/dhclient.js';

test("the kernel's ARP reply names sender and target", () => {
  const arp = decodeArp(hex(dhclientFrames.arpReply), 14);
  assert.equal(arp.operation, 'reply');
  assert.equal(formatMac(arp.senderMac), '02:00:00:00:00:51');
  assert.equal(formatIpv4(arp.senderIp), '192.0.2.1');
  assert.equal(formatMac(arp.targetMac), '02:00:00:00:00:c1');
  assert.equal(formatIpv4(arp.targetIp), '192.0.2.18');
});

for (const { name, frame } of capturedArp) {
  test(`${name} is decoded and encoded to the same bytes, padding left out`, () => {
    const header = decodeEthernet(frame);
    const again = encodeEthernet(header, encodeArp(decodeArp(frame, header.payloadOffset)));
    assert.deepEqual(again, frame.slice(0, 42));
    assert.ok(frame.subarray(42).every((byte) => byte === 0));
  });
}

test('RFC 826: every shorter packet is truncated', () => {
  const arp = hex(dhclientFrames.arpReply).subarray(14);
  for (let length = 0; length < arp.length; length++) {
    throwsBng(() => decodeArp(arp.subarray(0, length)), 'BNG_ERR_WIRE_TRUNCATED');
  }
});

for (const [what, offset] of [
  ['hardware other than Ethernet', 1],
  ['a protocol other than IPv4', 2],
  ['a hardware address length other than 6', 4],
  ['a protocol address length other than 4', 5],
  ['an operation other than request and reply', 7],
] as const) {
  test(`${what} is not supported`, () => {
    const arp = hex(dhclientFrames.arpReply).slice(14);
    arp[offset] = 9;
    throwsBng(() => decodeArp(arp), 'BNG_ERR_WIRE_UNSUPPORTED');
  });
}
