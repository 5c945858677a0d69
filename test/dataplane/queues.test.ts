/** Reading `ethtool -l` and judging what is set. The listings are those of ethtool 6.1 for i40e and veth. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQueues, wantedQueues } from '../../src/dataplane/queues.js';

const listing = (most: string, now: string): string =>
  `Channel parameters for eth0:\nPre-set maximums:\n${most}\nCurrent hardware settings:\n${now}\n`;
const I40E = listing(
  'RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t16',
  'RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t4',
);
const VETH = listing(
  'RX:\t\t8\nTX:\t\t8\nOther:\t\tn/a\nCombined:\tn/a',
  'RX:\t\t1\nTX:\t\t1\nOther:\t\tn/a\nCombined:\tn/a',
);

test('queues that receive and send are counted together, others by what they receive', () => {
  assert.deepEqual(parseQueues(I40E), { kind: 'combined', now: 4, most: 16 });
  assert.deepEqual(parseQueues(VETH), { kind: 'rx', now: 1, most: 8 });
});

test('a driver without a say in it has no queues to set', () => {
  assert.equal(parseQueues(''), null);
  assert.equal(parseQueues(listing('RX:\t\tn/a\nCombined:\tn/a', 'RX:\t\tn/a\nCombined:\tn/a')), null);
});

test('a queue for each CPU is wanted, no more than the card has, and never fewer than there are', () => {
  assert.equal(wantedQueues({ kind: 'combined', now: 4, most: 16 }, 8), 8);
  assert.equal(wantedQueues({ kind: 'combined', now: 4, most: 6 }, 8), 6);
  assert.equal(wantedQueues({ kind: 'combined', now: 16, most: 16 }, 8), null);
});
