/** What the settings flags change: subscriber to subscriber, and forwarding left to the stack. */
import { after } from 'node:test';
import { BngSettingsFlag } from '../../src/dataplane/abi.js';
import type { PacketBuilder } from '../support/packet.js';
import { ACCESS_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { drops, from, fromCore, runTable, towards, towardsStack } from './table.js';

enterNamespace(import.meta.url);

const local = new Rig({ flags: BngSettingsFlag.localForwarding });
after(() => local.close());

const { untagged, single, qinq, walled, slow, elsewhere } = Stations;

function udp(
  source: Station,
  destination: Station,
  port = 4000,
): (ethernet: PacketBuilder, ttl?: number) => PacketBuilder {
  return (ethernet, ttl = 64) =>
    ethernet
      .ipv4({ source: source.address, destination: destination.address, ttl })
      .udp({ source: port, destination: 1024 })
      .payload('peer');
}

const counted = (source: Station, destination: Station) => ({
  [source.slot]: { upstream: [1, 32] as const },
  [destination.slot]: { downstream: [1, 32] as const },
});

runTable(() => local, 'bng_access', [
  {
    name: 'a subscriber reaches another under the tags of the other, counted for both',
    frame: udp(qinq, single)(from(qinq)).bytes(),
    verdict: 'forward_local',
    out: udp(qinq, single)(towards(single), 63).bytes(),
    traffic: counted(qinq, single),
  },
  {
    name: 'an untagged subscriber reaches a QinQ one: tags are pushed',
    frame: udp(untagged, qinq)(from(untagged)).bytes(),
    verdict: 'forward_local',
    out: udp(untagged, qinq)(towards(qinq), 63).bytes(),
    traffic: counted(untagged, qinq),
  },
  {
    name: 'TTL 1 towards a subscriber goes to the stack, counted upstream once',
    frame: udp(qinq, single)(from(qinq), 1).bytes(),
    verdict: 'stack_up',
    out: udp(qinq, single)(towardsStack(qinq), 1).bytes(),
    traffic: { [qinq.slot]: { upstream: [1, 32] } },
  },
  {
    name: 'a subscriber behind a port without redirects is reached through the stack',
    frame: udp(qinq, elsewhere)(from(qinq)).bytes(),
    verdict: 'stack_up',
    out: udp(qinq, elsewhere)(towardsStack(qinq)).bytes(),
    traffic: { [qinq.slot]: { upstream: [1, 32] } },
  },
  drops('nobody holds the address', 'no_route', udp(qinq, { ...single, address: '10.0.9.9' })(from(qinq))),
  drops('a walled subscriber is out of reach for another', 'garden', udp(qinq, walled)(from(qinq))),
  drops('a walled subscriber does not reach another', 'garden', udp(walled, qinq)(from(walled))),
  {
    name: 'the destination is policed downstream: a packet within its burst',
    frame: udp(qinq, slow)(from(qinq)).bytes(),
    verdict: 'forward_local',
    out: udp(qinq, slow)(towards(slow), 63).bytes(),
    traffic: counted(qinq, slow),
  },
  {
    name: 'the destination is policed downstream: another',
    frame: udp(qinq, slow)(from(qinq)).bytes(),
    verdict: 'forward_local',
    out: udp(qinq, slow)(towards(slow), 63).bytes(),
    traffic: counted(qinq, slow),
  },
  {
    name: 'the destination is policed downstream: a third',
    frame: udp(qinq, slow)(from(qinq)).bytes(),
    verdict: 'forward_local',
    out: udp(qinq, slow)(towards(slow), 63).bytes(),
    traffic: counted(qinq, slow),
  },
  drops(
    'the destination is policed downstream beyond its burst',
    'policed_down',
    udp(qinq, slow)(from(qinq)),
  ),
  {
    name: 'the gateway answers ARP for another subscriber (local proxy ARP)',
    frame: from(qinq)
      .arp({ operation: 1, senderMac: qinq.mac, senderAddress: qinq.address, targetAddress: single.address })
      .bytes(),
    verdict: 'arp_reply',
    out: towards(qinq)
      .arp({
        operation: 2,
        senderMac: ACCESS_MAC,
        senderAddress: single.address,
        targetMac: qinq.mac,
        targetAddress: qinq.address,
      })
      .bytes(),
  },
  drops(
    "a probe of one's own address stays unanswered even then (RFC 5227 §2.1.1)",
    'arp_unanswered',
    from(qinq).arp({
      operation: 1,
      senderMac: qinq.mac,
      senderAddress: '0.0.0.0',
      targetAddress: qinq.address,
    }),
  ),
  drops(
    'ARP for an address that nobody holds stays unanswered',
    'arp_unanswered',
    from(qinq).arp({
      operation: 1,
      senderMac: qinq.mac,
      senderAddress: qinq.address,
      targetAddress: '10.0.9.9',
    }),
  ),
]);

const stack = new Rig({ flags: BngSettingsFlag.forwardInStack });
after(() => stack.close());

const INTERNET: Station = { ...qinq, address: '198.51.100.7' };

runTable(() => stack, 'bng_access', [
  {
    name: 'with forwarding in the stack a packet upstream goes up, policed and counted',
    frame: udp(qinq, INTERNET)(from(qinq)).bytes(),
    verdict: 'stack_up',
    out: udp(qinq, INTERNET)(towardsStack(qinq)).bytes(),
    traffic: { [qinq.slot]: { upstream: [1, 32] } },
  },
  drops(
    'forwarding in the stack opens no way out of the garden',
    'garden',
    udp(walled, INTERNET)(from(walled)),
  ),
]);
runTable(() => stack, 'bng_core', [
  {
    name: 'with forwarding in the stack a packet downstream goes up uncounted',
    frame: udp(INTERNET, qinq)(fromCore).bytes(),
    verdict: 'stack_down',
  },
  drops('forwarding in the stack opens no way into the garden', 'garden', udp(INTERNET, walled)(fromCore)),
]);

const gardenDns = new Rig({ flags: BngSettingsFlag.gardenDns });
after(() => gardenDns.close());

const question = (from_: Station, destination: string) => (ethernet: PacketBuilder) =>
  ethernet
    .ipv4({ source: from_.address, destination })
    .udp({ source: 40_000, destination: 53 })
    .payload('question');

runTable(() => gardenDns, 'bng_access', [
  {
    name: 'a walled subscriber asks the DNS of the garden, by the stack',
    frame: question(walled, '10.255.0.1')(from(walled)).bytes(),
    verdict: 'stack_up',
    out: question(walled, '10.255.0.1')(towardsStack(walled)).bytes(),
    traffic: { [walled.slot]: { upstream: [1, 36] } },
  },
  drops('an open subscriber does not ask it', 'local_service', question(qinq, '10.255.0.1')(from(qinq))),
  drops('another gateway answers no DNS', 'local_service', question(walled, '10.0.0.1')(from(walled))),
]);
