/** packet.bpf.c in the kernel, with all subscribers of the packet cases installed, and how it is told a case. */
import { BngLimit } from '../../src/dataplane/abi.js';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { GARDEN_LIMITS, loadKernelObject } from '../../src/dataplane/kernel-load.js';
import { LeaseMaps, newOption82Key, type PoolReply } from '../../src/dataplane/lease-maps.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeBinding, NativeObject } from '../../src/dataplane/native-binding.js';
import { slotKey, SubscriberMaps } from '../../src/dataplane/subscriber-maps.js';
import { replyTemplate } from '../../src/dhcpv4/reply.js';
import { systemClock } from '../../src/model/system-clock.js';
import { IPV4_ANY, parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { decodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import { ontFrame, tagsOf } from './ont-frames.js';
import {
  ACCESS_MAC,
  addressOf,
  FIRST_ADDRESS,
  FIRST_CLIENT,
  GARDEN_DESTINATION,
  GATEWAY,
  macOf,
  type PacketCase,
  RANDOM_SUBSCRIBERS,
  UNPOLICED_SUBSCRIBER,
  WALLED_SUBSCRIBER,
} from './packet-cases.js';

/** Ample: the policer's work is done, and nothing is ever dropped by it. */
const RATE_BITS_PER_SECOND = 1e12;
const PUNTS_PER_SECOND = 1e9;
export const TEMPLATE_BYTES = 64;
const REST_BYTES = 448;
const POOL_NAME = 'bench';
const LEASE_SECONDS = 86_400;

export interface PacketObjectOptions {
  readonly objectPath: string;
  readonly accessInterface: string;
  readonly coreInterface: string;
}

interface Ports {
  readonly accessIfindex: number;
  readonly coreIfindex: number;
}

export interface PacketObject extends Ports {
  readonly binding: NativeBinding;
  readonly object: NativeObject;
}

/** Maps as large as they can be, no rate that is ever reached. Nothing is attached. */
export function loadLargest(
  binding: NativeBinding,
  objectPath: string,
  { accessIfindex, coreIfindex }: Ports,
): { readonly object: NativeObject; readonly leases: LeaseMaps } {
  const key = newOption82Key();
  const fastDhcp = { trustOption82: true, replies: [poolReply()] };
  const { object } = loadKernelObject({
    binding,
    objectPath,
    accessPorts: [{ ifindex: accessIfindex, mac: parseMac(ACCESS_MAC) }],
    coreIfindexes: [coreIfindex],
    subscriberMtu: 1500,
    policy: compileGardenPolicy(
      {
        allow: [{ prefix: { network: GARDEN_DESTINATION, length: 32 }, port: null }],
        resolvers: [],
        portal: { address: GATEWAY, port: 80 },
        gateways: [GATEWAY],
      },
      GARDEN_LIMITS,
    ),
    localForwarding: true,
    forwardInStack: false,
    puntLineRatePerSecond: PUNTS_PER_SECOND,
    puntTotalRatePerSecond: PUNTS_PER_SECOND,
    pins: null,
    maxSubscribers: BngLimit.maxSubscribers,
    fastDhcp,
    staticNetworks: [],
    option82Key: key,
  });
  const leases = new LeaseMaps(object, { key, clock: systemClock });
  leases.useReplies(object, fastDhcp.replies);
  return { object, leases };
}

export function openPacketObject(options: PacketObjectOptions): PacketObject {
  const binding = loadNative();
  const accessIfindex = binding.interfaceIndex(options.accessInterface);
  const coreIfindex = binding.interfaceIndex(options.coreInterface);
  const { object, leases } = loadLargest(binding, options.objectPath, { accessIfindex, coreIfindex });
  // A veth has receive queues that TEST_RUN can name only once a native program is attached.
  for (const ifindex of [accessIfindex, coreIfindex]) {
    object.program('bench_pass').attachXdp(ifindex, 'native');
  }
  install(object, leases, accessIfindex);
  return { binding, object, accessIfindex, coreIfindex };
}

function install(object: NativeObject, leases: LeaseMaps, ifindex: number): void {
  const maps = new SubscriberMaps({ object, sTpid: 0x88a8, cTpid: 0x8100, burstMs: 100 });
  // Every station bears the same, since the wrapper changes it for none.
  const option82 = optionOf(ontFrame(FIRST_CLIENT, null));
  for (let n = 0; n <= WALLED_SUBSCRIBER; n++) {
    const rate = n === UNPOLICED_SUBSCRIBER ? 0 : RATE_BITS_PER_SECOND;
    const attachment = { ifindex, ...tagsOf(n), mac: macOf(n) };
    const address = addressOf(n);
    const rates = { downloadBitsPerSecond: rate, uploadBitsPerSecond: rate };
    maps.create({ address, attachment, walled: n === WALLED_SUBSCRIBER, ...rates }, n);
    maps.createLine(attachment, address);
    leases.promise({
      ...{ address, attachment, option82, poolName: POOL_NAME, leaseSeconds: LEASE_SECONDS },
      expiresAtMs: systemClock.monotonicMs() + 1000 * LEASE_SECONDS,
      endsAtMs: null,
    });
  }
}

function poolReply(): PoolReply {
  const terms = {
    address: IPV4_ANY,
    network: { network: parseIpv4('10.0.0.0'), length: 12 },
    gateway: GATEWAY,
    dns: [parseIpv4('1.1.1.1'), parseIpv4('1.0.0.1')],
    leaseSeconds: LEASE_SECONDS,
  };
  const message = replyTemplate({ poolName: POOL_NAME, terms, serverId: GATEWAY });
  return { poolName: POOL_NAME, serverId: GATEWAY, leaseSeconds: LEASE_SECONDS, message };
}

function optionOf(frame: Uint8Array): Uint8Array {
  return decodeDhcpFrame(frame).message.options.get(DhcpOption.RelayAgentInformation) ?? new Uint8Array(0);
}

/** Tells the wrappers what every frame is, until told otherwise. */
export function writeCase(
  object: NativeObject,
  one: Pick<PacketCase, 'frame' | 'vary' | 'shift' | 'whole'>,
  around: {
    readonly coreIfindex: number;
    /** By how much the body makes the frame longer. */
    readonly growth: number;
  },
): void {
  // struct bench_case of packet.bpf.c; template and rest are bytes of the frame, all else in the machine's order.
  const value = new Uint8Array(TEMPLATE_BYTES + REST_BYTES + 40);
  value.set(one.frame.subarray(0, one.whole ? TEMPLATE_BYTES + REST_BYTES : TEMPLATE_BYTES));
  const view = new DataView(value.buffer, TEMPLATE_BYTES + REST_BYTES);
  view.setUint32(0, one.whole ? one.frame.length - TEMPLATE_BYTES : 0, true);
  view.setInt32(4, around.growth, true);
  view.setUint32(8, one.frame.length, true);
  view.setUint32(12, one.vary, true);
  view.setUint32(16, RANDOM_SUBSCRIBERS, true);
  view.setUint32(20, FIRST_ADDRESS, true);
  view.setUint32(24, 1, true);
  view.setInt32(28, one.shift, true);
  view.setUint32(32, around.coreIfindex, true);
  object.map('bench_cases').update(slotKey(0), value);
}
