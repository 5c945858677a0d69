/** Reading `ethtool -k` and judging what is on. The listing is that of ethtool 6.1 for a virtio and a fixed driver, cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOffloads, UNWANTED, unwantedOn } from '../../src/dataplane/offloads.js';

const LISTING = `Features for eth0:
rx-checksumming: on [fixed]
tx-checksumming: on
\ttx-checksum-ipv4: off [fixed]
\ttx-checksum-ip-generic: on
large-receive-offload: on
rx-vlan-offload: on [fixed]
tx-vlan-offload: off [requested on]
rx-gro-hw: off
`;

test('a listing of ethtool is read with what is fixed', () => {
  const offloads = parseOffloads(LISTING);
  assert.deepEqual(offloads.get('rx-vlan-offload'), { on: true, fixed: true });
  assert.deepEqual(offloads.get('tx-checksum-ip-generic'), { on: true, fixed: false });
  assert.deepEqual(offloads.get('tx-vlan-offload'), { on: false, fixed: false });
  assert.equal(offloads.get('Features for eth0'), undefined);
});

test('merging is unwanted on every port, stripping of tags on access ports', () => {
  const features = (side: 'access' | 'core'): readonly string[] =>
    unwantedOn(parseOffloads(LISTING), UNWANTED[side]).map(({ feature, fixed }) => `${feature} ${fixed}`);
  assert.deepEqual(features('access'), ['rx-vlan-offload true', 'large-receive-offload false']);
  assert.deepEqual(features('core'), ['large-receive-offload false']);
});
