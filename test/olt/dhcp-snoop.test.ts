import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IPV4_ANY, IPV4_BROADCAST, parseIpv4 } from '../../src/model/ipv4.js';
import { MAC_BROADCAST, parseMac } from '../../src/model/mac.js';
import { isBngError, isWireError } from '../../src/model/bng-error.js';
import { frameForCustomer, frameForTrunk } from '../../src/olt/dhcp-snoop.js';
import { decodeDhcpFrame, encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { vlanTag } from '../../src/wire/ethernet.js';

const CUSTOMER = parseMac('02:00:00:00:00:01');
const SERVER = parseMac('02:00:00:00:ff:01');
const LINE = {
  circuitId: Buffer.from('agg-01|1/1/1'),
  remoteId: Buffer.from('ONT00001'),
  tags: [vlanTag(0x88a8, 100), vlanTag(0x8100, 7)],
};

function request(options = new DhcpOptionsBuilder().messageType('DHCPDISCOVER')): Uint8Array {
  return encodeDhcpFrame({
    destinationMac: MAC_BROADCAST,
    sourceMac: CUSTOMER,
    tags: [],
    sourceIp: IPV4_ANY,
    destinationIp: IPV4_BROADCAST,
    sourcePort: 68,
    destinationPort: 67,
    payload: encodeDhcpMessage({ op: 'BOOTREQUEST', xid: 1, chaddr: CUSTOMER, options: options.build() }),
  });
}

function reply(withOption82: boolean, op: 'BOOTREPLY' | 'BOOTREQUEST' = 'BOOTREPLY'): Uint8Array {
  const options = new DhcpOptionsBuilder().messageType('DHCPOFFER');
  if (withOption82) options.relayAgentInformation(LINE);
  return encodeDhcpFrame({
    destinationMac: CUSTOMER,
    sourceMac: SERVER,
    tags: [],
    sourceIp: parseIpv4('10.0.0.1'),
    destinationIp: parseIpv4('10.0.0.9'),
    sourcePort: 67,
    destinationPort: 68,
    payload: encodeDhcpMessage({ op, xid: 2, chaddr: CUSTOMER, options: options.build() }),
  });
}

describe('DHCP frames through the access node', () => {
  it("a customer's message goes up with tags, option 82, right lengths and checksums", () => {
    // decodeDhcpFrame checks lengths and both checksums.
    const { ethernet, message, sourcePort, destinationPort } = decodeDhcpFrame(
      frameForTrunk(request(), LINE),
    );
    assert.deepEqual(ethernet.tags, LINE.tags);
    assert.equal(ethernet.source, CUSTOMER);
    assert.deepEqual([sourcePort, destinationPort], [68, 67]);
    const information = message.options.relayAgentInformation!;
    assert.deepEqual(Buffer.from(information.circuitId!), LINE.circuitId);
    assert.deepEqual(Buffer.from(information.remoteId!), LINE.remoteId);
  });

  it('a half-computed UDP checksum, as a veth leaves it, is made right, and the frame given is not changed', () => {
    const frame = request();
    frame[14 + 20 + 6] = 0x12;
    frame[14 + 20 + 7] = 0x34;
    const before = Buffer.from(frame);
    decodeDhcpFrame(frameForTrunk(frame, LINE));
    assert.deepEqual(Buffer.from(frame), before);
  });

  it('the TTL is kept', () => {
    const frame = frameForTrunk(encodeWithTtl(request(), 17), LINE);
    assert.equal(frame[14 + 8 + 8], 17);
    decodeDhcpFrame(frame);
  });

  it('a customer who brings option 82 is refused', () => {
    const forged = request(new DhcpOptionsBuilder().messageType('DHCPDISCOVER').relayAgentInformation(LINE));
    assert.throws(
      () => frameForTrunk(forged, LINE),
      (error) => isBngError(error, 'BNG_ERR_WIRE_UNSUPPORTED'),
    );
  });

  it("a server's reply goes down without option 82 and tells whose line it names", () => {
    const down = frameForCustomer(reply(true));
    assert.deepEqual(Buffer.from(down.circuitId!), LINE.circuitId);
    assert.deepEqual(Buffer.from(down.remoteId!), LINE.remoteId);
    const { message, ethernet } = decodeDhcpFrame(down.frame);
    assert.equal(message.options.has(82), false);
    assert.equal(message.options.messageType, 'DHCPOFFER');
    assert.equal(ethernet.destination, CUSTOMER);
  });

  it('a reply without option 82 names nobody', () => {
    const down = frameForCustomer(reply(false));
    assert.deepEqual([down.circuitId, down.remoteId], [undefined, undefined]);
  });

  it("a client's message from the trunk is refused", () => {
    assert.throws(() => frameForCustomer(reply(true, 'BOOTREQUEST')), isWireError);
  });

  it('a frame cut anywhere gives a frame or a wire error, nothing else', () => {
    for (const [frame, pass] of [
      [request(), (cut: Uint8Array) => frameForTrunk(cut, LINE)],
      [reply(true), frameForCustomer],
    ] as const) {
      for (let length = 0; length < frame.length; length++) {
        assert.throws(() => pass(frame.slice(0, length)), isWireError, `length ${length}`);
      }
    }
  });
});

/** The same frame with another TTL and its IP checksum made right (RFC 1624). */
function encodeWithTtl(frame: Uint8Array, ttl: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const sum = view.getUint16(24) + ((frame[22]! - ttl) << 8);
  frame[22] = ttl;
  view.setUint16(24, (sum & 0xffff) + (sum >>> 16));
  return frame;
}
