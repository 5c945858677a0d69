/**
 * Policers and punt rates in a world where no time passes: a bucket of N + ½ admits what fits into it, once. What is
 * larger than the whole bucket passes a full one and leaves it in debt. The half keeps the little that refills in the
 * kernel during a run away from every comparison.
 */
import { BNG_PUNT_SIZE, BngDropReason, BngLimit } from '../../../src/dataplane/abi.js';
import type { Ethernet, Ipv4 } from './parse.js';
import { sourceMac } from './parse.js';
import { type Burst, type Subscriber, stationKey, type World } from './world.js';

const SHARE_INSTALLED = 'all installed';
const SHARE_NEW = 'all new';
const NO_MAC = '000000000000';
const ETHERNET_MINIMUM_PAYLOAD = 46;
const RING_RECORD_HEADER = 8;

function admits<K>(owed: Map<K, number>, key: K, burst: Burst, cost: number): boolean {
  if (burst === null) return true;
  const before = owed.get(key) ?? 0;
  if (before + Math.min(cost, burst) > burst) {
    owed.set(key, before);
    return false;
  }
  owed.set(key, before + cost);
  return true;
}

/** IPv4 octets, but no less than what a padded frame occupies beyond Ethernet's minimum. */
function policedBytes(packet: Ipv4): number {
  return packet.bytes.length > ETHERNET_MINIMUM_PAYLOAD ? packet.bytes.length : packet.length;
}

export function conformsUp(world: World, from: Subscriber, packet: Ipv4): boolean {
  return admits(world.upstreamOwed, from.slot, from.upstream, policedBytes(packet));
}

export function conformsDown(world: World, to: Subscriber, packet: Ipv4): boolean {
  return admits(world.downstreamOwed, to.slot, to.downstream, policedBytes(packet));
}

/** From the stack nothing is padded yet: what the IPv4 header says. */
export function conformsEgress(world: World, to: Subscriber, packet: Ipv4): boolean {
  return admits(world.downstreamOwed, to.slot, to.downstream, packet.length);
}

/** Null when the frame may be punted, else the drop reason. */
export function judgePunt(world: World, ethernet: Ethernet): number | null {
  const { frame, vlans, ifindex } = ethernet;
  if (frame.length > BngLimit.puntLarge) return BngDropReason.puntTooLong;
  const station = stationKey(ifindex, vlans, sourceMac(ethernet).toString('hex'));
  const refused = world.stations.has(station)
    ? chargeInstalled(world, station)
    : chargeNew(world, station, {
        key: stationKey(ifindex, vlans, NO_MAC),
        rate: vlans.length === 2 ? world.settings.puntInstalled : world.settings.puntLine,
      });
  if (refused !== null) return refused;
  const room = frame.length > BngLimit.puntSmall ? BngLimit.puntLarge : BngLimit.puntSmall;
  return reserves(world, BNG_PUNT_SIZE + room) ? null : BngDropReason.puntRingFull;
}

/** Whether the punt ring has room for a record of `bytes`, which is taken then. */
export function reserves(world: World, bytes: number): boolean {
  const record = RING_RECORD_HEADER + bytes;
  if (world.ringUsed + record >= world.options.ringBytes) return false;
  world.ringUsed += record;
  return true;
}

/** Whether the lease of `station` has an answer left; unlike a policer's, its bucket never goes into debt. */
export function mayAnswer(world: World, station: string): boolean {
  const { answers } = world.settings;
  if (answers === null) return true;
  const owed = world.answersOwed.get(station) ?? 0;
  if (owed + 1 > answers) return false;
  world.answersOwed.set(station, owed + 1);
  return true;
}

function chargeInstalled(world: World, station: string): number | null {
  const { puntOwed, settings } = world;
  if (!admits(puntOwed, station, settings.puntInstalled, 1)) return BngDropReason.puntLineRate;
  const shared =
    admits(puntOwed, SHARE_INSTALLED, settings.puntTotalInstalled, 1) ||
    admits(puntOwed, SHARE_NEW, settings.puntTotalNew, 1);
  return shared ? null : BngDropReason.puntTotalRate;
}

/** A station that has a bucket pays it before the line's, one without after: the line decides whether it gets one. */
function chargeNew(
  world: World,
  station: string,
  line: { readonly key: string; readonly rate: Burst },
): number | null {
  const { puntOwed, settings } = world;
  const steps: (() => boolean)[] = [
    () => admits(puntOwed, station, settings.puntNew, 1),
    () => admits(puntOwed, line.key, line.rate, 1),
  ];
  if (settings.puntNew === null || !puntOwed.has(station)) steps.reverse();
  if (!steps.every((step) => step())) return BngDropReason.puntLineRate;
  return admits(puntOwed, SHARE_NEW, settings.puntTotalNew, 1) ? null : BngDropReason.puntTotalRate;
}
