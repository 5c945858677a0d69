/**
 * Which packets are timed: the frame as it arrives, which program takes it, and what has to come of it. Frames are made
 * by the production codecs. Pure.
 */
import { BngDropReason, BngVerdict } from '../../src/dataplane/abi.js';
import { type Ipv4, ipv4FromNumber, parseIpv4 } from '../../src/model/ipv4.js';
import { MAC_BROADCAST, type Mac, parseMac } from '../../src/model/mac.js';
import { encodeArp } from '../../src/wire/arp.js';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ethernetHeaderLength,
  type VlanTag,
  writeEthernetHeader,
} from '../../src/wire/ethernet.js';
import { IPV4_UDP_HEADER_LENGTH, writeIpv4Udp } from '../../src/wire/ipv4-udp.js';
import { ontFrame, tagsOf } from './ont-frames.js';

export interface PacketCase {
  readonly name: string;
  readonly program: 'bench_access' | 'bench_core';
  readonly frame: Uint8Array;
  /** `enum bench_vary` of packet.bpf.c. */
  readonly vary: 0 | 1 | 2 | 3 | 4 | 5;
  /** By how much the program moves the start of the frame. */
  readonly shift: number;
  readonly verdict: number;
  /** For a dropped frame. */
  readonly drop?: number;
  /** Punts, and what is told of answers, fill a ring that has to be read now and then. */
  readonly fillsRing?: true;
  /** The program changes the whole frame and moves its end. */
  readonly whole?: true;
}

/** Subscribers 0 to `RANDOM_SUBSCRIBERS - 1` are policed at a rate that they never reach; the two behind are not. */
export const RANDOM_SUBSCRIBERS = 100_000;
export const UNPOLICED_SUBSCRIBER = RANDOM_SUBSCRIBERS;
export const WALLED_SUBSCRIBER = RANDOM_SUBSCRIBERS + 1;
const POLICED_SUBSCRIBER = 7;
export const FIRST_CLIENT = 0;
const UNKNOWN_SUBSCRIBER = RANDOM_SUBSCRIBERS + 2;

/** Of the access port, as far as the programs know. */
export const ACCESS_MAC = '02:00:00:00:aa:01';
export const FIRST_ADDRESS = parseIpv4('10.0.1.0');
export const GATEWAY = parseIpv4('10.0.0.1');
export const GARDEN_DESTINATION = parseIpv4('203.0.113.10');
/** Has a blackhole route, so that its packets end right behind the FIB lookup. */
export const NO_ROUTE_PREFIX = '198.18.3.0/24';
const INTERNET = parseIpv4('192.0.2.80');
const FIRST_MAC = 0x02_10_00_00_00_00;
const SHORTEST_FRAME = 64;

export function addressOf(subscriber: number): Ipv4 {
  return ipv4FromNumber(FIRST_ADDRESS + subscriber);
}

export function macOf(subscriber: number): Mac {
  return (FIRST_MAC + subscriber) as Mac;
}

function lineTags(subscriber: number): readonly VlanTag[] {
  const { sVlan, cVlan } = tagsOf(subscriber);
  return [
    { tpid: 0x88a8, vlanId: sVlan, priority: 0, dropEligible: false },
    { tpid: 0x8100, vlanId: cVlan, priority: 0, dropEligible: false },
  ];
}

interface Udp {
  readonly tags: readonly VlanTag[];
  readonly sourceMac: Mac;
  readonly sourceIp: Ipv4;
  readonly destinationIp: Ipv4;
}

/** 64 bytes, tags included, frame check sequence left out. */
function udp({ tags, sourceMac, sourceIp, destinationIp }: Udp): Uint8Array {
  const header = {
    destination: parseMac(ACCESS_MAC),
    source: sourceMac,
    tags,
    etherType: ETHERTYPE_IPV4,
  };
  const payload = new Uint8Array(SHORTEST_FRAME - ethernetHeaderLength(header) - IPV4_UDP_HEADER_LENGTH);
  const frame = new Uint8Array(SHORTEST_FRAME);
  const datagram = { sourceIp, destinationIp, sourcePort: 40_000, destinationPort: 9_000, payload };
  writeIpv4Udp(frame, writeEthernetHeader(frame, header), datagram);
  return frame;
}

function upstream(subscriber: number, destinationIp: Ipv4): Uint8Array {
  const sourceIp = addressOf(subscriber);
  return udp({ tags: lineTags(subscriber), sourceMac: macOf(subscriber), sourceIp, destinationIp });
}

function downstream(destinationIp: Ipv4): Uint8Array {
  return udp({ tags: [], sourceMac: parseMac('02:00:00:00:cc:01'), sourceIp: INTERNET, destinationIp });
}

/** From a subscriber into the internet, as its line has it. */
export function taggedFrame(): Uint8Array {
  return upstream(POLICED_SUBSCRIBER, INTERNET);
}

/** The same for a gateway that knows no lines. */
export function untaggedFrame(): Uint8Array {
  const sourceIp = addressOf(POLICED_SUBSCRIBER);
  return udp({ tags: [], sourceMac: macOf(POLICED_SUBSCRIBER), sourceIp, destinationIp: INTERNET });
}

/** Of a subscriber, for the gateway. */
export function arpRequest(subscriber: number): Uint8Array {
  const frame = new Uint8Array(SHORTEST_FRAME);
  const tags = lineTags(subscriber);
  const at = writeEthernetHeader(frame, {
    destination: MAC_BROADCAST,
    source: macOf(subscriber),
    tags,
    etherType: ETHERTYPE_ARP,
  });
  frame.set(
    encodeArp({
      operation: 'request',
      senderMac: macOf(subscriber),
      senderIp: addressOf(subscriber),
      targetMac: 0 as Mac,
      targetIp: GATEWAY,
    }),
    at,
  );
  return frame;
}

function up(name: string, subscriber: number, destination: Ipv4): PacketCase {
  const frame = upstream(subscriber, destination);
  return { name, program: 'bench_access', frame, vary: 0, shift: 8, verdict: BngVerdict.forwardUp };
}

function dropped(name: string, frame: Uint8Array, drop: number): PacketCase {
  return { name, program: 'bench_access', frame, vary: 0, shift: 0, verdict: BngVerdict.drop, drop };
}

function down(name: string, subscriber: number): PacketCase {
  const frame = downstream(addressOf(subscriber));
  return { name, program: 'bench_core', frame, vary: 0, shift: -8, verdict: BngVerdict.forwardDown };
}

/** From the station whose number is 0 in every field, so that the wrapper can put any other in. */
function dhcp(name: string, offered: Ipv4 | null, vary: PacketCase['vary']): PacketCase {
  const offer = offered === null ? null : { address: offered, serverId: GATEWAY };
  return {
    name,
    program: 'bench_access',
    frame: ontFrame(FIRST_CLIENT, offer),
    vary,
    shift: 0,
    verdict: BngVerdict.dhcpReply,
    fillsRing: true,
    whole: true,
  };
}

export const PACKET_CASES: readonly PacketCase[] = [
  up('upstream, one hot subscriber', POLICED_SUBSCRIBER, INTERNET),
  { ...up('upstream, 100,000 random subscribers', POLICED_SUBSCRIBER, INTERNET), vary: 1 },
  up('upstream, one hot subscriber without a rate', UNPOLICED_SUBSCRIBER, INTERNET),
  down('downstream, one hot subscriber', POLICED_SUBSCRIBER),
  { ...down('downstream, 100,000 random subscribers', POLICED_SUBSCRIBER), vary: 2 },
  down('downstream, one hot subscriber without a rate', UNPOLICED_SUBSCRIBER),
  up('garden, allowed', WALLED_SUBSCRIBER, GARDEN_DESTINATION),
  dropped('garden, denied', upstream(WALLED_SUBSCRIBER, INTERNET), BngDropReason.garden),
  {
    name: 'ARP for the gateway, answered',
    program: 'bench_access',
    frame: arpRequest(POLICED_SUBSCRIBER),
    vary: 0,
    shift: 0,
    verdict: BngVerdict.arpReply,
  },
  dhcp('DISCOVER answered, one hot subscriber', null, 0),
  dhcp('DISCOVER answered, 100,000 random subscribers', null, 3),
  dhcp('REQUEST answered, one hot subscriber', addressOf(FIRST_CLIENT), 0),
  dhcp('REQUEST answered, 100,000 random subscribers', addressOf(FIRST_CLIENT), 4),
  {
    name: 'DISCOVER, punted',
    program: 'bench_access',
    frame: ontFrame(UNKNOWN_SUBSCRIBER, null),
    vary: 0,
    shift: 0,
    verdict: BngVerdict.punt,
    fillsRing: true,
  },
  dropped(
    'upstream from an unknown line, dropped',
    upstream(UNKNOWN_SUBSCRIBER, INTERNET),
    BngDropReason.unknownLine,
  ),
  {
    name: 'core, not for a subscriber',
    program: 'bench_core',
    frame: downstream(parseIpv4('198.51.100.2')),
    vary: 0,
    shift: 0,
    verdict: BngVerdict.foreign,
  },
  dropped(
    'upstream up to source guard (to a group address, dropped)',
    upstream(POLICED_SUBSCRIBER, parseIpv4('239.1.1.1')),
    BngDropReason.multicast,
  ),
  dropped(
    'upstream up to FIB lookup (blackhole, dropped)',
    upstream(POLICED_SUBSCRIBER, parseIpv4('198.18.3.1')),
    BngDropReason.noRoute,
  ),
];

/** What the kernel's own helpers take of every packet, alone: no dataplane that asks them can be quicker. */
export interface HelperCase
  extends Pick<PacketCase, 'name' | 'frame' | 'vary' | 'shift' | 'whole' | 'fillsRing'> {
  readonly program:
    | 'bench_call'
    | 'bench_clock'
    | 'bench_line'
    | 'bench_lookup'
    | 'bench_miss'
    | 'bench_fib'
    | 'bench_rewrite'
    | 'bench_lease'
    | 'bench_datagram'
    | 'bench_reply'
    | 'bench_record';
  /** `XDP_*` that it returns. */
  readonly returns: number;
  /** It moves the end of the frame. */
  readonly moves?: true;
}

const XDP_PASS = 2;
const XDP_REDIRECT = 4;

export const HELPER_NAMES = {
  call: 'one call of a helper that does nothing',
  clock: 'bpf_ktime_get_ns() alone',
  fib: 'bpf_fib_lookup() alone',
  rewrite: 'tags off, Ethernet header, redirect alone',
  lookup: 'one hash lookup alone',
  miss: 'one hash lookup that finds nobody',
  line: 'one cache line alone',
  lease: 'lease of a station alone',
  datagram: 'DHCP message copied, its checksum verified',
  reply: 'frame grown, reply of the pool stored',
  record: 'record of an answer in the ring',
} as const;
export const DRAWS = ['one hot subscriber', '100,000 random subscribers'] as const;

const FROM_ANYBODY = { frame: taggedFrame(), shift: 0, vary: 0, returns: XDP_PASS } as const;

const FROM_CLIENT = { ...FROM_ANYBODY, frame: ontFrame(FIRST_CLIENT, null), whole: true } as const;

/** `enum bench_vary` of each draw. */
function drawn(name: string, program: HelperCase['program']): readonly HelperCase[] {
  return DRAWS.map((draw, index) => ({
    ...FROM_ANYBODY,
    ...{ name: `${name}, ${draw}`, program, vary: index === 0 ? 0 : 1 },
  }));
}

export const HELPER_CASES: readonly HelperCase[] = [
  { ...FROM_ANYBODY, name: HELPER_NAMES.call, program: 'bench_call' },
  { ...FROM_ANYBODY, name: HELPER_NAMES.clock, program: 'bench_clock' },
  { ...FROM_ANYBODY, name: HELPER_NAMES.fib, program: 'bench_fib' },
  {
    ...FROM_ANYBODY,
    ...{ name: HELPER_NAMES.rewrite, program: 'bench_rewrite', shift: 8, returns: XDP_REDIRECT },
  },
  ...drawn(HELPER_NAMES.lookup, 'bench_lookup'),
  { ...FROM_ANYBODY, name: HELPER_NAMES.miss, program: 'bench_miss' },
  ...drawn(HELPER_NAMES.line, 'bench_line'),
  ...DRAWS.map(
    (draw, index): HelperCase => ({
      ...FROM_CLIENT,
      ...{ name: `${HELPER_NAMES.lease}, ${draw}`, program: 'bench_lease', vary: index === 0 ? 0 : 3 },
    }),
  ),
  { ...FROM_CLIENT, name: HELPER_NAMES.datagram, program: 'bench_datagram' },
  { ...FROM_CLIENT, name: HELPER_NAMES.reply, program: 'bench_reply', moves: true },
  { ...FROM_CLIENT, name: HELPER_NAMES.record, program: 'bench_record', fillsRing: true },
];
