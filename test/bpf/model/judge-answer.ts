/**
 * Which DHCP messages XDP answers from a promise, and how: as the control plane would, whose own builder makes the frame
 * that is expected. Everything else is left to it.
 */
import {
  BngDhcpAnswer,
  BNG_LEASE_ANSWERED_SIZE,
  BngDropReason,
  BngLimit,
} from '../../../src/dataplane/abi.js';
import { replyFrame, replyTemplate } from '../../../src/dhcpv4/reply.js';
import { ipv4FromNumber } from '../../../src/model/ipv4.js';
import { macFromBytes } from '../../../src/model/mac.js';
import { decodeDhcpFrame } from '../../../src/wire/dhcpv4-frame.js';
import { mayAnswer, reserves } from './buckets.js';
import { answered, dropped, type Outcome } from './outcome.js';
import { type Ipv4, sourceMac } from './parse.js';
import { type Lease, stationKey, type World } from './world.js';

const UDP_HEADER = 8;
const BOOTP = 240;
const LONGEST_DATAGRAM = 1024;
const MOST_OPTIONS = 48;
const COOKIE = 0x63825363;

const Option = {
  pad: 0,
  requestedAddress: 50,
  overload: 52,
  forceRenewNonce: 145,
  messageType: 53,
  serverId: 54,
  maxSize: 57,
  clientId: 61,
  relayAgent: 82,
  end: 255,
} as const;
/** Sizes of those that have one. */
const SIZES: ReadonlyMap<number, number | null> = new Map([
  [Option.requestedAddress, 4],
  [Option.messageType, 1],
  [Option.serverId, 4],
  [Option.maxSize, 2],
  [Option.clientId, null],
  [Option.relayAgent, null],
  [Option.forceRenewNonce, null],
]);
const DISCOVER = 1;
const REQUEST = 3;
const DECLINE = 4;
const RELEASE = 7;

interface Message {
  readonly chaddr: Buffer;
  readonly ciaddr: number;
  readonly giaddr: number;
  /** Null: they cannot be read. */
  readonly options: ReadonlyMap<number, Buffer> | null;
}

type Readable = Message & { readonly options: ReadonlyMap<number, Buffer> };

/** Null: the control plane's. */
export function judgeAnswer(world: World, packet: Ipv4): Outcome | null {
  const message = world.settings.fastDhcp ? readMessage(packet) : null;
  if (message === null || !isItsOwn(world, packet, message)) return null;
  const { ethernet } = packet;
  const station = stationKey(ethernet.ifindex, ethernet.vlans, message.chaddr.toString('hex'));
  const lease = world.leases.get(station);
  if (lease === undefined || lease.expired || lease.isGivenUp === true) return null;
  if (message.options === null || mayEndLease(message.options)) {
    lease.isGivenUp = true;
    return null;
  }
  const pool = world.options.pools.get(lease.poolName);
  if (pool === undefined) throw new Error(`expected a pool named ${lease.poolName}`);
  const readable = { ...message, options: message.options };
  const kind = kindOf(readable, lease, pool.serverId);
  if (kind === null) return null;
  const terms = { ...pool, address: ipv4FromNumber(lease.address) };
  const verdict = { kind, poolName: lease.poolName, terms, serverId: pool.serverId };
  if (replyTemplate(verdict).length + echoed(readable) + 1 > BngLimit.dhcpReplyBytes) return null;
  if (!mayAnswer(world, station)) return dropped(BngDropReason.puntLineRate);
  if (!reserves(world, BNG_LEASE_ANSWERED_SIZE)) return null;
  const own = macFromBytes(world.portMac(ethernet.ifindex));
  const out = Buffer.from(replyFrame(decodeDhcpFrame(ethernet.frame), verdict, { accessMac: own }));
  return answered(out, ethernet, {
    address: lease.address,
    leaseSeconds: pool.leaseSeconds,
    mac: message.chaddr.toString('hex'),
    answer: kind === 'ack' ? BngDhcpAnswer.ack : BngDhcpAnswer.offer,
  });
}

/** A request of an Ethernet station, whole and right by both checksums; else null. */
function readMessage(packet: Ipv4): Message | null {
  const { bytes, headerLength, length } = packet;
  if (headerLength !== 20 || sum(bytes.subarray(0, 20)) !== 0xffff) return null;
  const udpLength = bytes.readUInt16BE(24);
  if (udpLength > length - 20 || udpLength < UDP_HEADER + BOOTP || udpLength > LONGEST_DATAGRAM) return null;
  const datagram = bytes.subarray(20, 20 + udpLength);
  const pseudo = Buffer.concat([bytes.subarray(12, 20), Buffer.of(0, 17), datagram.subarray(4, 6)]);
  if (datagram.readUInt16BE(6) !== 0 && sum(Buffer.concat([pseudo, datagram])) !== 0xffff) return null;
  const bootp = datagram.subarray(UDP_HEADER);
  if (bootp[0] !== 1 || bootp[1] !== 1 || bootp[2] !== 6 || bootp.readUInt32BE(236) !== COOKIE) return null;
  const options = readOptions(bootp.subarray(BOOTP));
  const chaddr = bootp.subarray(28, 34);
  return { chaddr, ciaddr: bootp.readUInt32BE(12), giaddr: bootp.readUInt32BE(24), options };
}

function sum(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

/** Those that count; null where one of them comes twice or with another size, for overload, and without END. */
function readOptions(area: Buffer): ReadonlyMap<number, Buffer> | null {
  const found = new Map<number, Buffer>();
  let at = 0;
  for (let seen = 0; seen < MOST_OPTIONS && at < area.length; seen++) {
    const code = area[at]!;
    if (code === Option.end) return found;
    if (code === Option.pad) {
      at++;
      continue;
    }
    const value = area.subarray(at + 2, at + 2 + (area[at + 1] ?? 0));
    at += 2 + (area[at + 1] ?? 0);
    if (at >= area.length || code === Option.overload) return null;
    const size = SIZES.get(code);
    if (size === undefined) continue;
    if ((size !== null && value.length !== size) || found.has(code)) return null;
    found.set(code, value);
  }
  return null;
}

/** A message by which the client may give its lease up. */
function mayEndLease(options: ReadonlyMap<number, Buffer>): boolean {
  const type = options.get(Option.messageType)?.[0];
  return type === RELEASE || type === DECLINE;
}

/** Bytes of the options that an answer repeats. */
function echoed({ options }: Readable): number {
  return [Option.clientId, Option.relayAgent].reduce((total, code) => {
    const value = options.get(code);
    return total + (value === undefined ? 0 : 2 + value.length);
  }, 0);
}

/** The station's own message, or one that a relay may bring. */
function isItsOwn(world: World, packet: Ipv4, { chaddr, giaddr }: Message): boolean {
  if ((chaddr[0]! & 1) !== 0) return false;
  return giaddr === 0 ? chaddr.equals(sourceMac(packet.ethernet)) : world.settings.trustOption82;
}

function kindOf({ ciaddr, options }: Readable, lease: Lease, serverId: number): 'offer' | 'ack' | null {
  const word = (code: number): number | null => options.get(code)?.readUInt32BE(0) ?? null;
  const option82 = options.get(Option.relayAgent) ?? null;
  const bears = lease.option82.length === 0 ? option82 === null : option82?.equals(lease.option82);
  if (bears !== true) return null;
  const type = options.get(Option.messageType)?.[0];
  // Nonces are offered and given where nothing is renewed.
  if (options.has(Option.forceRenewNonce) && (type === DISCOVER || ciaddr === 0)) return null;
  if (type === DISCOVER) return 'offer';
  const server = word(Option.serverId);
  if (type !== REQUEST || (server !== null && server !== serverId)) return null;
  const claimed = ciaddr === 0 ? word(Option.requestedAddress) : ciaddr;
  return claimed === lease.address ? 'ack' : null;
}
