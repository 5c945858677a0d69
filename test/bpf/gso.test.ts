/** GSO packets of the stack are counted as the packets that leave on the wire, headers repeated. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packet } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { withPinned } from './pinned.js';
import { Stations } from './rig.js';

enterNamespace(import.meta.url);

/** struct __sk_buff, where only the segment size is set. */
function context(segment: number): Buffer {
  const bytes = Buffer.alloc(192);
  bytes.writeUInt32LE(segment, 176);
  return bytes;
}

const PAYLOAD = 2100;
const SEGMENT = 500;
const ip = packet()
  .ethernet('00:00:00:00:00:00', ACCESS_MAC)
  .ipv4({ source: '10.255.0.1', destination: Stations.qinq.address });

const cases = [
  {
    name: 'TCP',
    frame: ip.tcp({ source: 80, destination: 1024 }),
    segment: SEGMENT,
    packets: 5,
    headers: 40,
  },
  {
    name: 'UDP',
    frame: ip.udp({ source: 80, destination: 1024 }),
    segment: SEGMENT,
    packets: 5,
    headers: 28,
  },
  { name: 'a single', frame: ip.udp({ source: 80, destination: 1024 }), segment: 0, packets: 1, headers: 28 },
];

for (const { name, frame, segment, packets, headers } of cases) {
  test(`${name} packet of ${PAYLOAD} bytes, segments of ${segment}, counts ${packets}`, () => {
    withPinned((pinned) => {
      const bytes = frame.payload(Buffer.alloc(PAYLOAD)).bytes();
      assert.ok(pinned.run('bng_egress', bytes, context(segment)));
      assert.deepEqual(pinned.traffic(), [0n, 0n, BigInt(packets), BigInt(PAYLOAD + packets * headers)]);
    });
  });
}
