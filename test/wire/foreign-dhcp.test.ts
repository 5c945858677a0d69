/**
 * The npm package `dhcp` 0.2.20 as a foreign peer, where it is sound. Known not to be: it drops option 82 and every
 * option it has no row for, reads option 61 as ASCII, takes two bytes for a pad, and sends less than 300 bytes.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { formatIpv4, parseIpv4 } from '../../src/model/ipv4.js';
import { formatMac, parseMac } from '../../src/model/mac.js';
import { decodeDhcpMessage, encodeDhcpMessage, wantsBroadcast } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { insertRelayAgentInformation } from '../../src/wire/option82.js';
import { hex } from './fixtures/bytes.js';

interface ForeignMessage {
  readonly op: number;
  readonly htype: number;
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  readonly flags: number;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  readonly chaddr: string;
  readonly sname: string;
  readonly file: string;
  readonly options: Readonly<Record<number, unknown>>;
}

const protocol = createRequire(import.meta.url)('dhcp/lib/protocol.js') as {
  parse(bytes: Buffer): ForeignMessage;
  format(message: ForeignMessage): { readonly _data: Buffer; readonly _w: number };
};

const FOREIGN: ForeignMessage = {
  op: 2,
  htype: 1,
  hlen: 6,
  hops: 1,
  xid: 0xfedcba98,
  secs: 258,
  flags: 0x8000,
  ciaddr: '192.0.2.1',
  yiaddr: '192.0.2.2',
  siaddr: '192.0.2.3',
  giaddr: '192.0.2.4',
  chaddr: '02-00-00-00-00-C1',
  sname: 'server',
  file: 'boot',
  options: {
    1: '255.255.255.0',
    3: ['192.0.2.254', '192.0.2.253'],
    6: ['192.0.2.53'],
    12: 'wire-host',
    51: 86400,
    53: 5,
    54: '192.0.2.1',
    56: 'hello',
    57: 1472,
    58: 43200,
    59: 75600,
  },
};

test('what `dhcp` encodes we decode to the same fields', () => {
  const { _data, _w } = protocol.format(FOREIGN);
  const message = decodeDhcpMessage(_data.subarray(0, _w));
  assert.equal(message.op, 'BOOTREPLY');
  assert.deepEqual([message.hops, message.xid, message.secs], [1, 0xfedcba98, 258]);
  assert.equal(wantsBroadcast(message), true);
  const { ciaddr, yiaddr, siaddr, giaddr, chaddr, options } = message;
  assert.deepEqual([ciaddr, yiaddr, siaddr, giaddr].map(formatIpv4), [
    FOREIGN.ciaddr,
    FOREIGN.yiaddr,
    FOREIGN.siaddr,
    FOREIGN.giaddr,
  ]);
  assert.equal(formatMac(chaddr), '02:00:00:00:00:c1');
  assert.deepEqual(message.sname.subarray(0, 7), hex('73657276657200'));
  assert.deepEqual(message.file.subarray(0, 5), hex('626f6f7400'));
  assert.equal(options.messageType, 'DHCPACK');
  assert.equal(options.subnetMask, parseIpv4('255.255.255.0'));
  assert.deepEqual(options.routers?.map(formatIpv4), ['192.0.2.254', '192.0.2.253']);
  assert.deepEqual(options.dnsServers?.map(formatIpv4), ['192.0.2.53']);
  assert.equal(options.hostName, 'wire-host');
  assert.deepEqual(
    [options.leaseSeconds, options.renewalSeconds, options.rebindingSeconds],
    [86400, 43200, 75600],
  );
  assert.equal(options.serverIdentifier, parseIpv4('192.0.2.1'));
  assert.deepEqual([options.message, options.maxMessageSize], ['hello', 1472]);
});

test('what we encode `dhcp` decodes to the same fields', () => {
  const options = new DhcpOptionsBuilder()
    .messageType('DHCPACK')
    .serverIdentifier(parseIpv4('192.0.2.1'))
    .leaseSeconds(86400)
    .renewalSeconds(43200)
    .rebindingSeconds(75600)
    .subnetMask(parseIpv4('255.255.255.0'))
    .routers(['192.0.2.254', '192.0.2.253'].map(parseIpv4))
    .dnsServers([parseIpv4('192.0.2.53')])
    .hostName('wire-host')
    .message('hello')
    .maxMessageSize(1472)
    .build();
  const bytes = encodeDhcpMessage({
    op: 'BOOTREPLY',
    hops: 1,
    xid: 0xfedcba98,
    secs: 258,
    flags: 0x8000,
    ciaddr: parseIpv4('192.0.2.1'),
    yiaddr: parseIpv4('192.0.2.2'),
    siaddr: parseIpv4('192.0.2.3'),
    giaddr: parseIpv4('192.0.2.4'),
    chaddr: parseMac('02:00:00:00:00:c1'),
    sname: hex('736572766572'),
    file: hex('626f6f74'),
    options,
  });
  const parsed = { ...protocol.parse(Buffer.from(bytes)), magicCookie: undefined };
  assert.deepEqual(parsed, { ...FOREIGN, magicCookie: undefined });
});

test('a message of `dhcp` takes option 82 on its way and keeps the rest', () => {
  const { _data, _w } = protocol.format(FOREIGN);
  const inserted = insertRelayAgentInformation(_data.subarray(0, _w), { circuitId: hex('31') });
  const { options } = decodeDhcpMessage(inserted);
  assert.deepEqual(options.relayAgentInformation?.circuitId, hex('31'));
  assert.equal(options.rebindingSeconds, 75600);
});
