/** Option overload (RFC 2132 §9.3) in both directions, and the largest size of a message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDhcpMessage, encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { bootp, hex } from './fixtures/bytes.js';
import { throwsBng } from './fixtures/wire-errors.js';

/** 0, 1, 2 … as the value of an option. */
function filled(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

function draft(options: DhcpOptionsBuilder) {
  const { chaddr } = decodeDhcpMessage(bootp('ff'));
  return { op: 'BOOTREPLY', xid: 7, chaddr, options: options.build() } as const;
}

test('option 52 = 1 has options in file, = 2 in sname, = 3 in both', () => {
  for (const [value, host, vendor] of [
    ['01', 'f', undefined],
    ['02', undefined, 's'],
    ['03', 'f', 's'],
  ] as const) {
    const bytes = bootp(`3401${value} 350101 ff`, { file: '0c0166 ff', sname: '3c0173 ff' });
    const { options, file, sname } = decodeDhcpMessage(bytes);
    assert.deepEqual(
      [options.messageType, options.hostName, options.vendorClass],
      ['DHCPDISCOVER', host, vendor],
    );
    assert.equal(file.length, host === undefined ? 128 : 0);
    assert.equal(sname.length, vendor === undefined ? 64 : 0);
    assert.equal(options.has(52), false);
  }
});

test('RFC 3396 §5: pieces are joined in the order options, file, sname', () => {
  const bytes = bootp('340103 0c0161 ff', { file: '0c0162 ff', sname: '0c0163 ff' });
  assert.equal(decodeDhcpMessage(bytes).options.hostName, 'abc');
});

test('overload other than 1, 2, 3 in one byte is malformed', () => {
  for (const option of ['340100', '340104', '3400', '34020101']) {
    throwsBng(() => decodeDhcpMessage(bootp(`${option} ff`)), 'BNG_ERR_WIRE_MALFORMED', { option: 52 });
  }
});

test('an option that runs over the end of file does not go on in the cookie', () => {
  const file = `0c 7f ${'61'.repeat(126)}`;
  throwsBng(() => decodeDhcpMessage(bootp('340101 ff', { file })), 'BNG_ERR_WIRE_TRUNCATED', {
    offset: 108,
    option: 12,
  });
});

test('a message that fits is not overloaded, one byte more is', () => {
  // 548 = 240 + 3 (type) + 2 + 255 + 2 + n + 1 (END)
  const build = (n: number) =>
    encodeDhcpMessage(
      draft(new DhcpOptionsBuilder().messageType('DHCPACK').raw(43, filled(255, 0)).raw(61, filled(n, 9))),
    );
  assert.equal(build(45).length, 548);
  assert.equal(decodeDhcpMessage(build(45)).file.length, 128);
  assert.ok(build(46).length <= 548);
  assert.equal(decodeDhcpMessage(build(46)).file.length, 0);
  assert.deepEqual(decodeDhcpMessage(build(46)).options.get(61), filled(46, 9));
});

test('options that do not fit 576 bytes go to file and sname, with option 82 last and nothing lost', () => {
  const builder = new DhcpOptionsBuilder()
    .messageType('DHCPOFFER')
    .raw(43, filled(200, 1))
    .raw(12, filled(120, 2))
    .raw(56, filled(55, 3))
    .relayAgentInformation({ circuitId: filled(60, 4) });
  const bytes = encodeDhcpMessage(draft(builder), { maxMessageSize: 300 });
  assert.ok(bytes.length <= 548, String(bytes.length));
  const message = decodeDhcpMessage(bytes);
  assert.deepEqual(new Map(message.options.entries()), new Map(builder.build().entries()));
  assert.deepEqual([message.file.length, message.sname.length], [0, 0]);
  assert.equal(bytes[bytes.length - 1], 255);
  assert.equal(bytes[bytes.length - 1 - 64], 82);
});

test('a value that fits no field whole is cut over the fields', () => {
  const builder = new DhcpOptionsBuilder().messageType('DHCPACK').raw(43, filled(450, 1));
  const bytes = encodeDhcpMessage(draft(builder));
  assert.ok(bytes.length <= 548);
  assert.deepEqual(decodeDhcpMessage(bytes).options.get(43), filled(450, 1));
});

test('a larger size of the receiver needs no overload', () => {
  const builder = new DhcpOptionsBuilder().messageType('DHCPACK').raw(43, filled(450, 1));
  const message = decodeDhcpMessage(encodeDhcpMessage(draft(builder), { maxMessageSize: 1500 }));
  assert.equal(message.file.length, 128);
  assert.deepEqual(message.options.get(43), filled(450, 1));
});

test('a used file field is left alone', () => {
  const builder = new DhcpOptionsBuilder()
    .messageType('DHCPACK')
    .raw(43, filled(250, 1))
    .raw(12, filled(60, 1));
  const message = decodeDhcpMessage(encodeDhcpMessage({ ...draft(builder), file: hex('626f6f74') }));
  assert.deepEqual(message.file.subarray(0, 5), hex('626f6f7400'));
  assert.deepEqual(message.options.get(12), filled(60, 1));
});

test('options that fit nowhere are an error, not left out', () => {
  for (const length of [500, 1200]) {
    const builder = new DhcpOptionsBuilder().messageType('DHCPACK').raw(43, filled(length, 1));
    throwsBng(() => encodeDhcpMessage(draft(builder)), 'BNG_ERR_VALUE', { option: 43 });
  }
  const relay = new DhcpOptionsBuilder().raw(82, filled(400, 1));
  throwsBng(() => encodeDhcpMessage(draft(relay)), 'BNG_ERR_VALUE', { option: 82 });
});
