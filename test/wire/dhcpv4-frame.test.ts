/** Whole DHCP frames, with and without tags. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { formatMac } from '../../src/model/mac.js';
import { decodeDhcpFrame, encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { vlanTag } from '../../src/wire/ethernet.js';
import { capturedDhcp, hex, payloadOf } from './fixtures/bytes.js';
import { dhclientFrames } from './fixtures/dhclient.js';
import { udhcpcFrames } from './fixtures/udhcpc.js';
import { isValueOrWireError, throwsBng } from './fixtures/wire-errors.js';

const DISCOVER = hex(udhcpcFrames.discover);

/** The draft that says the same as a decoded frame. */
function draftOf(frame: Uint8Array) {
  const { ethernet, message, ...rest } = decodeDhcpFrame(frame);
  return {
    ...rest,
    destinationMac: ethernet.destination,
    sourceMac: ethernet.source,
    tags: ethernet.tags,
    payload: encodeDhcpMessage(message),
  };
}

test("udhcpc's DISCOVER frame, from 0.0.0.0:68 to 255.255.255.255:67, is encoded byte for byte", () => {
  const { ethernet, message, ...rest } = decodeDhcpFrame(DISCOVER);
  assert.equal(formatMac(ethernet.source), '02:00:00:00:00:c1');
  assert.deepEqual([formatIpv4(rest.sourceIp), rest.sourcePort], ['0.0.0.0', 68]);
  assert.deepEqual([formatIpv4(rest.destinationIp), rest.destinationPort], ['255.255.255.255', 67]);
  assert.equal(message.options.messageType, 'DHCPDISCOVER');
  assert.deepEqual(encodeDhcpFrame(draftOf(DISCOVER)), DISCOVER);
});

test("udhcpd's OFFER frame is encoded byte for byte", () => {
  const offer = hex(udhcpcFrames.offer);
  assert.deepEqual(encodeDhcpFrame(draftOf(offer)), offer);
});

test('a frame with S- and C-tag carries the same message', () => {
  const tags = [vlanTag(0x88a8, 100), vlanTag(0x8100, 7)];
  const tagged = encodeDhcpFrame({ ...draftOf(DISCOVER), tags });
  assert.deepEqual(tagged.subarray(0, 12), DISCOVER.subarray(0, 12));
  assert.deepEqual(tagged.subarray(12, 20), hex('88a80064 81000007'));
  assert.deepEqual(tagged.subarray(20), DISCOVER.subarray(12));
  const decoded = decodeDhcpFrame(tagged);
  assert.deepEqual(decoded.ethernet.tags, tags);
  assert.equal(decoded.message.xid, decodeDhcpFrame(DISCOVER).message.xid);
  assert.deepEqual(encodeDhcpFrame(draftOf(tagged)), tagged);
});

test('a frame that is not IPv4 is not supported', () => {
  throwsBng(() => decodeDhcpFrame(hex(dhclientFrames.arpReply)), 'BNG_ERR_WIRE_UNSUPPORTED', {
    found: 0x0806,
  });
});

test('every prefix of every captured frame gives a wire error, the whole frame a value', () => {
  for (const { frame } of capturedDhcp) {
    for (let length = 0; length < frame.length; length++) {
      assert.equal(
        isValueOrWireError(() => decodeDhcpFrame(frame.subarray(0, length))),
        false,
      );
    }
    assert.equal(
      isValueOrWireError(() => decodeDhcpFrame(frame)),
      true,
    );
    assert.equal(decodeDhcpFrame(frame).message.xid, Buffer.from(payloadOf(frame)).readUInt32BE(4));
  }
});
