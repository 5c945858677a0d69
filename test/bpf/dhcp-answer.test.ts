/**
 * DHCP answered in XDP: what leaves is, byte for byte, what user space sends for the same frame; what is out of the
 * ordinary is punted. User space is the real one, asked with the same frame.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { IPV4_ANY, formatIpv4 } from '../../src/model/ipv4.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { poolOf } from '../support/inner-bng.js';
import { address, mac } from '../support/packet.js';
import { dhclientFrames } from '../wire/fixtures/dhclient.js';
import { dhcpcdFrames } from '../wire/fixtures/dhcpcd.js';
import { udhcpcFrames } from '../wire/fixtures/udhcpc.js';
import {
  type RawFrame,
  type RawMessage,
  type RawOption,
  frame,
  message,
  option82,
  replayed,
  text,
  u32,
  u8,
  udpOffset,
} from './dhcp-frames.js';
import { Twin, type TwinLine } from './dhcp-twin.js';
import { enterNamespace } from './namespace.js';

enterNamespace(import.meta.url);

const GARDEN = poolOf('wgar', '10.255.0.0/24', {
  renewSeconds: 100,
  rebindSeconds: 400,
  options: [{ code: 26, type: 'u16', value: 1492 }],
});
const GATEWAY = '10.255.0.1';
const LINES = {
  plain: { mac: '02:00:00:00:10:01', tags: [] },
  untagged: { mac: '02:00:00:00:10:02', tags: [], remoteId: 'ONT-UNTAGGED' },
  single: {
    mac: '02:00:00:00:10:03',
    tags: [[0x8100, 610]],
    circuitId: 'agg-01 eth 1/1/3',
    remoteId: 'ONT-SINGLE',
  },
  qinq: {
    mac: '02:00:00:00:10:04',
    tags: [
      [0x88a8, 620],
      [0x8100, 4],
    ],
    circuitId: 'agg-01 eth 1/1/04:620.4',
    remoteId: 'ONT-QINQ',
  },
} as const satisfies Record<string, TwinLine>;

const twin = new Twin([GARDEN]);
after(() => twin.close());
const leased = new Map<TwinLine, Ipv4>();
before(async () => {
  for (const line of Object.values(LINES)) leased.set(line, await twin.bind(line));
});

function addressOf(line: TwinLine): number {
  return leased.get(line) ?? IPV4_ANY;
}

const DISCOVER: RawOption = [53, u8(1)];
const REQUEST: RawOption = [53, u8(3)];
const SERVER: RawOption = [54, u32(address(GATEWAY))];
const WANTS: RawOption = [55, Uint8Array.of(1, 3, 6, 15, 26, 28, 51, 58, 59)];
const requested = (line: TwinLine): RawOption => [50, u32(addressOf(line))];
const clientId = (line: TwinLine): RawOption => [61, Buffer.concat([u8(1), mac(line.mac)])];

interface Case {
  readonly name: string;
  /** Made when the lines have their addresses; option 82 is in it where it is wanted. */
  readonly of: (line: TwinLine) => RawMessage;
  readonly frame?: (line: TwinLine) => RawFrame;
  /** The last word on the bytes. */
  readonly spoil?: (bytes: Buffer, line: TwinLine) => Buffer;
  /** Which lines it is about; default: all. */
  readonly where?: (line: TwinLine) => boolean;
}

const renewal = (line: TwinLine): RawFrame => ({
  source: formatIpv4(addressOf(line) as Ipv4),
  destination: GATEWAY,
  destinationMac: '02:00:00:00:00:fe',
});

function select(line: TwinLine, ...more: readonly RawOption[]): RawMessage {
  return {
    options: [REQUEST, requested(line), SERVER, clientId(line), WANTS, ...more, ...option82(line)],
  };
}

/** The recorded DISCOVER and REQUEST of real clients, option 82 in front of and behind the client's own. */
function replays(
  clients: Readonly<Record<string, Pick<typeof dhclientFrames, 'discover' | 'request'>>>,
): readonly Case[] {
  return Object.entries(clients).flatMap(([client, frames]) =>
    (['discover', 'request'] as const).flatMap((kind) =>
      (['first', 'last'] as const).map((where) => ({
        name: `the ${kind} of ${client}, option 82 ${where}`,
        of: (line: TwinLine): RawMessage => {
          const raw = replayed(frames[kind], line, { address: addressOf(line), serverId: GATEWAY });
          const own = option82(line);
          return { ...raw, options: where === 'first' ? [...own, ...raw.options] : [...raw.options, ...own] };
        },
      })),
    ),
  );
}

const ANSWERED: readonly Case[] = [
  {
    name: 'renewal of a client that has a nonce (RFC 6704)',
    of: (line) => ({
      ciaddr: addressOf(line),
      options: [REQUEST, clientId(line), [145, u8(1)], ...option82(line)],
    }),
    frame: renewal,
  },
  { name: 'DISCOVER', of: (line) => ({ options: [DISCOVER, WANTS, ...option82(line)] }) },
  {
    name: 'DISCOVER that asks for the address',
    of: (line) => ({ options: [DISCOVER, requested(line), clientId(line), ...option82(line)] }),
  },
  {
    name: 'DISCOVER that asks for another address',
    of: (line) => ({ options: [DISCOVER, [50, u32(1)], ...option82(line)] }),
  },
  { name: 'REQUEST in SELECTING', of: (line) => select(line) },
  {
    name: 'REQUEST in INIT-REBOOT',
    of: (line) => ({ options: [REQUEST, clientId(line), requested(line), ...option82(line)] }),
  },
  {
    name: 'REQUEST in RENEWING, unicast',
    of: (line) => ({
      ciaddr: addressOf(line),
      options: [REQUEST, clientId(line), WANTS, ...option82(line)],
    }),
    frame: renewal,
  },
  {
    name: 'REQUEST in REBINDING, broadcast',
    of: (line) => ({ ciaddr: addressOf(line), options: [REQUEST, clientId(line), ...option82(line)] }),
    frame: (line) => ({ source: formatIpv4(addressOf(line) as Ipv4) }),
  },
  {
    name: 'renewal that names another address in option 50',
    of: (line) => ({ ciaddr: addressOf(line), options: [REQUEST, [50, u32(7)], ...option82(line)] }),
    frame: renewal,
  },
  {
    name: 'DISCOVER with the broadcast flag',
    of: (line) => ({ flags: 0x8000, options: [DISCOVER, ...option82(line)] }),
  },
  { name: 'REQUEST with the broadcast flag', of: (line) => ({ ...select(line), flags: 0x8000 }) },
  { name: 'all flag bits but broadcast', of: (line) => ({ ...select(line), flags: 0x7fff }) },
  {
    name: 'renewal with the broadcast flag',
    of: (line) => ({ flags: 0x8000, ciaddr: addressOf(line), options: [REQUEST, ...option82(line)] }),
    frame: renewal,
  },
  {
    name: 'DISCOVER with ciaddr',
    of: (line) => ({ ciaddr: addressOf(line), options: [DISCOVER, ...option82(line)] }),
  },
  {
    name: 'option 82 first',
    of: (line) => ({ options: [...option82(line), REQUEST, requested(line), SERVER, clientId(line)] }),
  },
  {
    name: 'option 82 in the middle',
    of: (line) => ({ options: [REQUEST, requested(line), ...option82(line), clientId(line), SERVER] }),
  },
  {
    name: 'option 53 last',
    of: (line) => ({ options: [clientId(line), WANTS, requested(line), ...option82(line), REQUEST] }),
  },
  {
    name: 'pads between options',
    of: (line) => ({
      options: [[0, new Uint8Array(3)], REQUEST, [0, u8(0)], requested(line), ...option82(line), [0, u8(0)]],
    }),
  },
  {
    name: 'no padding behind END',
    of: (line) => ({ ...select(line), length: 0 }),
  },
  { name: 'a message padded to 548 bytes', of: (line) => ({ ...select(line), length: 548 }) },
  { name: 'a message padded to 1,000 bytes', of: (line) => ({ ...select(line), length: 1000 }) },
  {
    name: 'a client id of one byte',
    of: (line) => ({ options: [DISCOVER, [61, u8(9)], ...option82(line)] }),
  },
  {
    name: 'a client id of no byte',
    of: (line) => ({ options: [DISCOVER, [61, new Uint8Array(0)], ...option82(line)] }),
  },
  {
    name: 'a DUID as client id',
    of: (line) => ({
      options: [
        DISCOVER,
        [61, Buffer.from('ff000000010001000129c2b6a4020000001001', 'hex')],
        ...option82(line),
      ],
    }),
  },
  {
    name: 'a client id that makes the answer longer than 300 bytes',
    of: (line) => ({ options: [REQUEST, requested(line), [61, Buffer.alloc(90, 7)], ...option82(line)] }),
  },
  {
    name: 'a client id that makes the answer longer than the request',
    of: (line) => ({
      options: [DISCOVER, [61, Buffer.alloc(40, 7)], ...option82(line)],
      length: 0,
    }),
  },
  {
    name: 'a client id of 160 odd bytes',
    of: (line) => ({ options: [DISCOVER, [61, Buffer.alloc(161, 0xfe)], ...option82(line)] }),
  },
  {
    name: 'a maximum size of 576',
    of: (line) => select(line, [57, Uint8Array.of(2, 0x40)]),
  },
  { name: 'a maximum size below 576', of: (line) => select(line, [57, Uint8Array.of(0, 1)]) },
  { name: 'a maximum size of 65,535', of: (line) => select(line, [57, Uint8Array.of(255, 255)]) },
  {
    name: 'Windows: vendor class, FQDN and host name before the list',
    of: (line) => ({
      secs: 0x300,
      options: [
        REQUEST,
        clientId(line),
        requested(line),
        SERVER,
        [12, text('DESKTOP-4F1A')],
        [81, Buffer.concat([Uint8Array.of(0, 0, 0), text('DESKTOP-4F1A')])],
        [60, text('MSFT 5.0')],
        [55, Uint8Array.of(1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252)],
        ...option82(line),
      ],
    }),
  },
  {
    name: 'Android: client id, maximum size, vendor class and rapid-commit-like options',
    of: (line) => ({
      options: [
        DISCOVER,
        clientId(line),
        [57, Uint8Array.of(5, 0xdc)],
        [60, text('android-dhcp-14')],
        [12, text('Pixel-8')],
        [55, Uint8Array.of(1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108)],
        [108, u32(0)],
        ...option82(line),
      ],
    }),
  },
  {
    name: 'irrelevant options that come twice',
    of: (line) => select(line, [12, text('a')], [12, text('b')], [77, u8(1)]),
  },
  {
    name: 'bytes behind the MAC in chaddr',
    of: (line) => ({ ...select(line), chaddrTail: Buffer.alloc(10, 0x5a) }),
  },
  {
    name: 'text in sname and file',
    of: (line) => ({ ...select(line), sname: text('server'), file: text('/boot/image') }),
  },
  { name: 'hops and seconds', of: (line) => ({ ...select(line), hops: 3, secs: 17 }) },
  { name: 'Ethernet padding behind the packet', of: (line) => select(line), frame: () => ({ trailer: 33 }) },
  { name: 'another source port', of: (line) => select(line), frame: () => ({ sourcePort: 1068 }) },
  {
    name: 'no UDP checksum',
    of: (line) => select(line),
    spoil: (bytes, line) => putChecksum(bytes, line, 0),
  },
  {
    name: 'a message behind a relay',
    of: (line) => ({ ...select(line), giaddr: address('10.255.0.1'), hops: 1 }),
    frame: () => ({
      source: '192.0.2.77',
      destination: GATEWAY,
      sourcePort: 67,
      sourceMac: '02:00:00:00:0e:01',
    }),
  },
  {
    name: 'a DISCOVER with the broadcast flag behind a relay',
    of: (line) => ({ giaddr: address('192.0.2.77'), flags: 0x8000, options: [DISCOVER, ...option82(line)] }),
    frame: () => ({
      source: '192.0.2.77',
      destination: GATEWAY,
      sourcePort: 67,
      sourceMac: '02:00:00:00:0e:01',
    }),
  },
  ...replays({ udhcpc: udhcpcFrames, dhclient: dhclientFrames }),
];

function putChecksum(bytes: Buffer, line: TwinLine, value: number): Buffer {
  bytes.writeUInt16BE(value, udpOffset(line) + 6);
  return bytes;
}

function build({ of, frame: around, spoil }: Case, line: TwinLine): Buffer {
  const bytes = frame(line, message(line, of(line)), around?.(line));
  return spoil?.(bytes, line) ?? bytes;
}

describe('XDP answers as user space does', () => {
  for (const [where, line] of Object.entries(LINES)) {
    for (const one of ANSWERED) {
      test(`${one.name} (${where})`, async () => {
        const { verdicts, answered, sent } = await twin.ask(line, build(one, line));
        assert.deepEqual(verdicts, ['dhcp_reply']);
        assert.equal(sent.length, 1);
        assert.equal(answered?.toString('hex'), sent[0]!.toString('hex'));
      });
    }
  }

  test('tags keep their priority', async () => {
    const line = LINES.qinq;
    const bytes = frame(line, message(line, select(line)), { priority: 5 });
    const { answered, sent } = await twin.ask(line, bytes);
    assert.equal(answered?.toString('hex'), sent[0]!.toString('hex'));
  });
});

const PUNTED: readonly Case[] = [
  // It offers to understand nonces, in each message.
  ...replays({ dhcpcd: dhcpcdFrames }),
  { name: 'INFORM', of: (line) => ({ ciaddr: addressOf(line), options: [[53, u8(8)], ...option82(line)] }) },
  { name: 'an unknown message type', of: (line) => ({ options: [[53, u8(99)], ...option82(line)] }) },
  { name: 'BOOTP without a type', of: (line) => ({ options: [...option82(line)] }) },
  {
    name: 'a REQUEST for another address (NAK)',
    of: (line) => ({ options: [REQUEST, [50, u32(address('10.255.0.200'))], SERVER, ...option82(line)] }),
  },
  {
    name: 'a renewal of another address (NAK)',
    of: (line) => ({ ciaddr: address('10.255.0.200'), options: [REQUEST, ...option82(line)] }),
  },
  {
    name: 'a REQUEST for another server',
    of: (line) => ({ options: [REQUEST, requested(line), [54, u32(1)], ...option82(line)] }),
  },
  { name: 'a REQUEST without an address', of: (line) => ({ options: [REQUEST, SERVER, ...option82(line)] }) },
  {
    name: 'another option 82',
    of: () => ({ options: [DISCOVER, [82, Buffer.from('0201580101', 'hex')]] }),
  },
  {
    name: 'an option 82 in two pieces',
    of: (line) => ({ options: [DISCOVER, ...option82(line), [82, u8(1)]] }),
  },
  {
    name: 'a client id in two pieces',
    of: (line) => ({ options: [DISCOVER, clientId(line), clientId(line), ...option82(line)] }),
  },
  { name: 'two message types', of: (line) => ({ options: [DISCOVER, REQUEST, ...option82(line)] }) },
  { name: 'two requested addresses', of: (line) => select(line, requested(line)) },
  { name: 'two server ids', of: (line) => select(line, SERVER) },
  {
    name: 'two maximum sizes',
    of: (line) => select(line, [57, Uint8Array.of(2, 64)], [57, Uint8Array.of(2, 64)]),
  },
  {
    name: 'a message type of two bytes',
    of: (line) => ({ options: [[53, Uint8Array.of(1, 1)], ...option82(line)] }),
  },
  {
    name: 'a requested address of three bytes',
    of: (line) => ({ options: [DISCOVER, [50, new Uint8Array(3)], ...option82(line)] }),
  },
  {
    name: 'a server id of five bytes',
    of: (line) => ({ options: [DISCOVER, [54, new Uint8Array(5)], ...option82(line)] }),
  },
  {
    name: 'a maximum size of one byte',
    of: (line) => ({ options: [DISCOVER, [57, new Uint8Array(1)], ...option82(line)] }),
  },
  {
    name: 'overload',
    of: (line) => ({ ...select(line, [52, u8(1)]), file: Buffer.of(12, 1, 65, 255) }),
  },
  { name: 'REQUEST of a client that is given a nonce (RFC 6704)', of: (line) => select(line, [145, u8(1)]) },
  {
    name: 'DISCOVER of a client that is offered one',
    of: (line) => ({ options: [DISCOVER, [145, u8(1)], ...option82(line)] }),
  },
  { name: 'no END', of: (line) => ({ ...select(line), end: false, length: 0 }) },
  {
    name: 'an option that runs over the end',
    of: (line) => ({ ...select(line), end: false, length: 0 }),
    spoil: (bytes, line) => {
      const cut = Buffer.from(bytes.subarray(0, bytes.length - 1));
      cut.writeUInt16BE(cut.length - (udpOffset(line) - 20), udpOffset(line) - 18);
      cut.writeUInt16BE(cut.length - udpOffset(line), udpOffset(line) + 4);
      return putChecksum(cut, line, 0);
    },
  },
  {
    name: 'more options and pads than XDP looks at',
    of: (line) => ({ options: [[0, new Uint8Array(48)], DISCOVER, ...option82(line)] }),
  },
  {
    name: 'an answer longer than 548 bytes',
    of: (line) => ({
      options: [DISCOVER, [61, Buffer.alloc(255, 1)], [57, Uint8Array.of(5, 220)], ...option82(line)],
      length: 0,
    }),
    where: (line) => line.remoteId !== undefined,
  },
  { name: 'a message longer than XDP reads', of: (line) => ({ ...select(line), length: 1040 }) },
  { name: 'a BOOTREPLY', of: (line) => ({ ...select(line), op: 2 }) },
  { name: 'other hardware', of: (line) => ({ ...select(line), hardware: [6, 6] }) },
  { name: 'another length of hardware address', of: (line) => ({ ...select(line), hardware: [1, 16] }) },
  { name: 'another cookie', of: (line) => ({ ...select(line), cookie: 0x63825364 }) },
  { name: "a neighbour's chaddr", of: (line) => ({ ...select(line), chaddr: mac('02:00:00:00:77:77') }) },
  {
    name: 'a group address as chaddr',
    of: (line) => ({ ...select(line), chaddr: mac('03:00:00:00:10:04') }),
  },
  {
    name: 'IPv4 options',
    of: (line) => select(line),
    frame: () => ({ ipOptions: Buffer.of(1, 1, 1, 0) }),
  },
  {
    name: 'a wrong IPv4 checksum',
    of: (line) => select(line),
    spoil: (bytes, line) => {
      bytes[udpOffset(line) - 10]! ^= 1;
      return bytes;
    },
  },
  {
    name: 'a wrong UDP checksum',
    of: (line) => select(line),
    spoil: (bytes, line) => putChecksum(bytes, line, 0x1234),
  },
  {
    name: 'a UDP length beyond the packet',
    of: (line) => select(line),
    spoil: (bytes, line) => {
      bytes.writeUInt16BE(bytes.length, udpOffset(line) + 4);
      return putChecksum(bytes, line, 0);
    },
  },
  { name: 'a message without room for options', of: () => ({ options: [], end: false, length: 0 }) },
];

describe('XDP leaves to user space', () => {
  for (const [where, line] of Object.entries(LINES)) {
    for (const one of PUNTED.filter((each) => each.where?.(line) ?? true)) {
      test(`${one.name} (${where})`, async () => {
        const { verdicts } = await twin.ask(line, build(one, line));
        assert.deepEqual(verdicts, ['punt']);
      });
    }
  }
});
