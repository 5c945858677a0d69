/** DHCP messages: any bytes are a message or a wire error, and what is written of a message is read as the same one. */
import assert from 'node:assert/strict';
import { isBngError } from '../../../src/model/bng-error.js';
import type { DhcpMessage } from '../../../src/wire/dhcpv4-message.js';
import { decodeDhcpMessage, encodeDhcpMessage } from '../../../src/wire/dhcpv4-message.js';
import { DhcpOptions } from '../../../src/wire/dhcpv4-options.js';
import { insertRelayAgentInformation, removeRelayAgentInformation } from '../../../src/wire/option82.js';
import { bootp, capturedDhcp, hex, payloadOf } from '../../wire/fixtures/bytes.js';
import { valueOf } from '../value-or-wire-error.js';
import type { FuzzTarget } from '../fuzz-target.js';

const LINE = { circuitId: hex('6167672d30317c312f312f31'), remoteId: hex('4f4e543031') };
const LARGEST = 1_500;

const ACCESSORS = Object.entries(Object.getOwnPropertyDescriptors(DhcpOptions.prototype))
  .filter(([, descriptor]) => 'get' in descriptor)
  .map(([name]) => name as Exclude<keyof DhcpOptions, 'get' | 'has' | 'entries'>);

function encoded(message: DhcpMessage, maxMessageSize: number): Uint8Array | null {
  try {
    return encodeDhcpMessage(message, { maxMessageSize });
  } catch (error) {
    // Options that do not fit are refused, never left out.
    if (isBngError(error, 'BNG_ERR_VALUE')) return null;
    throw error;
  }
}

function sameMessage(found: DhcpMessage, expected: DhcpMessage): void {
  const plain = ({ options, sname, file, ...fields }: DhcpMessage): unknown => ({
    ...fields,
    options: new Map([...options.entries()].sort(([a], [b]) => a - b)),
    // A field that is left blank may have been used for options.
    sname: sname.every((byte) => byte === 0) ? null : sname,
    file: file.every((byte) => byte === 0) ? null : file,
  });
  assert.deepEqual(plain(found), plain(expected));
}

export const target: FuzzTarget = {
  seeds: () => [
    ...capturedDhcp.map(({ frame }) => payloadOf(frame)),
    ...capturedDhcp.slice(0, 2).map(({ frame }) => insertRelayAgentInformation(payloadOf(frame), LINE)),
    bootp('340103 350101 390205c0 ff', { file: '0c0161 3d020102 ff', sname: '5203010161 ff' }),
  ],
  maxBytes: 1_472,
  boundedRuns: 3_000,
  run: (input) => {
    const message = valueOf(() => decodeDhcpMessage(input));
    if (message === null) return;
    for (const accessor of ACCESSORS) valueOf(() => message.options[accessor]);
    for (const size of [LARGEST, 576]) {
      const bytes = encoded(message, size);
      if (bytes === null) continue;
      assert.ok(bytes.length <= size - 28, `${bytes.length} bytes`);
      sameMessage(decodeDhcpMessage(bytes), message);
    }
    const without = removeRelayAgentInformation(input);
    const bare = valueOf(() => decodeDhcpMessage(without));
    if (bare !== null) assert.equal(bare.options.has(82), false);
    const marked = valueOf(() => insertRelayAgentInformation(without, LINE));
    if (marked === null || bare === null) return;
    assert.deepEqual(decodeDhcpMessage(marked).options.relayAgentInformation?.circuitId, LINE.circuitId);
    sameMessage(decodeDhcpMessage(removeRelayAgentInformation(marked)), bare);
  },
};
