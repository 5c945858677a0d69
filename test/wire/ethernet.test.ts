/** Ethernet headers with 0, 1 and 2 tags, in both TPIDs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMac } from '../../src/model/mac.js';
import { decodeEthernet, encodeEthernet, vlanTag } from '../../src/wire/ethernet.js';
import { isValueOrWireError, throwsBng } from './fixtures/wire-errors.js';
import { hex } from './fixtures/bytes.js';

const MACS = 'ffffffffffff 0200000000c1';

// Written from IEEE 802.1Q-2018 §9 (tag layout) and the tag order of IEEE 802.1ad.
const HEADERS = [
  { name: 'untagged', bytes: `${MACS} 0800 aabb`, tags: [] },
  { name: 'one C-tag', bytes: `${MACS} 8100 0064 0800 aabb`, tags: [vlanTag(0x8100, 100)] },
  { name: 'one S-tag', bytes: `${MACS} 88a8 0fff 0800 aabb`, tags: [vlanTag(0x88a8, 4095)] },
  {
    name: 'S-tag over C-tag with priority and drop eligibility',
    bytes: `${MACS} 88a8 f064 8100 6007 0800 aabb`,
    tags: [
      { tpid: 0x88a8, vlanId: 100, priority: 7, dropEligible: true },
      { tpid: 0x8100, vlanId: 7, priority: 3, dropEligible: false },
    ],
  },
  {
    name: 'C-tag over C-tag',
    bytes: `${MACS} 8100 0064 8100 0007 0800 aabb`,
    tags: [vlanTag(0x8100, 100), vlanTag(0x8100, 7)],
  },
] as const;

for (const { name, bytes, tags } of HEADERS) {
  test(`a frame with ${name} is decoded and encoded to the same bytes`, () => {
    const frame = hex(bytes);
    const header = decodeEthernet(frame);
    assert.equal(formatMac(header.destination), 'ff:ff:ff:ff:ff:ff');
    assert.equal(formatMac(header.source), '02:00:00:00:00:c1');
    assert.deepEqual(header.tags, tags);
    assert.equal(header.etherType, 0x0800);
    assert.deepEqual(frame.subarray(header.payloadOffset), hex('aabb'));
    assert.deepEqual(encodeEthernet(header, hex('aabb')), frame);
  });

  test(`every prefix of the header of a frame with ${name} is truncated`, () => {
    const frame = hex(bytes);
    for (let length = 0; length < frame.length - 2; length++) {
      throwsBng(() => decodeEthernet(frame.subarray(0, length)), 'BNG_ERR_WIRE_TRUNCATED');
    }
    assert.ok(isValueOrWireError(() => decodeEthernet(frame.subarray(0, frame.length - 2))));
  });
}

test('a third tag is not supported', () => {
  const frame = hex(`${MACS} 88a8 0001 8100 0002 8100 0003 0800`);
  throwsBng(() => decodeEthernet(frame), 'BNG_ERR_WIRE_UNSUPPORTED', { offset: 20 });
});

test('an IEEE 802.3 length in place of the type is not supported', () => {
  throwsBng(() => decodeEthernet(hex(`${MACS} 05dc`)), 'BNG_ERR_WIRE_UNSUPPORTED', { found: 0x05dc });
});
