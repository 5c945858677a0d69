/** Addresses and names as people and peers write them: what is read is written the same way again. */
import assert from 'node:assert/strict';
import { macOfStationId } from '../../../src/aaa/coa-station-id.js';
import { hostName } from '../../../src/garden-dns/allowed-names.js';
import { isBngError } from '../../../src/model/bng-error.js';
import { formatIpv4, formatPrefix, parseIpv4, parsePrefix } from '../../../src/model/ipv4.js';
import { formatMac, parseMac } from '../../../src/model/mac.js';
import { bytesOf } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

/** Null for what is refused. */
function read<T>(parse: (text: string) => T, text: string): T | null {
  try {
    return parse(text);
  } catch (error) {
    if (isBngError(error, 'BNG_ERR_VALUE')) return null;
    throw error;
  }
}

export const target: FuzzTarget = {
  seeds: () =>
    [
      '10.0.0.1',
      '255.255.255.255',
      '10.0.0.0/8',
      '0.0.0.0/0',
      '02:00:00:00:00:01',
      '02-00-00-00-00-01',
      'pay.example.com',
    ].map(bytesOf),
  words: ['/32', '0.0.0.0', 'ff:', '0200.0000.0001', '_a.b-c.', '256'],
  maxBytes: 300,
  boundedRuns: 15_000,
  run: (input) => {
    const text = Buffer.from(input).toString('latin1');
    const address = read(parseIpv4, text);
    if (address !== null) assert.equal(formatIpv4(address), text);
    const prefix = read(parsePrefix, text);
    if (prefix !== null) assert.deepEqual(parsePrefix(formatPrefix(prefix)), prefix);
    const mac = read(parseMac, text);
    if (mac !== null) assert.equal(parseMac(formatMac(mac)), mac);
    const station = macOfStationId(text);
    if (station !== null) assert.match(formatMac(station), /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    const name = hostName(text);
    if (name !== null) assert.equal(hostName(name.toUpperCase()), name);
  },
};
