/** Option 82: sub-options, and putting it into and out of raw messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptions } from '../../src/wire/dhcpv4-options.js';
import {
  decodeRelayAgentInformation,
  encodeRelayAgentInformation,
  insertRelayAgentInformation,
  removeRelayAgentInformation,
} from '../../src/wire/option82.js';
import { bootp, capturedDhcp, hex, payloadOf } from './fixtures/bytes.js';
import { throwsBng } from './fixtures/wire-errors.js';

const CIRCUIT = new Uint8Array(Buffer.from('agg-01|1/1/1'));
const REMOTE = new Uint8Array(Buffer.from('ONT00000001'));
const LINE = { circuitId: CIRCUIT, remoteId: REMOTE };
const OPTION = '521b 010c 6167672d30317c312f312f31 020b 4f4e543030303030303031';

test('RFC 3046 §2.0: circuit-id and remote-id stand as sub-options 1 and 2 and come back', () => {
  const value = encodeRelayAgentInformation(LINE);
  assert.deepEqual(value, hex(OPTION).subarray(2));
  const info = decodeRelayAgentInformation(value);
  assert.deepEqual([info.circuitId, info.remoteId], [CIRCUIT, REMOTE]);
  assert.deepEqual([info.linkSelection, info.serverIdOverride], [undefined, undefined]);
});

test('RFC 3527: link selection is sub-option 5; RFC 5107: server identifier override is sub-option 11', () => {
  const value = hex('0504c0000200 0b04c0000201');
  const info = decodeRelayAgentInformation(value);
  assert.deepEqual([info.linkSelection, info.serverIdOverride], [hex('c0000200'), hex('c0000201')]);
  assert.deepEqual(encodeRelayAgentInformation(info), value);
});

test('circuit-id and remote-id are opaque: any bytes, also none', () => {
  const info = decodeRelayAgentInformation(hex('010400ff5201 0200'));
  assert.deepEqual(info.circuitId, hex('00ff5201'));
  assert.deepEqual(info.remoteId, new Uint8Array(0));
});

test('RFC 3046 §2.0: unknown sub-options are kept, and 0 and 255 are neither pad nor end', () => {
  const info = decodeRelayAgentInformation(hex('000161 ff0162 970163'));
  assert.deepEqual([...info.subOptions.keys()], [0, 255, 151]);
});

for (const [what, value, offset] of [
  ['an empty option', '', 0],
  ['a sub-option without a length', '01', 0],
  ['a sub-option that runs over the end', '010361', 0],
  ['a second sub-option that is cut off', '010161 02', 3],
  ['a sub-option that comes twice', '010161 010162', 3],
] as const) {
  test(`${what} is malformed, and the error names option 82`, () => {
    const options = new DhcpOptions(new Map([[82, hex(value)]]));
    throwsBng(() => options.relayAgentInformation, 'BNG_ERR_WIRE_MALFORMED', { option: 82, offset });
  });
}

test('an option 82 without sub-options or with too long ones is not written', () => {
  throwsBng(() => encodeRelayAgentInformation({}), 'BNG_ERR_VALUE');
  throwsBng(() => encodeRelayAgentInformation({ circuitId: new Uint8Array(256) }), 'BNG_ERR_VALUE');
  const two = { circuitId: new Uint8Array(200), remoteId: new Uint8Array(200) };
  throwsBng(() => insertRelayAgentInformation(bootp('ff'), two), 'BNG_ERR_VALUE');
});

for (const { name, frame } of capturedDhcp) {
  test(`RFC 3046 §2.1: into ${name} the option goes as the last before END, and out again without a trace`, () => {
    const payload = payloadOf(frame);
    const inserted = insertRelayAgentInformation(payload, LINE);
    const at = Buffer.from(inserted).indexOf(Buffer.from(hex(`${OPTION} ff`)));
    assert.ok(at > 240);
    assert.deepEqual(inserted.subarray(0, at), payload.subarray(0, at));
    assert.deepEqual(inserted.subarray(at + hex(OPTION).length), payload.subarray(at));
    assert.deepEqual(removeRelayAgentInformation(inserted), payload);
    const { options } = decodeDhcpMessage(inserted);
    assert.deepEqual(options.relayAgentInformation?.circuitId, CIRCUIT);
    assert.deepEqual(options.relayAgentInformation?.remoteId, REMOTE);
    const rest = [...options.entries()].filter(([code]) => code !== 82);
    assert.deepEqual(rest, [...decodeDhcpMessage(payload).options.entries()]);
  });
}

test('in a message without END the option goes behind the last option', () => {
  const inserted = insertRelayAgentInformation(bootp('350101 0000'), LINE);
  assert.deepEqual(inserted, bootp(`350101 ${OPTION} 0000`));
});

test('the input is not changed and not shared', () => {
  const payload = bootp('350101 ff');
  const inserted = insertRelayAgentInformation(payload, LINE);
  const removed = removeRelayAgentInformation(payload);
  inserted.fill(0);
  removed.fill(0);
  assert.deepEqual(payload, bootp('350101 ff'));
});

test('RFC 3046 §2.1.1: a message that has the option already is refused', () => {
  throwsBng(
    () => insertRelayAgentInformation(bootp(`350101 ${OPTION} ff`), LINE),
    'BNG_ERR_WIRE_UNSUPPORTED',
    {
      offset: 243,
    },
  );
});

test('an option 82 hidden in an overloaded file or sname field is found and refused', () => {
  for (const [overload, fields, offset] of [
    ['01', { file: `${OPTION} ff` }, 108],
    ['02', { sname: `${OPTION} ff` }, 44],
    ['03', { file: 'ff', sname: `00 ${OPTION}` }, 45],
  ] as const) {
    const payload = bootp(`3401${overload} ff`, fields);
    throwsBng(() => insertRelayAgentInformation(payload, LINE), 'BNG_ERR_WIRE_UNSUPPORTED', { offset });
    const removed = removeRelayAgentInformation(payload);
    assert.equal(removed.length, payload.length);
    assert.equal(decodeDhcpMessage(removed).options.has(82), false);
  }
});

test('RFC 3396 §7: an overload option in two pieces hides no option 82, whichever of them is empty', () => {
  for (const overload of ['340102 3400', '3400 340102']) {
    const payload = bootp(`${overload} ff`, { sname: '5203010161 ff' });
    throwsBng(() => insertRelayAgentInformation(payload, LINE), 'BNG_ERR_WIRE_UNSUPPORTED', { offset: 44 });
    assert.equal(decodeDhcpMessage(removeRelayAgentInformation(payload)).options.has(82), false);
  }
  throwsBng(() => insertRelayAgentInformation(bootp('3400 ff'), LINE), 'BNG_ERR_WIRE_MALFORMED');
});

test('the bytes of an option 82 inside a file name that is no overload are left alone', () => {
  const payload = bootp('350101 ff', { file: `${OPTION} ff` });
  assert.deepEqual(removeRelayAgentInformation(insertRelayAgentInformation(payload, LINE)), payload);
});

test('every piece of the option is removed, wherever it stands, and none behind END', () => {
  const payload = bootp(`5203010161 350101 5203010162 0c0161 ff ${OPTION}`);
  assert.deepEqual(removeRelayAgentInformation(payload), bootp(`350101 0c0161 ff ${OPTION}`));
});

test('what is no DHCP message is refused', () => {
  for (const act of [(p: Uint8Array) => insertRelayAgentInformation(p, LINE), removeRelayAgentInformation]) {
    throwsBng(() => act(bootp('ff').subarray(0, 239)), 'BNG_ERR_WIRE_TRUNCATED');
    throwsBng(() => act(new Uint8Array(300)), 'BNG_ERR_WIRE_MALFORMED', { offset: 236 });
    throwsBng(() => act(bootp('0c05')), 'BNG_ERR_WIRE_TRUNCATED', { offset: 240 });
  }
});
