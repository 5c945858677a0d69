/** Packet table of bng_access: ARP. */
import { after } from 'node:test';
import type { PacketBuilder } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { drops, from, runTable, towards } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const { untagged, single, qinq } = Stations;

function request(station: Station, target: string): PacketBuilder {
  return from(station, 'ff:ff:ff:ff:ff:ff').arp({
    operation: 1,
    senderMac: station.mac,
    senderAddress: station.address,
    targetAddress: target,
  });
}

runTable(() => rig, 'bng_access', [
  {
    name: 'an ARP request for the gateway is answered in place, under its tags',
    frame: request(qinq, '10.0.0.1').bytes(),
    verdict: 'arp_reply',
    out: towards(qinq)
      .arp({
        operation: 2,
        senderMac: ACCESS_MAC,
        senderAddress: '10.0.0.1',
        targetMac: qinq.mac,
        targetAddress: qinq.address,
      })
      .bytes(),
  },
  {
    name: 'an untagged ARP probe (sender 0.0.0.0) of the gateway is answered',
    frame: request({ ...untagged, address: '0.0.0.0' }, '10.255.0.1').bytes(),
    verdict: 'arp_reply',
    out: towards(untagged)
      .arp({
        operation: 2,
        senderMac: ACCESS_MAC,
        senderAddress: '10.255.0.1',
        targetMac: untagged.mac,
        targetAddress: '0.0.0.0',
      })
      .bytes(),
  },
  drops(
    "a probe of one's own address stays unanswered (RFC 5227 §2.1.1)",
    'arp_unanswered',
    request({ ...qinq, address: '0.0.0.0' }, qinq.address),
  ),
  drops('a gratuitous ARP stays unanswered', 'arp_unanswered', request(qinq, qinq.address)),
  drops('ARP for another subscriber stays unanswered', 'arp_unanswered', request(qinq, single.address)),
  drops(
    'ARP for an address of ours that is no gateway stays unanswered',
    'arp_unanswered',
    request(qinq, '10.255.0.2'),
  ),
  drops(
    'an ARP reply stays unanswered',
    'arp_unanswered',
    from(qinq).arp({
      operation: 2,
      senderMac: qinq.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.0.1',
    }),
  ),
  {
    name: 'the answer to a probe for an address that is to be offered is punted, whoever sends it (RFC 5227 §2.1.1)',
    frame: from({ ...qinq, mac: '02:00:00:00:77:77' })
      .arp({
        operation: 2,
        senderMac: '02:00:00:00:77:77',
        senderAddress: '10.0.0.77',
        targetAddress: '0.0.0.0',
      })
      .bytes(),
    verdict: 'punt',
  },
  drops('ARP from an unknown line', 'unknown_line', request({ ...qinq, tags: [[0x88a8, 4]] }, '10.0.0.1')),
  drops(
    'ARP with another sender address',
    'spoofed_address',
    request({ ...qinq, address: single.address }, '10.0.0.1'),
  ),
  drops(
    "ARP with another sender MAC than the frame's",
    'spoofed_mac',
    from(qinq).arp({
      operation: 1,
      senderMac: single.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.0.1',
    }),
  ),
  drops(
    'ARP of another hardware than Ethernet',
    'malformed',
    from(qinq).arp({
      operation: 1,
      hardware: 6,
      senderMac: qinq.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.0.1',
    }),
  ),
]);
