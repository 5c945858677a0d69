/** Each typed option: good, empty, too short, too long; and the builder's way back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { decodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DHCP_MESSAGE_TYPES } from '../../src/wire/dhcpv4-option-codes.js';
import { DhcpOptions } from '../../src/wire/dhcpv4-options.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { bootp, hex } from './fixtures/bytes.js';
import { throwsBng } from './fixtures/wire-errors.js';

type Accessor = Exclude<keyof DhcpOptions, 'get' | 'has' | 'entries'>;

interface Row {
  readonly accessor: Accessor;
  readonly code: number;
  /** Value bytes, from the option's section of its RFC. */
  readonly good: string;
  readonly value: unknown;
  /** Lengths that are wrong. */
  readonly wrong: readonly number[];
  readonly build: (builder: DhcpOptionsBuilder) => DhcpOptionsBuilder;
}

const A = parseIpv4('192.0.2.1');
const B = parseIpv4('198.51.100.53');
const AB = 'c0000201 c6336435';

// RFC 2132: §3.3, §3.5, §3.8, §3.14, §9.1, §9.2, §9.6, §9.7, §9.8, §9.9, §9.10, §9.11, §9.12, §9.13, §9.14; RFC 8910 §2.1.
const ROWS: readonly Row[] = [
  {
    accessor: 'subnetMask',
    code: 1,
    good: 'ffffff00',
    value: parseIpv4('255.255.255.0'),
    wrong: [0, 3, 5],
    build: (b) => b.subnetMask(parseIpv4('255.255.255.0')),
  },
  {
    accessor: 'routers',
    code: 3,
    good: AB,
    value: [A, B],
    wrong: [0, 3, 5],
    build: (b) => b.routers([A, B]),
  },
  {
    accessor: 'dnsServers',
    code: 6,
    good: AB,
    value: [A, B],
    wrong: [0, 3, 7],
    build: (b) => b.dnsServers([A, B]),
  },
  {
    accessor: 'hostName',
    code: 12,
    good: '686f7374',
    value: 'host',
    wrong: [0],
    build: (b) => b.hostName('host'),
  },
  {
    accessor: 'requestedAddress',
    code: 50,
    good: 'c0000201',
    value: A,
    wrong: [0, 3, 5],
    build: (b) => b.requestedAddress(A),
  },
  {
    accessor: 'leaseSeconds',
    code: 51,
    good: 'ffffffff',
    value: 0xffffffff,
    wrong: [0, 3, 5],
    build: (b) => b.leaseSeconds(0xffffffff),
  },
  {
    accessor: 'messageType',
    code: 53,
    good: '01',
    value: 'DHCPDISCOVER',
    wrong: [0, 2],
    build: (b) => b.messageType('DHCPDISCOVER'),
  },
  {
    accessor: 'serverIdentifier',
    code: 54,
    good: 'c0000201',
    value: A,
    wrong: [0, 3, 5],
    build: (b) => b.serverIdentifier(A),
  },
  {
    accessor: 'parameterRequestList',
    code: 55,
    good: '010306',
    value: hex('010306'),
    wrong: [0],
    build: (b) => b.parameterRequestList(hex('010306')),
  },
  {
    accessor: 'message',
    code: 56,
    good: '6e6f',
    value: 'no',
    wrong: [0],
    build: (b) => b.message('no'),
  },
  {
    accessor: 'maxMessageSize',
    code: 57,
    good: '05c0',
    value: 1472,
    wrong: [0, 1, 3],
    build: (b) => b.maxMessageSize(1472),
  },
  {
    accessor: 'renewalSeconds',
    code: 58,
    good: '00000708',
    value: 1800,
    wrong: [0, 3, 5],
    build: (b) => b.renewalSeconds(1800),
  },
  {
    accessor: 'rebindingSeconds',
    code: 59,
    good: '00000c4e',
    value: 3150,
    wrong: [0, 3, 5],
    build: (b) => b.rebindingSeconds(3150),
  },
  {
    accessor: 'vendorClass',
    code: 60,
    good: '6fe4',
    value: 'o\u00e4',
    wrong: [0],
    build: (b) => b.vendorClass('o\u00e4'),
  },
  {
    accessor: 'clientIdentifier',
    code: 61,
    good: '010200000000c1',
    value: hex('010200000000c1'),
    wrong: [0, 1],
    build: (b) => b.clientIdentifier(hex('010200000000c1')),
  },
  {
    accessor: 'captivePortal',
    code: 114,
    good: '68747470733a2f2f612f',
    value: 'https://a/',
    wrong: [0],
    build: (b) => b.captivePortal('https://a/'),
  },
];

const lengthByte = (length: number): string => length.toString(16).padStart(2, '0');

for (const { accessor, code, good, value, wrong, build } of ROWS) {
  const tlv = `${lengthByte(code)} ${lengthByte(hex(good).length)} ${good}`;

  test(`option ${code} is read as ${accessor} and built to the same bytes`, () => {
    const { options } = decodeDhcpMessage(bootp(`${tlv} ff`));
    assert.deepEqual(options[accessor], value);
    assert.deepEqual([...build(new DhcpOptionsBuilder()).build().entries()], [[code, hex(good)]]);
  });

  test(`option ${code}, when it is absent, is undefined`, () => {
    assert.equal(DhcpOptions.EMPTY[accessor], undefined);
  });

  for (const length of wrong) {
    test(`option ${code} with ${length} bytes is malformed, and the error names it`, () => {
      const { options } = decodeDhcpMessage(
        bootp(`${lengthByte(code)} ${lengthByte(length)} ${'01'.repeat(length)} ff`),
      );
      throwsBng(() => options[accessor], 'BNG_ERR_WIRE_MALFORMED', { option: code, length });
    });
  }

  test(`option ${code} cut off anywhere is truncated`, () => {
    const whole = bootp(tlv);
    for (let length = 241; length < whole.length; length++) {
      throwsBng(() => decodeDhcpMessage(whole.subarray(0, length)), 'BNG_ERR_WIRE_TRUNCATED', {
        option: code,
        offset: 240,
      });
    }
  });
}

test('RFC 2132 §9.6, RFC 3203 §4, RFC 4388 §6.1: the message types are the numbers 1 to 13', () => {
  const names = DHCP_MESSAGE_TYPES.map(
    (_, i) => new DhcpOptions(new Map([[53, Uint8Array.of(i + 1)]])).messageType,
  );
  assert.deepEqual(names, [
    'DHCPDISCOVER',
    'DHCPOFFER',
    'DHCPREQUEST',
    'DHCPDECLINE',
    'DHCPACK',
    'DHCPNAK',
    'DHCPRELEASE',
    'DHCPINFORM',
    'DHCPFORCERENEW',
    'DHCPLEASEQUERY',
    'DHCPLEASEUNASSIGNED',
    'DHCPLEASEUNKNOWN',
    'DHCPLEASEACTIVE',
  ]);
});

test('message types 0, 14 and 255 are not supported', () => {
  for (const type of [0, 14, 255]) {
    const options = new DhcpOptions(new Map([[53, Uint8Array.of(type)]]));
    throwsBng(() => options.messageType, 'BNG_ERR_WIRE_UNSUPPORTED', { option: 53, found: type });
  }
});

test('RFC 2132 §2: NULs at the end of a text are not part of it', () => {
  const options = new DhcpOptions(new Map([[12, hex('6100620000')]]));
  assert.equal(options.hostName, 'a\0b');
});

test('the builder refuses codes that are no options, overload, and values that must not be empty', () => {
  const builder = new DhcpOptionsBuilder();
  for (const code of [0, 255, -1, 256, 1.5, 52]) {
    throwsBng(() => builder.raw(code, hex('00')), 'BNG_ERR_VALUE', { found: code });
  }
  throwsBng(() => builder.routers([]), 'BNG_ERR_VALUE', { option: 3 });
  throwsBng(() => builder.hostName(''), 'BNG_ERR_VALUE', { option: 12 });
});

test('what a builder has built does not change when the builder goes on', () => {
  const builder = new DhcpOptionsBuilder().messageType('DHCPOFFER');
  const offer = builder.build();
  builder.messageType('DHCPACK').leaseSeconds(1);
  assert.equal(offer.messageType, 'DHCPOFFER');
  assert.equal(offer.leaseSeconds, undefined);
});
