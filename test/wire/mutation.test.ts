/** Mutated and cut input: every decoder gives a value or a wire error, nothing else. The seeds make each run the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArp } from '../../src/wire/arp.js';
import { decodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import type { DhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { decodeDhcpMessage, encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { decodeClasslessRoutes } from '../../src/wire/classless-routes.js';
import {
  AuthenticationInformation,
  decodeDhcpAuthentication,
  reconfigureKey,
} from '../../src/wire/dhcpv4-authentication.js';
import { DhcpOptions } from '../../src/wire/dhcpv4-options.js';
import { decodeEthernet } from '../../src/wire/ethernet.js';
import { decodeIpv4Udp } from '../../src/wire/ipv4-udp.js';
import {
  decodeRelayAgentInformation,
  encodeRelayAgentInformation,
  insertRelayAgentInformation,
  removeRelayAgentInformation,
} from '../../src/wire/option82.js';
import { mutate, seededRandom } from '../support/mutate.js';
import { bootp, capturedArp, capturedDhcp, capturedFrames, hex, payloadOf } from './fixtures/bytes.js';
import { isValueOrWireError } from './fixtures/wire-errors.js';

const MUTATIONS = 20_000;

const LINE = { circuitId: hex('6167672d30317c312f312f31'), remoteId: hex('4f4e543031') };

const PAYLOADS = [
  ...capturedDhcp.map(({ frame }) => payloadOf(frame)),
  ...capturedDhcp.map(({ frame }) => insertRelayAgentInformation(payloadOf(frame), LINE)),
  bootp('340103 350101 390205c0 ff', { file: '0c0161 3d020102 ff', sname: '5203010161 ff' }),
];

const ACCESSORS = Object.entries(Object.getOwnPropertyDescriptors(DhcpOptions.prototype))
  .filter(([, descriptor]) => 'get' in descriptor)
  .map(([name]) => name as Exclude<keyof DhcpOptions, 'get' | 'has' | 'entries'>);

/** Accessors have their own errors, none of which may spoil another option. */
function readAllOptions(message: DhcpMessage): void {
  for (const accessor of ACCESSORS) isValueOrWireError(() => message.options[accessor]);
}

const DECODERS: readonly {
  readonly name: string;
  readonly inputs: readonly Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
}[] = [
  { name: 'decodeEthernet', inputs: capturedFrames.map(({ frame }) => frame), decode: decodeEthernet },
  { name: 'decodeArp', inputs: capturedArp.map(({ frame }) => frame.slice(14)), decode: (b) => decodeArp(b) },
  {
    name: 'decodeIpv4Udp',
    inputs: capturedDhcp.map(({ frame }) => frame.slice(14)),
    decode: (b) => decodeIpv4Udp(b),
  },
  { name: 'decodeDhcpFrame', inputs: capturedDhcp.map(({ frame }) => frame), decode: decodeDhcpFrame },
  {
    name: 'decodeDhcpMessage with every accessor',
    inputs: PAYLOADS,
    decode: (b) => readAllOptions(decodeDhcpMessage(b)),
  },
  {
    name: 'decodeRelayAgentInformation',
    inputs: [encodeRelayAgentInformation(LINE), hex('0504c0000200 0b04c0000201')],
    decode: decodeRelayAgentInformation,
  },
  {
    name: 'insertRelayAgentInformation',
    inputs: PAYLOADS,
    decode: (b) => insertRelayAgentInformation(b, LINE),
  },
  {
    name: 'decodeClasslessRoutes',
    inputs: [hex('00c0000201'), hex('080ac0000201 190ae50080c0000202 200ac67a2fc0000203')],
    decode: decodeClasslessRoutes,
  },
  {
    name: 'decodeDhcpAuthentication',
    inputs: [reconfigureKey(AuthenticationInformation.Nonce, 7n)],
    decode: decodeDhcpAuthentication,
  },
  { name: 'removeRelayAgentInformation', inputs: PAYLOADS, decode: removeRelayAgentInformation },
];

for (const [index, { name, inputs, decode }] of DECODERS.entries()) {
  test(`${name} gives a value or a wire error for ${MUTATIONS} mutated inputs`, () => {
    const random = seededRandom(index + 1);
    let values = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutate(inputs[i % inputs.length]!, random);
      if (isValueOrWireError(() => decode(bytes))) values += 1;
    }
    // Both kinds must occur, or the mutations show nothing.
    assert.ok(values > 0 && values < MUTATIONS, `${values} values`);
  });

  test(`${name} gives a value or a wire error for every prefix of every fixture`, () => {
    for (const input of inputs) {
      for (let length = 0; length <= input.length; length++) {
        isValueOrWireError(() => decode(input.subarray(0, length)));
      }
    }
  });
}

test('all accessors of the options are among those that are tried', () => {
  assert.equal(ACCESSORS.length, 22);
});

test(`what is decoded of ${MUTATIONS} mutated messages is decoded again from its own encoding`, () => {
  const random = seededRandom(82);
  let compared = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutate(PAYLOADS[i % PAYLOADS.length]!, random);
    const decoded: DhcpMessage[] = [];
    isValueOrWireError(() => decoded.push(decodeDhcpMessage(bytes)));
    for (const message of decoded) {
      const again = decodeDhcpMessage(encodeDhcpMessage(message, { maxMessageSize: 1500 }));
      assert.deepEqual(new Map(again.options.entries()), new Map(message.options.entries()));
      assert.deepEqual(
        [again.op, again.xid, again.chaddr, again.yiaddr],
        [message.op, message.xid, message.chaddr, message.yiaddr],
      );
      compared += 1;
    }
  }
  assert.ok(compared > MUTATIONS / 10, `${compared} compared`);
});

test('with option 82 taken out of a mutated message, none is left in what it is decoded to', () => {
  const random = seededRandom(3046);
  let checked = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutate(PAYLOADS[i % PAYLOADS.length]!, random);
    const removed: DhcpMessage[] = [];
    isValueOrWireError(() => removed.push(decodeDhcpMessage(removeRelayAgentInformation(bytes))));
    for (const message of removed) {
      assert.equal(message.options.has(82), false);
      checked += 1;
    }
  }
  assert.ok(checked > 0);
});
