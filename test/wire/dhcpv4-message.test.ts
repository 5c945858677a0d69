/** The DHCP message: fixed fields, option areas, order, padding, sizes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { formatMac } from '../../src/model/mac.js';
import type { DhcpMessageDraft } from '../../src/wire/dhcpv4-message.js';
import { decodeDhcpMessage, encodeDhcpMessage, wantsBroadcast } from '../../src/wire/dhcpv4-message.js';
import type { DhcpOptions } from '../../src/wire/dhcpv4-options.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { bootp, capturedDhcp, hex, payloadOf } from './fixtures/bytes.js';
import { dhclientFrames } from './fixtures/dhclient.js';
import { dhcpcdFrames } from './fixtures/dhcpcd.js';
import { udhcpcFrames } from './fixtures/udhcpc.js';
import { throwsBng } from './fixtures/wire-errors.js';

const captured = (frame: string) => decodeDhcpMessage(payloadOf(hex(frame)));

function draftWith(options: DhcpOptions): DhcpMessageDraft {
  return { op: 'BOOTREPLY', xid: 1, chaddr: decodeDhcpMessage(bootp('ff')).chaddr, options };
}

test('RFC 2131 §2, Figure 1: the fixed fields are where the figure has them', () => {
  const bytes = bootp('ff');
  bytes.set(hex('02 01 06 03 deadbeef 0102 8001 c0000201 c0000202 c0000203 c0000204 0200000000c1'));
  bytes.set(hex('0a0b0c0d0e0f10111213'), 34);
  bytes.set(hex('736e616d65'), 44);
  bytes.set(hex('66696c65'), 108);
  const message = decodeDhcpMessage(bytes);
  assert.equal(message.op, 'BOOTREPLY');
  assert.deepEqual([message.htype, message.hlen, message.hops], [1, 6, 3]);
  assert.deepEqual([message.xid, message.secs, message.flags], [0xdeadbeef, 0x0102, 0x8001]);
  const addresses = [message.ciaddr, message.yiaddr, message.siaddr, message.giaddr];
  assert.deepEqual(addresses.map(formatIpv4), ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']);
  assert.equal(formatMac(message.chaddr), '02:00:00:00:00:c1');
  assert.deepEqual(message.chaddrBytes, hex('0200000000c1 0a0b0c0d0e0f10111213'));
  assert.deepEqual([message.sname.length, message.file.length], [64, 128]);
  assert.equal(Buffer.from(message.sname).toString('latin1', 0, 5), 'sname');
  assert.equal(Buffer.from(message.file).toString('latin1', 0, 4), 'file');
  assert.deepEqual(encodeDhcpMessage(message).subarray(0, 241), bytes);
});

test("udhcpc's DISCOVER says what tcpdump says of it", () => {
  const { op, xid, secs, options, ...message } = captured(udhcpcFrames.discover);
  assert.equal(op, 'BOOTREQUEST');
  assert.deepEqual(
    [xid, secs, wantsBroadcast({ op, xid, secs, options, ...message })],
    [0x156bd947, 0, false],
  );
  assert.equal(options.messageType, 'DHCPDISCOVER');
  assert.equal(options.maxMessageSize, 576);
  assert.deepEqual(options.parameterRequestList, Uint8Array.of(1, 3, 6, 12, 15, 28, 42));
  assert.equal(options.hostName, 'wire-host');
  assert.equal(options.vendorClass, 'example-vendor');
  assert.deepEqual(options.clientIdentifier, hex('01 0200000000c1'));
});

test("dhcpcd's DISCOVER has a DUID for client identifier and an empty option 80", () => {
  const { options } = captured(dhcpcdFrames.discover);
  assert.deepEqual(options.clientIdentifier, hex('ff 000000c1 0001 0001 3297221e 0200000000c1'));
  assert.deepEqual(options.get(80), new Uint8Array(0));
  assert.deepEqual(options.get(145), Uint8Array.of(1));
  assert.equal(options.maxMessageSize, 1472);
});

test("dhclient's RELEASE names its address in ciaddr", () => {
  const message = captured(dhclientFrames.release);
  assert.equal(message.options.messageType, 'DHCPRELEASE');
  assert.equal(formatIpv4(message.ciaddr), '192.0.2.18');
});

test("udhcpd's ACK carries the lease", () => {
  const { options, yiaddr } = captured(udhcpcFrames.ack);
  assert.equal(options.messageType, 'DHCPACK');
  assert.equal(formatIpv4(yiaddr), '192.0.2.18');
  assert.equal(options.leaseSeconds, 600);
  assert.deepEqual(options.dnsServers?.map(formatIpv4), ['192.0.2.53', '198.51.100.53']);
});

for (const { name, frame } of capturedDhcp) {
  test(`the message of ${name} is decoded and encoded to the same bytes`, () => {
    const payload = payloadOf(frame);
    const message = decodeDhcpMessage(payload);
    const again = encodeDhcpMessage(message);
    // dhcpcd writes option 50 before 53 in its REQUEST; we write 53 first.
    if (name === 'dhcpcd request') {
      const entries = (of: typeof message): unknown => new Map(of.options.entries());
      assert.deepEqual(entries(decodeDhcpMessage(again)), entries(message));
      assert.deepEqual(again.subarray(0, 240), payload.subarray(0, 240));
    }
    if (name !== 'dhcpcd request') assert.deepEqual(again, payload);
    assert.equal(again.length, payload.length);
  });
}

test('every prefix of the fixed fields and the cookie is truncated', () => {
  const bytes = bootp('');
  for (let length = 0; length < 240; length++) {
    throwsBng(() => decodeDhcpMessage(bytes.subarray(0, length)), 'BNG_ERR_WIRE_TRUNCATED');
  }
  assert.deepEqual([...decodeDhcpMessage(bytes).options.entries()], []);
});

test('an op other than 1 and 2, an address length other than 6, and a wrong cookie are malformed', () => {
  for (const [offset, value] of [
    [0, 0],
    [0, 3],
    [2, 16],
    [236, 0],
  ] as const) {
    const bytes = bootp('ff');
    bytes[offset] = value;
    throwsBng(() => decodeDhcpMessage(bytes), 'BNG_ERR_WIRE_MALFORMED', { offset });
  }
});

test('hardware other than Ethernet is not supported', () => {
  const bytes = bootp('ff');
  bytes[1] = 32;
  throwsBng(() => decodeDhcpMessage(bytes), 'BNG_ERR_WIRE_UNSUPPORTED', { offset: 1, found: 32 });
});

test('RFC 2131 §2: the broadcast flag is the leftmost bit', () => {
  assert.equal(wantsBroadcast(decodeDhcpMessage(bootp('ff'))), true);
  const bytes = bootp('ff');
  bytes.set(hex('7fff'), 10);
  assert.equal(wantsBroadcast(decodeDhcpMessage(bytes)), false);
});

test('RFC 2132 §2: pads are skipped one byte each, and what stands behind END is no option', () => {
  const { options } = decodeDhcpMessage(bootp('00 350101 000000 0c0161 ff 330400000001'));
  assert.deepEqual(
    [...options.entries()],
    [
      [53, hex('01')],
      [12, hex('61')],
    ],
  );
});

test('a missing END is tolerated', () => {
  assert.equal(decodeDhcpMessage(bootp('350101')).options.messageType, 'DHCPDISCOVER');
  assert.equal(decodeDhcpMessage(bootp('350101 0000')).options.messageType, 'DHCPDISCOVER');
});

test('RFC 3396 §5: an option given twice is one option, joined', () => {
  const { options } = decodeDhcpMessage(bootp('0c0161 350101 0c026263 ff'));
  assert.equal(options.hostName, 'abc');
});

test('RFC 3396 §6: a value longer than 255 bytes is sent in pieces and comes back whole', () => {
  for (const length of [255, 256, 510, 511, 600]) {
    const value = Uint8Array.from({ length }, (_, i) => i);
    const draft = draftWith(new DhcpOptionsBuilder().messageType('DHCPACK').raw(43, value).build());
    const bytes = encodeDhcpMessage(draft, { maxMessageSize: 1500 });
    assert.equal(bytes[243], 43);
    assert.equal(bytes[244], 255);
    assert.deepEqual(decodeDhcpMessage(bytes).options.get(43), value);
  }
});

test('a message keeps its values when the buffer it came from is used again', () => {
  const buffer = Buffer.from(bootp('350101 3d03010203 ff'));
  const message = decodeDhcpMessage(buffer);
  buffer.fill(0xee);
  assert.deepEqual(message.options.clientIdentifier, hex('010203'));
  assert.equal(message.chaddrBytes[0], 0x02);
});

test('53 is written first, 82 last, the rest in the order in which it was given', () => {
  const options = new DhcpOptionsBuilder()
    .relayAgentInformation({ circuitId: hex('31') })
    .leaseSeconds(1)
    .messageType('DHCPOFFER')
    .raw(1, hex('ffffff00'))
    .build();
  const bytes = encodeDhcpMessage(draftWith(options));
  const expected = hex('350102 330400000001 0104ffffff00 5203010131 ff');
  assert.deepEqual(bytes.subarray(240, 240 + expected.length), expected);
  assert.ok(bytes.subarray(240 + expected.length).every((byte) => byte === 0));
});

test('RFC 1542 §2.1: no message is shorter than 300 bytes', () => {
  assert.equal(
    encodeDhcpMessage(draftWith(new DhcpOptionsBuilder().messageType('DHCPNAK').build())).length,
    300,
  );
});

test('what a draft leaves out is 0 and Ethernet', () => {
  const draft = draftWith(new DhcpOptionsBuilder().build());
  const message = decodeDhcpMessage(encodeDhcpMessage(draft));
  const { hops, secs, flags, ciaddr, yiaddr, siaddr, giaddr } = message;
  assert.deepEqual([hops, secs, flags, ciaddr, yiaddr, siaddr, giaddr], [0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([message.htype, message.hlen, message.chaddr], [1, 6, draft.chaddr]);
});

test('sname and file that do not fit their fields are refused', () => {
  const draft = draftWith(new DhcpOptionsBuilder().build());
  throwsBng(() => encodeDhcpMessage({ ...draft, sname: new Uint8Array(65) }), 'BNG_ERR_VALUE');
  throwsBng(() => encodeDhcpMessage({ ...draft, file: new Uint8Array(129) }), 'BNG_ERR_VALUE');
});
