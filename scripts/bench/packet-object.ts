/** packet.bpf.c in the kernel, with all subscribers of the packet cases installed, and how it is told a case. */
import { BngLimit } from '../../src/dataplane/abi.js';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { GARDEN_LIMITS, loadKernelObject } from '../../src/dataplane/kernel-load.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeBinding, NativeObject } from '../../src/dataplane/native-binding.js';
import { slotKey, SubscriberMaps } from '../../src/dataplane/subscriber-maps.js';
import { parseMac } from '../../src/model/mac.js';
import { tagsOf } from './ont-frames.js';
import {
  ACCESS_MAC,
  addressOf,
  FIRST_ADDRESS,
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
const TEMPLATE_BYTES = 64;

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
export function loadLargest(binding: NativeBinding, objectPath: string, ports: Ports): NativeObject {
  return loadKernelObject({
    binding,
    objectPath,
    ...ports,
    accessMac: parseMac(ACCESS_MAC),
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
    maxSubscribers: BngLimit.maxSubscribers,
  });
}

export function openPacketObject(options: PacketObjectOptions): PacketObject {
  const binding = loadNative();
  const accessIfindex = binding.interfaceIndex(options.accessInterface);
  const coreIfindex = binding.interfaceIndex(options.coreInterface);
  const object = loadLargest(binding, options.objectPath, { accessIfindex, coreIfindex });
  // A veth has receive queues that TEST_RUN can name only once a native program is attached.
  for (const ifindex of [accessIfindex, coreIfindex]) {
    object.program('bench_pass').attachXdp(ifindex, 'native');
  }
  install(object, accessIfindex);
  return { binding, object, accessIfindex, coreIfindex };
}

function install(object: NativeObject, ifindex: number): void {
  const maps = new SubscriberMaps({ object, sTpid: 0x88a8, cTpid: 0x8100, burstMs: 100 });
  for (let n = 0; n <= WALLED_SUBSCRIBER; n++) {
    const rate = n === UNPOLICED_SUBSCRIBER ? 0 : RATE_BITS_PER_SECOND;
    const attachment = { ifindex, ...tagsOf(n), mac: macOf(n) };
    const address = addressOf(n);
    const rates = { downloadBitsPerSecond: rate, uploadBitsPerSecond: rate };
    maps.create({ address, attachment, walled: n === WALLED_SUBSCRIBER, ...rates }, n);
    maps.createLine(attachment, address);
  }
}

/** Tells the wrappers what every frame is, until told otherwise: `struct bench_case`. */
export function writeCase(object: NativeObject, one: Pick<PacketCase, 'frame' | 'vary' | 'shift'>): void {
  const value = new Uint8Array(TEMPLATE_BYTES + 24);
  value.set(one.frame.subarray(0, TEMPLATE_BYTES));
  const view = new DataView(value.buffer, TEMPLATE_BYTES);
  view.setUint32(0, one.frame.length, true);
  view.setUint32(4, one.vary, true);
  view.setUint32(8, RANDOM_SUBSCRIBERS, true);
  view.setUint32(12, FIRST_ADDRESS, true);
  view.setUint32(16, 1, true);
  view.setInt32(20, one.shift, true);
  object.map('bench_cases').update(slotKey(0), value);
}
