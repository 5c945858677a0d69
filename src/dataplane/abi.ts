/**
 * Generated from bpf/bng_abi.h by scripts/generate-abi; do not edit. Structs as the dataplane lays them out, with
 * readers and writers, its enums and limits. Addresses and ports in network order appear as plain numbers.
 */
import { BngError } from '../model/bng-error.js';
import type { AbiEnum, AbiStruct } from './abi-layout.js';
import type { AbiMap } from './abi-maps.js';

function putBytes(view: DataView, at: number, size: number, bytes: Uint8Array): void {
  if (bytes.length !== size) {
    throw new BngError('BNG_ERR_VALUE', 'as many bytes as the field holds', { expected: size, found: bytes.length });
  }
  new Uint8Array(view.buffer, view.byteOffset + at, size).set(bytes);
}

function getBytes(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size).slice();
}

/** Elements not given are written as zero. */
function elements<T>(count: number, values: readonly T[], zero: T): T[] {
  if (values.length > count) {
    throw new BngError('BNG_ERR_VALUE', 'no more elements than the array holds', { count, found: values.length });
  }
  return Array.from({ length: count }, (_, index) => values[index] ?? zero);
}

export const BngAbiVersion = {
  version: 5,
} as const;

export const BngAbiVersionLabels: ReadonlyMap<number, string> = new Map([
  [5, 'version'],
]);

export const BngLimit = {
  maxSubscribers: 131072,
  maxLocalAddresses: 256,
  maxGardenPrefixes: 4096,
  gardenPorts: 16,
  maxPorts: 64,
  maxAccessPorts: 16,
  puntLines: 65536,
  puntRingBytes: 4194304,
  puntSmall: 640,
  puntLarge: 1664,
  rateFractionBits: 20,
  burstExponentBits: 5,
  bucketAddresses: 4,
  addressFactor: 2654435761,
  addressFactorTwo: 2246822519,
  puntRingFrames: 3145728,
  maxDhcpReplies: 256,
  noDhcpReply: 65535,
  dhcpReplyBytes: 548,
  dhcpReplyRoom: 1024,
  maxTraced: 64,
  traceRingBytes: 65536,
  maxStaticNetworks: 8,
  tracePerSecond: 20,
} as const;

export const BngLimitLabels: ReadonlyMap<number, string> = new Map([
  [131072, 'max_subscribers'],
  [256, 'max_local_addresses'],
  [4096, 'max_garden_prefixes'],
  [16, 'garden_ports'],
  [64, 'max_ports'],
  [16, 'max_access_ports'],
  [65536, 'punt_lines'],
  [4194304, 'punt_ring_bytes'],
  [640, 'punt_small'],
  [1664, 'punt_large'],
  [20, 'rate_fraction_bits'],
  [5, 'burst_exponent_bits'],
  [4, 'bucket_addresses'],
  [2654435761, 'address_factor'],
  [2246822519, 'address_factor_two'],
  [3145728, 'punt_ring_frames'],
  [256, 'max_dhcp_replies'],
  [65535, 'no_dhcp_reply'],
  [548, 'dhcp_reply_bytes'],
  [1024, 'dhcp_reply_room'],
  [64, 'max_traced'],
  [65536, 'trace_ring_bytes'],
  [8, 'max_static_networks'],
  [20, 'trace_per_second'],
]);

export const BngVerdict = {
  drop: 0,
  punt: 1,
  arpReply: 2,
  forwardUp: 3,
  forwardDown: 4,
  forwardLocal: 5,
  stackUp: 6,
  stackDown: 7,
  foreign: 8,
  egress: 9,
  dhcpReply: 10,
  count: 11,
} as const;

export const BngVerdictLabels: ReadonlyMap<number, string> = new Map([
  [0, 'drop'],
  [1, 'punt'],
  [2, 'arp_reply'],
  [3, 'forward_up'],
  [4, 'forward_down'],
  [5, 'forward_local'],
  [6, 'stack_up'],
  [7, 'stack_down'],
  [8, 'foreign'],
  [9, 'egress'],
  [10, 'dhcp_reply'],
]);

export const BngDropReason = {
  malformed: 0,
  tooManyTags: 1,
  ethertype: 2,
  unknownLine: 3,
  spoofedAddress: 4,
  spoofedMac: 5,
  arpUnanswered: 6,
  multicast: 7,
  garden: 8,
  gardenFragment: 9,
  localService: 10,
  dhcpServer: 11,
  puntLineRate: 12,
  puntTotalRate: 13,
  puntRingFull: 14,
  puntTooLong: 15,
  policedUp: 16,
  policedDown: 17,
  noRoute: 18,
  localForbidden: 19,
  egressNoSubscriber: 20,
  egressEthertype: 21,
  headroom: 22,
  count: 23,
} as const;

export const BngDropReasonLabels: ReadonlyMap<number, string> = new Map([
  [0, 'malformed'],
  [1, 'too_many_tags'],
  [2, 'ethertype'],
  [3, 'unknown_line'],
  [4, 'spoofed_address'],
  [5, 'spoofed_mac'],
  [6, 'arp_unanswered'],
  [7, 'multicast'],
  [8, 'garden'],
  [9, 'garden_fragment'],
  [10, 'local_service'],
  [11, 'dhcp_server'],
  [12, 'punt_line_rate'],
  [13, 'punt_total_rate'],
  [14, 'punt_ring_full'],
  [15, 'punt_too_long'],
  [16, 'policed_up'],
  [17, 'policed_down'],
  [18, 'no_route'],
  [19, 'local_forbidden'],
  [20, 'egress_no_subscriber'],
  [21, 'egress_ethertype'],
  [22, 'headroom'],
]);

export const BngPuntReason = {
  dhcp: 1,
  leaseAnswered: 2,
  sighted: 3,
} as const;

export const BngPuntReasonLabels: ReadonlyMap<number, string> = new Map([
  [1, 'dhcp'],
  [2, 'lease_answered'],
  [3, 'sighted'],
]);

export const BngPuntShare = {
  installed: 0,
  new: 1,
  count: 2,
} as const;

export const BngPuntShareLabels: ReadonlyMap<number, string> = new Map([
  [0, 'installed'],
  [1, 'new'],
]);

export const BngSubscriberFlag = {
  walled: 1,
} as const;

export const BngSubscriberFlagLabels: ReadonlyMap<number, string> = new Map([
  [1, 'walled'],
]);

export const BngSettingsFlag = {
  localForwarding: 1,
  forwardInStack: 2,
  fastDhcp: 4,
  trustOption82: 8,
  gardenDns: 16,
} as const;

export const BngSettingsFlagLabels: ReadonlyMap<number, string> = new Map([
  [1, 'local_forwarding'],
  [2, 'forward_in_stack'],
  [4, 'fast_dhcp'],
  [8, 'trust_option82'],
  [16, 'garden_dns'],
]);

export const BngGardenFlag = {
  any: 1,
} as const;

export const BngGardenFlagLabels: ReadonlyMap<number, string> = new Map([
  [1, 'any'],
]);

export const BngDhcpAnswer = {
  offer: 2,
  ack: 5,
} as const;

export const BngDhcpAnswerLabels: ReadonlyMap<number, string> = new Map([
  [2, 'offer'],
  [5, 'ack'],
]);

export const BngDirection = {
  upstream: 1,
  downstream: 2,
} as const;

export const BngDirectionLabels: ReadonlyMap<number, string> = new Map([
  [1, 'upstream'],
  [2, 'downstream'],
]);

export const BngCarryCounters = {
  traffic: 1,
  verdicts: 2,
  drops: 3,
} as const;

export const BngCarryCountersLabels: ReadonlyMap<number, string> = new Map([
  [1, 'traffic'],
  [2, 'verdicts'],
  [3, 'drops'],
]);

export const BNG_PREFIX_SIZE = 8;

export interface BngPrefix {
  readonly network: number;
  readonly mask: number;
}

export function writeBngPrefix(view: DataView, offset: number, value: BngPrefix): void {
  view.setUint32(offset, value.network, false);
  view.setUint32(offset + 4, value.mask, false);
}

export function readBngPrefix(view: DataView, offset: number): BngPrefix {
  return {
    network: view.getUint32(offset, false),
    mask: view.getUint32(offset + 4, false),
  };
}

export const BNG_ACCESS_PORT_SIZE = 12;

export interface BngAccessPort {
  readonly ifindex: number;
  readonly mac: Uint8Array;
}

export function writeBngAccessPort(view: DataView, offset: number, value: BngAccessPort): void {
  view.setUint32(offset, value.ifindex, true);
  putBytes(view, offset + 4, 6, value.mac);
  view.setUint16(offset + 10, 0, true);
}

export function readBngAccessPort(view: DataView, offset: number): BngAccessPort {
  return {
    ifindex: view.getUint32(offset, true),
    mac: getBytes(view, offset + 4, 6),
  };
}

export const BNG_RATE_SIZE = 16;

export interface BngRate {
  readonly nsPerByte: bigint;
  readonly burstNs: bigint;
}

export function writeBngRate(view: DataView, offset: number, value: BngRate): void {
  view.setBigUint64(offset, value.nsPerByte, true);
  view.setBigUint64(offset + 8, value.burstNs, true);
}

export function readBngRate(view: DataView, offset: number): BngRate {
  return {
    nsPerByte: view.getBigUint64(offset, true),
    burstNs: view.getBigUint64(offset + 8, true),
  };
}

export const BNG_SETTINGS_SIZE = 392;

export interface BngSettings {
  readonly accessPortCount: number;
  readonly portalAddress: number;
  readonly portalPort: number;
  readonly subscriberMtu: number;
  readonly flags: number;
  readonly accessPorts: readonly BngAccessPort[];
  readonly puntInstalledRate: BngRate;
  readonly puntNewRate: BngRate;
  readonly puntLineRate: BngRate;
  readonly puntTotalInstalledRate: BngRate;
  readonly puntTotalNewRate: BngRate;
  readonly answerRate: BngRate;
  readonly option82Seed: bigint;
  readonly option82Factor: bigint;
  readonly trafficSlots: number;
  readonly staticNetworkCount: number;
  readonly staticNetworks: readonly BngPrefix[];
}

export function writeBngSettings(view: DataView, offset: number, value: BngSettings): void {
  view.setUint32(offset, value.accessPortCount, true);
  view.setUint32(offset + 4, value.portalAddress, false);
  view.setUint16(offset + 8, value.portalPort, false);
  view.setUint16(offset + 10, value.subscriberMtu, true);
  view.setUint32(offset + 12, value.flags, true);
  elements(16, value.accessPorts, readBngAccessPort(new DataView(new ArrayBuffer(BNG_ACCESS_PORT_SIZE)), 0)).forEach((element, index) => writeBngAccessPort(view, offset + 16 + 12 * index, element));
  writeBngRate(view, offset + 208, value.puntInstalledRate);
  writeBngRate(view, offset + 224, value.puntNewRate);
  writeBngRate(view, offset + 240, value.puntLineRate);
  writeBngRate(view, offset + 256, value.puntTotalInstalledRate);
  writeBngRate(view, offset + 272, value.puntTotalNewRate);
  writeBngRate(view, offset + 288, value.answerRate);
  view.setBigUint64(offset + 304, value.option82Seed, true);
  view.setBigUint64(offset + 312, value.option82Factor, true);
  view.setUint32(offset + 320, value.trafficSlots, true);
  view.setUint32(offset + 324, value.staticNetworkCount, true);
  elements(8, value.staticNetworks, readBngPrefix(new DataView(new ArrayBuffer(BNG_PREFIX_SIZE)), 0)).forEach((element, index) => writeBngPrefix(view, offset + 328 + 8 * index, element));
}

export function readBngSettings(view: DataView, offset: number): BngSettings {
  return {
    accessPortCount: view.getUint32(offset, true),
    portalAddress: view.getUint32(offset + 4, false),
    portalPort: view.getUint16(offset + 8, false),
    subscriberMtu: view.getUint16(offset + 10, true),
    flags: view.getUint32(offset + 12, true),
    accessPorts: Array.from({ length: 16 }, (_, index) => readBngAccessPort(view, offset + 16 + 12 * index)),
    puntInstalledRate: readBngRate(view, offset + 208),
    puntNewRate: readBngRate(view, offset + 224),
    puntLineRate: readBngRate(view, offset + 240),
    puntTotalInstalledRate: readBngRate(view, offset + 256),
    puntTotalNewRate: readBngRate(view, offset + 272),
    answerRate: readBngRate(view, offset + 288),
    option82Seed: view.getBigUint64(offset + 304, true),
    option82Factor: view.getBigUint64(offset + 312, true),
    trafficSlots: view.getUint32(offset + 320, true),
    staticNetworkCount: view.getUint32(offset + 324, true),
    staticNetworks: Array.from({ length: 8 }, (_, index) => readBngPrefix(view, offset + 328 + 8 * index)),
  };
}

export const BNG_LINE_KEY_SIZE = 16;

export interface BngLineKey {
  readonly ifindex: number;
  readonly sVlan: number;
  readonly cVlan: number;
  readonly mac: Uint8Array;
}

export function writeBngLineKey(view: DataView, offset: number, value: BngLineKey): void {
  view.setUint32(offset, value.ifindex, true);
  view.setUint16(offset + 4, value.sVlan, true);
  view.setUint16(offset + 6, value.cVlan, true);
  putBytes(view, offset + 8, 6, value.mac);
  view.setUint16(offset + 14, 0, true);
}

export function readBngLineKey(view: DataView, offset: number): BngLineKey {
  return {
    ifindex: view.getUint32(offset, true),
    sVlan: view.getUint16(offset + 4, true),
    cVlan: view.getUint16(offset + 6, true),
    mac: getBytes(view, offset + 8, 6),
  };
}

export const BNG_ADDRESS_SIZE = 8;

export interface BngAddress {
  readonly address: number;
  readonly place: number;
}

export function writeBngAddress(view: DataView, offset: number, value: BngAddress): void {
  view.setUint32(offset, value.address, false);
  view.setUint32(offset + 4, value.place, true);
}

export function readBngAddress(view: DataView, offset: number): BngAddress {
  return {
    address: view.getUint32(offset, false),
    place: view.getUint32(offset + 4, true),
  };
}

export const BNG_ADDRESS_BUCKET_SIZE = 32;

export interface BngAddressBucket {
  readonly addresses: readonly BngAddress[];
}

export function writeBngAddressBucket(view: DataView, offset: number, value: BngAddressBucket): void {
  elements(4, value.addresses, readBngAddress(new DataView(new ArrayBuffer(BNG_ADDRESS_SIZE)), 0)).forEach((element, index) => writeBngAddress(view, offset + 8 * index, element));
}

export function readBngAddressBucket(view: DataView, offset: number): BngAddressBucket {
  return {
    addresses: Array.from({ length: 4 }, (_, index) => readBngAddress(view, offset + 8 * index)),
  };
}

export const BNG_SUBSCRIBER_SIZE = 64;

export interface BngSubscriber {
  readonly address: number;
  readonly ifindex: number;
  readonly mac: Uint8Array;
  readonly flags: number;
  readonly sVlan: number;
  readonly cVlan: number;
  readonly sTpid: number;
  readonly cTpid: number;
  readonly upstreamNsPerByte: bigint;
  readonly downstreamNsPerByte: bigint;
  readonly upstreamBurst: number;
  readonly downstreamBurst: number;
  readonly upstreamTat: bigint;
  readonly downstreamTat: bigint;
}

export function writeBngSubscriber(view: DataView, offset: number, value: BngSubscriber): void {
  view.setUint32(offset, value.address, false);
  view.setUint32(offset + 4, value.ifindex, true);
  putBytes(view, offset + 8, 6, value.mac);
  view.setUint8(offset + 14, value.flags);
  view.setUint8(offset + 15, 0);
  view.setUint16(offset + 16, value.sVlan, true);
  view.setUint16(offset + 18, value.cVlan, true);
  view.setUint16(offset + 20, value.sTpid, false);
  view.setUint16(offset + 22, value.cTpid, false);
  view.setBigUint64(offset + 24, value.upstreamNsPerByte, true);
  view.setBigUint64(offset + 32, value.downstreamNsPerByte, true);
  view.setUint32(offset + 40, value.upstreamBurst, true);
  view.setUint32(offset + 44, value.downstreamBurst, true);
  view.setBigUint64(offset + 48, value.upstreamTat, true);
  view.setBigUint64(offset + 56, value.downstreamTat, true);
}

export function readBngSubscriber(view: DataView, offset: number): BngSubscriber {
  return {
    address: view.getUint32(offset, false),
    ifindex: view.getUint32(offset + 4, true),
    mac: getBytes(view, offset + 8, 6),
    flags: view.getUint8(offset + 14),
    sVlan: view.getUint16(offset + 16, true),
    cVlan: view.getUint16(offset + 18, true),
    sTpid: view.getUint16(offset + 20, false),
    cTpid: view.getUint16(offset + 22, false),
    upstreamNsPerByte: view.getBigUint64(offset + 24, true),
    downstreamNsPerByte: view.getBigUint64(offset + 32, true),
    upstreamBurst: view.getUint32(offset + 40, true),
    downstreamBurst: view.getUint32(offset + 44, true),
    upstreamTat: view.getBigUint64(offset + 48, true),
    downstreamTat: view.getBigUint64(offset + 56, true),
  };
}

export const BNG_TRAFFIC_SIZE = 32;

export interface BngTraffic {
  readonly upstreamPackets: bigint;
  readonly upstreamBytes: bigint;
  readonly downstreamPackets: bigint;
  readonly downstreamBytes: bigint;
}

export function writeBngTraffic(view: DataView, offset: number, value: BngTraffic): void {
  view.setBigUint64(offset, value.upstreamPackets, true);
  view.setBigUint64(offset + 8, value.upstreamBytes, true);
  view.setBigUint64(offset + 16, value.downstreamPackets, true);
  view.setBigUint64(offset + 24, value.downstreamBytes, true);
}

export function readBngTraffic(view: DataView, offset: number): BngTraffic {
  return {
    upstreamPackets: view.getBigUint64(offset, true),
    upstreamBytes: view.getBigUint64(offset + 8, true),
    downstreamPackets: view.getBigUint64(offset + 16, true),
    downstreamBytes: view.getBigUint64(offset + 24, true),
  };
}

export const BNG_GARDEN_KEY_SIZE = 8;

export interface BngGardenKey {
  readonly prefixLength: number;
  readonly address: number;
}

export function writeBngGardenKey(view: DataView, offset: number, value: BngGardenKey): void {
  view.setUint32(offset, value.prefixLength, true);
  view.setUint32(offset + 4, value.address, false);
}

export function readBngGardenKey(view: DataView, offset: number): BngGardenKey {
  return {
    prefixLength: view.getUint32(offset, true),
    address: view.getUint32(offset + 4, false),
  };
}

export const BNG_GARDEN_SIZE = 40;

export interface BngGarden {
  readonly flags: number;
  readonly portCount: number;
  readonly ports: readonly number[];
}

export function writeBngGarden(view: DataView, offset: number, value: BngGarden): void {
  view.setUint32(offset, value.flags, true);
  view.setUint32(offset + 4, value.portCount, true);
  elements(16, value.ports, 0).forEach((element, index) => view.setUint16(offset + 8 + 2 * index, element, false));
}

export function readBngGarden(view: DataView, offset: number): BngGarden {
  return {
    flags: view.getUint32(offset, true),
    portCount: view.getUint32(offset + 4, true),
    ports: Array.from({ length: 16 }, (_, index) => view.getUint16(offset + 8 + 2 * index, false)),
  };
}

export const BNG_LOCAL_SIZE = 4;

export interface BngLocal {
  readonly isGateway: number;
}

export function writeBngLocal(view: DataView, offset: number, value: BngLocal): void {
  view.setUint32(offset, value.isGateway, true);
}

export function readBngLocal(view: DataView, offset: number): BngLocal {
  return {
    isGateway: view.getUint32(offset, true),
  };
}

export const BNG_PUNT_SIZE = 32;

export interface BngPunt {
  readonly timeNs: bigint;
  readonly ifindex: number;
  readonly frameLength: number;
  readonly reason: number;
  readonly sVlan: number;
  readonly cVlan: number;
  readonly sTpid: number;
  readonly cTpid: number;
  readonly l3Offset: number;
}

export function writeBngPunt(view: DataView, offset: number, value: BngPunt): void {
  view.setBigUint64(offset, value.timeNs, true);
  view.setUint32(offset + 8, value.ifindex, true);
  view.setUint32(offset + 12, value.frameLength, true);
  view.setUint32(offset + 16, value.reason, true);
  view.setUint16(offset + 20, value.sVlan, true);
  view.setUint16(offset + 22, value.cVlan, true);
  view.setUint16(offset + 24, value.sTpid, false);
  view.setUint16(offset + 26, value.cTpid, false);
  view.setUint16(offset + 28, value.l3Offset, true);
  view.setUint16(offset + 30, 0, true);
}

export function readBngPunt(view: DataView, offset: number): BngPunt {
  return {
    timeNs: view.getBigUint64(offset, true),
    ifindex: view.getUint32(offset + 8, true),
    frameLength: view.getUint32(offset + 12, true),
    reason: view.getUint32(offset + 16, true),
    sVlan: view.getUint16(offset + 20, true),
    cVlan: view.getUint16(offset + 22, true),
    sTpid: view.getUint16(offset + 24, false),
    cTpid: view.getUint16(offset + 26, false),
    l3Offset: view.getUint16(offset + 28, true),
  };
}

export const BNG_LEASE_SIZE = 64;

export interface BngLease {
  readonly expiresNs: bigint;
  readonly endsNs: bigint;
  readonly answerTat: bigint;
  readonly option82: bigint;
  readonly address: number;
  readonly reply: number;
  readonly mac: Uint8Array;
}

export function writeBngLease(view: DataView, offset: number, value: BngLease): void {
  view.setBigUint64(offset, value.expiresNs, true);
  view.setBigUint64(offset + 8, value.endsNs, true);
  view.setBigUint64(offset + 16, value.answerTat, true);
  view.setBigUint64(offset + 24, value.option82, true);
  view.setUint32(offset + 32, value.address, false);
  view.setUint32(offset + 36, value.reply, true);
  putBytes(view, offset + 40, 6, value.mac);
  putBytes(view, offset + 46, 18, new Uint8Array(18));
}

export function readBngLease(view: DataView, offset: number): BngLease {
  return {
    expiresNs: view.getBigUint64(offset, true),
    endsNs: view.getBigUint64(offset + 8, true),
    answerTat: view.getBigUint64(offset + 16, true),
    option82: view.getBigUint64(offset + 24, true),
    address: view.getUint32(offset + 32, false),
    reply: view.getUint32(offset + 36, true),
    mac: getBytes(view, offset + 40, 6),
  };
}

export const BNG_DHCP_REPLY_SIZE = 1040;

export interface BngDhcpReply {
  readonly serverId: number;
  readonly leaseSeconds: number;
  readonly optionsEnd: number;
  readonly sum: number;
  readonly message: Uint8Array;
}

export function writeBngDhcpReply(view: DataView, offset: number, value: BngDhcpReply): void {
  view.setUint32(offset, value.serverId, false);
  view.setUint32(offset + 4, value.leaseSeconds, true);
  view.setUint16(offset + 8, value.optionsEnd, true);
  view.setUint16(offset + 10, value.sum, true);
  view.setUint32(offset + 12, 0, true);
  putBytes(view, offset + 16, 1024, value.message);
}

export function readBngDhcpReply(view: DataView, offset: number): BngDhcpReply {
  return {
    serverId: view.getUint32(offset, false),
    leaseSeconds: view.getUint32(offset + 4, true),
    optionsEnd: view.getUint16(offset + 8, true),
    sum: view.getUint16(offset + 10, true),
    message: getBytes(view, offset + 16, 1024),
  };
}

export const BNG_LEASE_ANSWERED_SIZE = 48;

export interface BngLeaseAnswered {
  readonly head: BngPunt;
  readonly address: number;
  readonly leaseSeconds: number;
  readonly mac: Uint8Array;
  readonly answer: number;
}

export function writeBngLeaseAnswered(view: DataView, offset: number, value: BngLeaseAnswered): void {
  writeBngPunt(view, offset, value.head);
  view.setUint32(offset + 32, value.address, false);
  view.setUint32(offset + 36, value.leaseSeconds, true);
  putBytes(view, offset + 40, 6, value.mac);
  view.setUint8(offset + 46, value.answer);
  view.setUint8(offset + 47, 0);
}

export function readBngLeaseAnswered(view: DataView, offset: number): BngLeaseAnswered {
  return {
    head: readBngPunt(view, offset),
    address: view.getUint32(offset + 32, false),
    leaseSeconds: view.getUint32(offset + 36, true),
    mac: getBytes(view, offset + 40, 6),
    answer: view.getUint8(offset + 46),
  };
}

export const BNG_TRACE_SWITCH_SIZE = 8;

export interface BngTraceSwitch {
  readonly untilNs: bigint;
}

export function writeBngTraceSwitch(view: DataView, offset: number, value: BngTraceSwitch): void {
  view.setBigUint64(offset, value.untilNs, true);
}

export function readBngTraceSwitch(view: DataView, offset: number): BngTraceSwitch {
  return {
    untilNs: view.getBigUint64(offset, true),
  };
}

export const BNG_TRACED_SIZE = 24;

export interface BngTraced {
  readonly passedTat: bigint;
  readonly droppedTat: bigint;
  readonly untold: bigint;
}

export function writeBngTraced(view: DataView, offset: number, value: BngTraced): void {
  view.setBigUint64(offset, value.passedTat, true);
  view.setBigUint64(offset + 8, value.droppedTat, true);
  view.setBigUint64(offset + 16, value.untold, true);
}

export function readBngTraced(view: DataView, offset: number): BngTraced {
  return {
    passedTat: view.getBigUint64(offset, true),
    droppedTat: view.getBigUint64(offset + 8, true),
    untold: view.getBigUint64(offset + 16, true),
  };
}

export const BNG_TRACE_RECORD_SIZE = 64;

export interface BngTraceRecord {
  readonly timeNs: bigint;
  readonly untold: bigint;
  readonly traced: BngLineKey;
  readonly verdict: number;
  readonly dropReason: number;
  readonly frameLength: number;
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly ethertype: number;
  readonly ipLength: number;
  readonly direction: number;
  readonly protocol: number;
}

export function writeBngTraceRecord(view: DataView, offset: number, value: BngTraceRecord): void {
  view.setBigUint64(offset, value.timeNs, true);
  view.setBigUint64(offset + 8, value.untold, true);
  writeBngLineKey(view, offset + 16, value.traced);
  view.setUint32(offset + 32, value.verdict, true);
  view.setUint32(offset + 36, value.dropReason, true);
  view.setUint32(offset + 40, value.frameLength, true);
  view.setUint32(offset + 44, value.source, false);
  view.setUint32(offset + 48, value.destination, false);
  view.setUint16(offset + 52, value.sourcePort, false);
  view.setUint16(offset + 54, value.destinationPort, false);
  view.setUint16(offset + 56, value.ethertype, false);
  view.setUint16(offset + 58, value.ipLength, true);
  view.setUint8(offset + 60, value.direction);
  view.setUint8(offset + 61, value.protocol);
  putBytes(view, offset + 62, 2, new Uint8Array(2));
}

export function readBngTraceRecord(view: DataView, offset: number): BngTraceRecord {
  return {
    timeNs: view.getBigUint64(offset, true),
    untold: view.getBigUint64(offset + 8, true),
    traced: readBngLineKey(view, offset + 16),
    verdict: view.getUint32(offset + 32, true),
    dropReason: view.getUint32(offset + 36, true),
    frameLength: view.getUint32(offset + 40, true),
    source: view.getUint32(offset + 44, false),
    destination: view.getUint32(offset + 48, false),
    sourcePort: view.getUint16(offset + 52, false),
    destinationPort: view.getUint16(offset + 54, false),
    ethertype: view.getUint16(offset + 56, false),
    ipLength: view.getUint16(offset + 58, true),
    direction: view.getUint8(offset + 60),
    protocol: view.getUint8(offset + 61),
  };
}

export const BNG_CARRY_SIZE = 72;

export interface BngCarry {
  readonly counters: number;
  readonly index: number;
  readonly words: readonly bigint[];
}

export function writeBngCarry(view: DataView, offset: number, value: BngCarry): void {
  view.setUint32(offset, value.counters, true);
  view.setUint32(offset + 4, value.index, true);
  elements(8, value.words, 0n).forEach((element, index) => view.setBigUint64(offset + 8 + 8 * index, element, true));
}

export function readBngCarry(view: DataView, offset: number): BngCarry {
  return {
    counters: view.getUint32(offset, true),
    index: view.getUint32(offset + 4, true),
    words: Array.from({ length: 8 }, (_, index) => view.getBigUint64(offset + 8 + 8 * index, true)),
  };
}

/** Every struct and enum above, for comparison with a loaded object. */
export const AbiLayout: { readonly structs: readonly AbiStruct[]; readonly enums: readonly AbiEnum[] } = {
  structs: [
    { name: 'bng_prefix', size: 8, fields: [
      { name: 'network', offset: 0, size: 4, kind: 'be32' },
      { name: 'mask', offset: 4, size: 4, kind: 'be32' },
    ] },
    { name: 'bng_access_port', size: 12, fields: [
      { name: 'ifindex', offset: 0, size: 4, kind: 'u32' },
      { name: 'mac', offset: 4, size: 6, kind: 'bytes' },
      { name: 'reserved', offset: 10, size: 2, kind: 'u16' },
    ] },
    { name: 'bng_rate', size: 16, fields: [
      { name: 'ns_per_byte', offset: 0, size: 8, kind: 'u64' },
      { name: 'burst_ns', offset: 8, size: 8, kind: 'u64' },
    ] },
    { name: 'bng_settings', size: 392, fields: [
      { name: 'access_port_count', offset: 0, size: 4, kind: 'u32' },
      { name: 'portal_address', offset: 4, size: 4, kind: 'be32' },
      { name: 'portal_port', offset: 8, size: 2, kind: 'be16' },
      { name: 'subscriber_mtu', offset: 10, size: 2, kind: 'u16' },
      { name: 'flags', offset: 12, size: 4, kind: 'u32' },
      { name: 'access_ports', offset: 16, size: 192, kind: 'array', count: 16, element: 'bng_access_port' },
      { name: 'punt_installed_rate', offset: 208, size: 16, kind: 'struct', element: 'bng_rate' },
      { name: 'punt_new_rate', offset: 224, size: 16, kind: 'struct', element: 'bng_rate' },
      { name: 'punt_line_rate', offset: 240, size: 16, kind: 'struct', element: 'bng_rate' },
      { name: 'punt_total_installed_rate', offset: 256, size: 16, kind: 'struct', element: 'bng_rate' },
      { name: 'punt_total_new_rate', offset: 272, size: 16, kind: 'struct', element: 'bng_rate' },
      { name: 'answer_rate', offset: 288, size: 16, kind: 'struct', element: 'bng_rate' },
      { name: 'option82_seed', offset: 304, size: 8, kind: 'u64' },
      { name: 'option82_factor', offset: 312, size: 8, kind: 'u64' },
      { name: 'traffic_slots', offset: 320, size: 4, kind: 'u32' },
      { name: 'static_network_count', offset: 324, size: 4, kind: 'u32' },
      { name: 'static_networks', offset: 328, size: 64, kind: 'array', count: 8, element: 'bng_prefix' },
    ] },
    { name: 'bng_line_key', size: 16, fields: [
      { name: 'ifindex', offset: 0, size: 4, kind: 'u32' },
      { name: 's_vlan', offset: 4, size: 2, kind: 'u16' },
      { name: 'c_vlan', offset: 6, size: 2, kind: 'u16' },
      { name: 'mac', offset: 8, size: 6, kind: 'bytes' },
      { name: 'reserved', offset: 14, size: 2, kind: 'u16' },
    ] },
    { name: 'bng_address', size: 8, fields: [
      { name: 'address', offset: 0, size: 4, kind: 'be32' },
      { name: 'place', offset: 4, size: 4, kind: 'u32' },
    ] },
    { name: 'bng_address_bucket', size: 32, fields: [
      { name: 'addresses', offset: 0, size: 32, kind: 'array', count: 4, element: 'bng_address' },
    ] },
    { name: 'bng_subscriber', size: 64, fields: [
      { name: 'address', offset: 0, size: 4, kind: 'be32' },
      { name: 'ifindex', offset: 4, size: 4, kind: 'u32' },
      { name: 'mac', offset: 8, size: 6, kind: 'bytes' },
      { name: 'flags', offset: 14, size: 1, kind: 'u8' },
      { name: 'reserved', offset: 15, size: 1, kind: 'u8' },
      { name: 's_vlan', offset: 16, size: 2, kind: 'u16' },
      { name: 'c_vlan', offset: 18, size: 2, kind: 'u16' },
      { name: 's_tpid', offset: 20, size: 2, kind: 'be16' },
      { name: 'c_tpid', offset: 22, size: 2, kind: 'be16' },
      { name: 'upstream_ns_per_byte', offset: 24, size: 8, kind: 'u64' },
      { name: 'downstream_ns_per_byte', offset: 32, size: 8, kind: 'u64' },
      { name: 'upstream_burst', offset: 40, size: 4, kind: 'u32' },
      { name: 'downstream_burst', offset: 44, size: 4, kind: 'u32' },
      { name: 'upstream_tat', offset: 48, size: 8, kind: 'u64' },
      { name: 'downstream_tat', offset: 56, size: 8, kind: 'u64' },
    ] },
    { name: 'bng_traffic', size: 32, fields: [
      { name: 'upstream_packets', offset: 0, size: 8, kind: 'u64' },
      { name: 'upstream_bytes', offset: 8, size: 8, kind: 'u64' },
      { name: 'downstream_packets', offset: 16, size: 8, kind: 'u64' },
      { name: 'downstream_bytes', offset: 24, size: 8, kind: 'u64' },
    ] },
    { name: 'bng_garden_key', size: 8, fields: [
      { name: 'prefix_length', offset: 0, size: 4, kind: 'u32' },
      { name: 'address', offset: 4, size: 4, kind: 'be32' },
    ] },
    { name: 'bng_garden', size: 40, fields: [
      { name: 'flags', offset: 0, size: 4, kind: 'u32' },
      { name: 'port_count', offset: 4, size: 4, kind: 'u32' },
      { name: 'ports', offset: 8, size: 32, kind: 'array', count: 16, element: 'be16' },
    ] },
    { name: 'bng_local', size: 4, fields: [
      { name: 'is_gateway', offset: 0, size: 4, kind: 'u32' },
    ] },
    { name: 'bng_punt', size: 32, fields: [
      { name: 'time_ns', offset: 0, size: 8, kind: 'u64' },
      { name: 'ifindex', offset: 8, size: 4, kind: 'u32' },
      { name: 'frame_length', offset: 12, size: 4, kind: 'u32' },
      { name: 'reason', offset: 16, size: 4, kind: 'u32' },
      { name: 's_vlan', offset: 20, size: 2, kind: 'u16' },
      { name: 'c_vlan', offset: 22, size: 2, kind: 'u16' },
      { name: 's_tpid', offset: 24, size: 2, kind: 'be16' },
      { name: 'c_tpid', offset: 26, size: 2, kind: 'be16' },
      { name: 'l3_offset', offset: 28, size: 2, kind: 'u16' },
      { name: 'reserved', offset: 30, size: 2, kind: 'u16' },
    ] },
    { name: 'bng_lease', size: 64, fields: [
      { name: 'expires_ns', offset: 0, size: 8, kind: 'u64' },
      { name: 'ends_ns', offset: 8, size: 8, kind: 'u64' },
      { name: 'answer_tat', offset: 16, size: 8, kind: 'u64' },
      { name: 'option82', offset: 24, size: 8, kind: 'u64' },
      { name: 'address', offset: 32, size: 4, kind: 'be32' },
      { name: 'reply', offset: 36, size: 4, kind: 'u32' },
      { name: 'mac', offset: 40, size: 6, kind: 'bytes' },
      { name: 'reserved', offset: 46, size: 18, kind: 'bytes' },
    ] },
    { name: 'bng_dhcp_reply', size: 1040, fields: [
      { name: 'server_id', offset: 0, size: 4, kind: 'be32' },
      { name: 'lease_seconds', offset: 4, size: 4, kind: 'u32' },
      { name: 'options_end', offset: 8, size: 2, kind: 'u16' },
      { name: 'sum', offset: 10, size: 2, kind: 'u16' },
      { name: 'reserved', offset: 12, size: 4, kind: 'u32' },
      { name: 'message', offset: 16, size: 1024, kind: 'bytes' },
    ] },
    { name: 'bng_lease_answered', size: 48, fields: [
      { name: 'head', offset: 0, size: 32, kind: 'struct', element: 'bng_punt' },
      { name: 'address', offset: 32, size: 4, kind: 'be32' },
      { name: 'lease_seconds', offset: 36, size: 4, kind: 'u32' },
      { name: 'mac', offset: 40, size: 6, kind: 'bytes' },
      { name: 'answer', offset: 46, size: 1, kind: 'u8' },
      { name: 'reserved', offset: 47, size: 1, kind: 'u8' },
    ] },
    { name: 'bng_trace_switch', size: 8, fields: [
      { name: 'until_ns', offset: 0, size: 8, kind: 'u64' },
    ] },
    { name: 'bng_traced', size: 24, fields: [
      { name: 'passed_tat', offset: 0, size: 8, kind: 'u64' },
      { name: 'dropped_tat', offset: 8, size: 8, kind: 'u64' },
      { name: 'untold', offset: 16, size: 8, kind: 'u64' },
    ] },
    { name: 'bng_trace_record', size: 64, fields: [
      { name: 'time_ns', offset: 0, size: 8, kind: 'u64' },
      { name: 'untold', offset: 8, size: 8, kind: 'u64' },
      { name: 'traced', offset: 16, size: 16, kind: 'struct', element: 'bng_line_key' },
      { name: 'verdict', offset: 32, size: 4, kind: 'u32' },
      { name: 'drop_reason', offset: 36, size: 4, kind: 'u32' },
      { name: 'frame_length', offset: 40, size: 4, kind: 'u32' },
      { name: 'source', offset: 44, size: 4, kind: 'be32' },
      { name: 'destination', offset: 48, size: 4, kind: 'be32' },
      { name: 'source_port', offset: 52, size: 2, kind: 'be16' },
      { name: 'destination_port', offset: 54, size: 2, kind: 'be16' },
      { name: 'ethertype', offset: 56, size: 2, kind: 'be16' },
      { name: 'ip_length', offset: 58, size: 2, kind: 'u16' },
      { name: 'direction', offset: 60, size: 1, kind: 'u8' },
      { name: 'protocol', offset: 61, size: 1, kind: 'u8' },
      { name: 'reserved', offset: 62, size: 2, kind: 'bytes' },
    ] },
    { name: 'bng_carry', size: 72, fields: [
      { name: 'counters', offset: 0, size: 4, kind: 'u32' },
      { name: 'index', offset: 4, size: 4, kind: 'u32' },
      { name: 'words', offset: 8, size: 64, kind: 'array', count: 8, element: 'u64' },
    ] },
  ],
  enums: [
    { name: 'bng_abi_version', members: {
      BNG_ABI_VERSION: 5,
    } },
    { name: 'bng_limit', members: {
      BNG_MAX_SUBSCRIBERS: 131072,
      BNG_MAX_LOCAL_ADDRESSES: 256,
      BNG_MAX_GARDEN_PREFIXES: 4096,
      BNG_GARDEN_PORTS: 16,
      BNG_MAX_PORTS: 64,
      BNG_MAX_ACCESS_PORTS: 16,
      BNG_PUNT_LINES: 65536,
      BNG_PUNT_RING_BYTES: 4194304,
      BNG_PUNT_SMALL: 640,
      BNG_PUNT_LARGE: 1664,
      BNG_RATE_FRACTION_BITS: 20,
      BNG_BURST_EXPONENT_BITS: 5,
      BNG_BUCKET_ADDRESSES: 4,
      BNG_ADDRESS_FACTOR: 2654435761,
      BNG_ADDRESS_FACTOR_TWO: 2246822519,
      BNG_PUNT_RING_FRAMES: 3145728,
      BNG_MAX_DHCP_REPLIES: 256,
      BNG_NO_DHCP_REPLY: 65535,
      BNG_DHCP_REPLY_BYTES: 548,
      BNG_DHCP_REPLY_ROOM: 1024,
      BNG_MAX_TRACED: 64,
      BNG_TRACE_RING_BYTES: 65536,
      BNG_MAX_STATIC_NETWORKS: 8,
      BNG_TRACE_PER_SECOND: 20,
    } },
    { name: 'bng_verdict', members: {
      BNG_VERDICT_DROP: 0,
      BNG_VERDICT_PUNT: 1,
      BNG_VERDICT_ARP_REPLY: 2,
      BNG_VERDICT_FORWARD_UP: 3,
      BNG_VERDICT_FORWARD_DOWN: 4,
      BNG_VERDICT_FORWARD_LOCAL: 5,
      BNG_VERDICT_STACK_UP: 6,
      BNG_VERDICT_STACK_DOWN: 7,
      BNG_VERDICT_FOREIGN: 8,
      BNG_VERDICT_EGRESS: 9,
      BNG_VERDICT_DHCP_REPLY: 10,
      BNG_VERDICT_COUNT: 11,
    } },
    { name: 'bng_drop_reason', members: {
      BNG_DROP_MALFORMED: 0,
      BNG_DROP_TOO_MANY_TAGS: 1,
      BNG_DROP_ETHERTYPE: 2,
      BNG_DROP_UNKNOWN_LINE: 3,
      BNG_DROP_SPOOFED_ADDRESS: 4,
      BNG_DROP_SPOOFED_MAC: 5,
      BNG_DROP_ARP_UNANSWERED: 6,
      BNG_DROP_MULTICAST: 7,
      BNG_DROP_GARDEN: 8,
      BNG_DROP_GARDEN_FRAGMENT: 9,
      BNG_DROP_LOCAL_SERVICE: 10,
      BNG_DROP_DHCP_SERVER: 11,
      BNG_DROP_PUNT_LINE_RATE: 12,
      BNG_DROP_PUNT_TOTAL_RATE: 13,
      BNG_DROP_PUNT_RING_FULL: 14,
      BNG_DROP_PUNT_TOO_LONG: 15,
      BNG_DROP_POLICED_UP: 16,
      BNG_DROP_POLICED_DOWN: 17,
      BNG_DROP_NO_ROUTE: 18,
      BNG_DROP_LOCAL_FORBIDDEN: 19,
      BNG_DROP_EGRESS_NO_SUBSCRIBER: 20,
      BNG_DROP_EGRESS_ETHERTYPE: 21,
      BNG_DROP_HEADROOM: 22,
      BNG_DROP_COUNT: 23,
    } },
    { name: 'bng_punt_reason', members: {
      BNG_PUNT_DHCP: 1,
      BNG_PUNT_LEASE_ANSWERED: 2,
      BNG_PUNT_SIGHTED: 3,
    } },
    { name: 'bng_punt_share', members: {
      BNG_PUNT_SHARE_INSTALLED: 0,
      BNG_PUNT_SHARE_NEW: 1,
      BNG_PUNT_SHARE_COUNT: 2,
    } },
    { name: 'bng_subscriber_flag', members: {
      BNG_SUBSCRIBER_WALLED: 1,
    } },
    { name: 'bng_settings_flag', members: {
      BNG_SETTINGS_LOCAL_FORWARDING: 1,
      BNG_SETTINGS_FORWARD_IN_STACK: 2,
      BNG_SETTINGS_FAST_DHCP: 4,
      BNG_SETTINGS_TRUST_OPTION82: 8,
      BNG_SETTINGS_GARDEN_DNS: 16,
    } },
    { name: 'bng_garden_flag', members: {
      BNG_GARDEN_ANY: 1,
    } },
    { name: 'bng_dhcp_answer', members: {
      BNG_DHCP_ANSWER_OFFER: 2,
      BNG_DHCP_ANSWER_ACK: 5,
    } },
    { name: 'bng_direction', members: {
      BNG_DIRECTION_UPSTREAM: 1,
      BNG_DIRECTION_DOWNSTREAM: 2,
    } },
    { name: 'bng_carry_counters', members: {
      BNG_CARRY_TRAFFIC: 1,
      BNG_CARRY_VERDICTS: 2,
      BNG_CARRY_DROPS: 3,
    } },
  ],
};

/** Every map of the dataplane, for whoever reads them back. */
export const AbiMaps: readonly AbiMap[] = [
  { name: 'bng_addresses', key: { size: 4, kind: 'u32' }, value: { size: 32, kind: 'struct', element: 'bng_address_bucket' }, indices: null },
  { name: 'bng_clocks', key: { size: 4, kind: 'u32' }, value: { size: 16, kind: 'struct', element: 'bng_clock' }, indices: null },
  { name: 'bng_dhcp_replies', key: { size: 4, kind: 'u32' }, value: { size: 1040, kind: 'struct', element: 'bng_dhcp_reply' }, indices: null },
  { name: 'bng_dhcp_scratch', key: { size: 4, kind: 'u32' }, value: { size: 1584, kind: 'struct', element: 'bng_dhcp_scratch' }, indices: null },
  { name: 'bng_drops', key: { size: 4, kind: 'u32' }, value: { size: 8, kind: 'u64' }, indices: 'bng_drop_reason' },
  { name: 'bng_garden', key: { size: 8, kind: 'struct', element: 'bng_garden_key' }, value: { size: 40, kind: 'struct', element: 'bng_garden' }, indices: null },
  { name: 'bng_leases', key: { size: 16, kind: 'struct', element: 'bng_line_key' }, value: { size: 64, kind: 'struct', element: 'bng_lease' }, indices: null },
  { name: 'bng_lines', key: { size: 16, kind: 'struct', element: 'bng_line_key' }, value: { size: 4, kind: 'be32' }, indices: null },
  { name: 'bng_local', key: { size: 4, kind: 'be32' }, value: { size: 4, kind: 'struct', element: 'bng_local' }, indices: null },
  { name: 'bng_ports', key: { size: 4, kind: 'u32' }, value: { size: 4, kind: 'u32' }, indices: null },
  { name: 'bng_punt_lines', key: { size: 16, kind: 'struct', element: 'bng_line_key' }, value: { size: 8, kind: 'u64' }, indices: null },
  { name: 'bng_punt_total', key: { size: 4, kind: 'u32' }, value: { size: 8, kind: 'u64' }, indices: 'bng_punt_share' },
  { name: 'bng_punts', key: null, value: null, indices: null },
  { name: 'bng_removed', key: { size: 4, kind: 'u32' }, value: { size: 4, kind: 'be32' }, indices: null },
  { name: 'bng_subscribers', key: { size: 4, kind: 'u32' }, value: { size: 64, kind: 'struct', element: 'bng_subscriber' }, indices: null },
  { name: 'bng_trace', key: { size: 4, kind: 'u32' }, value: { size: 8, kind: 'struct', element: 'bng_trace_switch' }, indices: null },
  { name: 'bng_trace_records', key: null, value: null, indices: null },
  { name: 'bng_trace_scratch', key: { size: 4, kind: 'u32' }, value: { size: 72, kind: 'struct', element: 'bng_trace_scratch' }, indices: null },
  { name: 'bng_traced', key: { size: 16, kind: 'struct', element: 'bng_line_key' }, value: { size: 24, kind: 'struct', element: 'bng_traced' }, indices: null },
  { name: 'bng_traffic', key: { size: 4, kind: 'u32' }, value: { size: 32, kind: 'struct', element: 'bng_traffic' }, indices: null },
  { name: 'bng_verdicts', key: { size: 4, kind: 'u32' }, value: { size: 8, kind: 'u64' }, indices: 'bng_verdict' },
];
