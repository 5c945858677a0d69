// The frames that the bench sends are what it says they are, and it reads replies as a full decoder does.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ontFrame, readReply, tagsOf } from '../../scripts/bench/ont-frames.js';
import { addressOf, macOf, PACKET_CASES } from '../../scripts/bench/packet-cases.js';
import { formatIpv4, IPV4_BROADCAST, parseIpv4 } from '../../src/model/ipv4.js';
import { decodeDhcpFrame, encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import type { DhcpMessageType } from '../../src/wire/dhcpv4-option-codes.js';
import { decodeEthernet, vlanTag } from '../../src/wire/ethernet.js';

const ONT = 12_345;
const ADDRESS = parseIpv4('10.240.3.4');
const SERVER = parseIpv4('10.240.0.1');

function replyTo(type: DhcpMessageType): Uint8Array {
  const { sVlan, cVlan } = tagsOf(ONT);
  const options = new DhcpOptionsBuilder().messageType(type).serverIdentifier(SERVER).build();
  return encodeDhcpFrame({
    destinationMac: macOf(ONT),
    sourceMac: macOf(1),
    tags: [vlanTag(0x88a8, sVlan), vlanTag(0x8100, cVlan)],
    sourceIp: SERVER,
    destinationIp: IPV4_BROADCAST,
    sourcePort: 67,
    destinationPort: 68,
    payload: encodeDhcpMessage({ op: 'BOOTREPLY', xid: ONT, chaddr: macOf(ONT), yiaddr: ADDRESS, options }),
  });
}

describe('a DISCOVER of the load generator', () => {
  it('has two tags, a MAC and an option 82 of its own, and its number as transaction id', () => {
    const { ethernet, message } = decodeDhcpFrame(ontFrame(ONT, null));
    assert.deepEqual(
      ethernet.tags.map(({ tpid, vlanId }) => [tpid, vlanId]),
      [
        [0x88a8, tagsOf(ONT).sVlan],
        [0x8100, tagsOf(ONT).cVlan],
      ],
    );
    assert.equal(ethernet.source, macOf(ONT));
    assert.equal(message.chaddr, macOf(ONT));
    assert.equal(message.xid, ONT);
    assert.equal(message.options.messageType, 'DHCPDISCOVER');
    const remoteId = Buffer.from(message.options.relayAgentInformation?.remoteId ?? []).toString();
    assert.equal(remoteId, 'BNCH00003039');
  });

  it('comes from a line that no other ONT has', () => {
    const lines = new Set<string>();
    for (let ont = 0; ont < 131_072; ont += 1) {
      const { sVlan, cVlan } = tagsOf(ont);
      assert.ok(sVlan >= 1 && sVlan <= 4094 && cVlan >= 1 && cVlan <= 4094);
      lines.add(`${sVlan}.${cVlan}`);
    }
    assert.equal(lines.size, 131_072);
  });
});

describe('a REQUEST of the load generator', () => {
  it('selects what was offered', () => {
    const { message } = decodeDhcpFrame(ontFrame(ONT, { address: ADDRESS, serverId: SERVER }));
    assert.equal(message.options.messageType, 'DHCPREQUEST');
    assert.equal(message.options.requestedAddress, ADDRESS);
    assert.equal(message.options.serverIdentifier, SERVER);
  });
});

describe('a reply is read', () => {
  for (const [type, expected] of [
    ['DHCPOFFER', 'offer'],
    ['DHCPACK', 'ack'],
    ['DHCPNAK', 'nak'],
    ['DHCPINFORM', 'other'],
  ] as const) {
    it(`${type} as ${expected}, with its ONT, address and server`, () => {
      assert.deepEqual(readReply(replyTo(type)), {
        ont: ONT,
        type: expected,
        offer: { address: ADDRESS, serverId: SERVER },
      });
    });
  }

  it('as none when it is a request, too short, or no IPv4 behind two tags', () => {
    assert.equal(readReply(ontFrame(ONT, null)), null);
    assert.equal(readReply(replyTo('DHCPACK').subarray(0, 200)), null);
    const untagged = replyTo('DHCPACK');
    untagged[20] = 0x86;
    assert.equal(readReply(untagged), null);
  });
});

describe('the packets that are timed', () => {
  for (const { name, frame, vary, program } of PACKET_CASES) {
    it(`${name}: whole, and the varied fields are where the wrapper writes them`, () => {
      assert.ok(frame.length >= 64);
      const { tags, payloadOffset, source } = decodeEthernet(frame);
      assert.equal(tags.length, program === 'bench_access' ? 2 : 0);
      const words = new DataView(frame.buffer, frame.byteOffset);
      if (vary === 1) {
        assert.equal(source, macOf(7));
        assert.equal(payloadOffset, 22);
        assert.equal(words.getUint16(14), tagsOf(7).sVlan);
        assert.equal(words.getUint16(18), tagsOf(7).cVlan);
        assert.equal(words.getUint32(34), addressOf(7), formatIpv4(addressOf(7)));
      }
      if (vary === 2) assert.equal(words.getUint32(30), addressOf(7));
    });
  }
});
