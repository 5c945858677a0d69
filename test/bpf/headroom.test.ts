/**
 * A driver that leaves no room for tags, played by filling the headroom with XDP metadata. Older kernels limit that to
 * 32 bytes, too few to show it, and refuse the run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BngDropReason } from '../../src/dataplane/abi.js';
import { enterNamespace } from './namespace.js';
import { withPinned } from './pinned.js';
import { Stations } from './rig.js';
import { fromCore } from './table.js';

enterNamespace(import.meta.url);

/** Of 256 bytes of headroom the kernel keeps 40 for itself; what is left after this takes no second tag. */
const METADATA = 212;

/** struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex. */
function context(frameLength: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(METADATA, 0);
  bytes.writeUInt32LE(METADATA + frameLength, 4);
  return bytes;
}

test('a frame whose driver left no room for the tags is dropped by name and not counted as traffic', (t) => {
  withPinned((pinned) => {
    const frame = fromCore
      .ipv4({ source: '198.51.100.7', destination: Stations.qinq.address })
      .udp({ source: 1, destination: 2 })
      .bytes();
    const data = Buffer.concat([Buffer.alloc(METADATA), frame]);
    if (!pinned.run('bng_core', data, context(frame.length))) {
      t.skip(`this kernel refuses ${METADATA} bytes of XDP metadata`);
      return;
    }
    assert.deepEqual(pinned.sums('bng_drops', BngDropReason.headroom), [1n]);
    assert.deepEqual(pinned.traffic(), [0n, 0n, 0n, 0n]);
  });
});
