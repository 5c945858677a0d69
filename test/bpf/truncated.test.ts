/** Frames cut off at every length, in every program: never forwarded, and dropped by name where they are ours. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { packet } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { Rig, Stations, Tc, Xdp } from './rig.js';
import { from, fromCore } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

/** Shorter frames the kernel refuses to test: an Ethernet header for XDP, an IPv4 header behind it for tc. */
const SHORTEST = 15;
const SHORTEST_SKB = 34;
const INTERNET = '198.51.100.7';

function* cuts(frame: Buffer, shortest = SHORTEST): Generator<Buffer> {
  for (let length = shortest; length < frame.length; length++) yield frame.subarray(0, length);
}

for (const [name, station] of Object.entries(Stations)) {
  if (station.slot > 5) continue;
  const ethernet = from(station);
  const frames = {
    UDP: ethernet.ipv4({ source: station.address, destination: INTERNET }).udp({ source: 1, destination: 2 }),
    TCP: ethernet
      .ipv4({ source: station.address, destination: INTERNET })
      .tcp({ source: 1, destination: 80 }),
    DHCP: ethernet
      .ipv4({ source: '0.0.0.0', destination: '255.255.255.255' })
      .udp({ source: 68, destination: 67 })
      .payload(Buffer.alloc(20)),
    ARP: ethernet.arp({
      operation: 1,
      senderMac: station.mac,
      senderAddress: station.address,
      targetAddress: '10.0.0.1',
    }),
  };
  for (const [kind, builder] of Object.entries(frames)) {
    test(`${kind} of the ${name} line cut off anywhere is malformed`, () => {
      for (const cut of cuts(builder.bytes())) {
        const seen = rig.run('bng_access', cut);
        assert.deepEqual(
          [seen.returnValue, seen.drops, seen.traffic],
          [Xdp.drop, ['malformed'], {}],
          `${cut.length}`,
        );
      }
    });
  }
}

test('a packet for a subscriber cut off behind its addresses is malformed, before that it is foreign', () => {
  const frame = fromCore
    .ipv4({ source: INTERNET, destination: Stations.qinq.address })
    .udp({ source: 1, destination: 2 })
    .payload('payload');
  for (const cut of cuts(frame.bytes())) {
    const seen = rig.run('bng_core', cut);
    const expected = cut.length < 34 ? [Xdp.pass, [], ['foreign']] : [Xdp.drop, ['malformed'], ['drop']];
    assert.deepEqual([seen.returnValue, seen.drops, seen.verdicts], expected, `${cut.length}`);
  }
});

test('a packet of the stack cut off anywhere is malformed', () => {
  const frame = packet()
    .ethernet('00:00:00:00:00:00', ACCESS_MAC)
    .ipv4({ source: '10.0.0.1', destination: Stations.qinq.address })
    .udp({ source: 1, destination: 2 })
    .payload('payload');
  for (const cut of cuts(frame.bytes(), SHORTEST_SKB)) {
    const seen = rig.run('bng_egress', cut);
    assert.deepEqual(
      [seen.returnValue, seen.drops, seen.traffic],
      [Tc.shot, ['malformed'], {}],
      `${cut.length}`,
    );
  }
});
