/**
 * Brings the BPF object into the kernel with everything that does not change while it runs: settings, garden, our own
 * addresses, redirect targets. Attaches nothing and knows no subscriber.
 */
import { BngError, errorText } from '../model/bng-error.js';
import { type Mac, macToBytes } from '../model/mac.js';
import {
  AbiLayout,
  BNG_SETTINGS_SIZE,
  BngLimit,
  BngPuntShare,
  BngSettingsFlag,
  writeBngSettings,
} from './abi.js';
import type { BngRate, BngSettings } from './abi.js';
import { prefixMask, type Ipv4Prefix } from '../model/ipv4.js';
import { checkAbi } from './abi-check.js';
import { addressBuckets } from './address-index.js';
import { Adoption, type AdoptionOptions } from './adopt.js';
import type { GardenLimits, GardenPolicy } from './garden-policy.js';
import { type FastDhcp, type Option82Key, fastDhcpFlags } from './lease-maps.js';
import type { NativeBinding, NativeObject } from './native-binding.js';
import { eventRate } from './policer-rate.js';
import { syncStaticMaps } from './static-maps.js';

/** What the maps of this build hold at most. */
export const GARDEN_LIMITS: GardenLimits = {
  maxPrefixes: BngLimit.maxGardenPrefixes,
  maxPortsOfPrefix: BngLimit.gardenPorts,
  maxLocalAddresses: BngLimit.maxLocalAddresses,
};

/** An interface that subscribers are behind, and what they see as their gateway's MAC there. */
export interface AccessPort {
  readonly ifindex: number;
  readonly mac: Mac;
}

export interface KernelLoadOptions {
  readonly binding: NativeBinding;
  readonly objectPath: string;
  /** At most as many as the ABI's limit. */
  readonly accessPorts: readonly AccessPort[];
  readonly coreIfindexes: readonly number[];
  /** Longest packet towards a subscriber; the stack does what has to be done with longer ones. */
  readonly subscriberMtu: number;
  readonly policy: GardenPolicy;
  readonly localForwarding: boolean;
  /** For comparison only: XDP judges, the kernel's stack forwards. */
  readonly forwardInStack: boolean;
  /** Of an installed station; others get parts and multiples of it. 0 = unlimited. */
  readonly puntLineRatePerSecond: number;
  /** Of all lines together, half of it for those that are installed. 0 = unlimited. */
  readonly puntTotalRatePerSecond: number;
  /** Null: the control plane answers every DHCP message itself. */
  readonly fastDhcp: FastDhcp | null;
  /** Addresses that are used without DHCP: stations that do so are handed up. */
  readonly staticNetworks: readonly Ipv4Prefix[];
  readonly option82Key: Option82Key;
  /** Fewer than the ABI's limit saves memory. */
  readonly maxSubscribers: number;
  /** Where maps are pinned, and found pinned; null for maps that go with the object. */
  readonly pins: Pick<AdoptionOptions, 'root' | 'warn'> | null;
}

export interface LoadedKernel {
  readonly object: NativeObject;
  /** What was pinned and goes on; null without pins. */
  readonly adoption: Adoption | null;
}

/** Punts of a station that may come at once: a client that starts sends a handful in a second. */
const PUNT_STATION_BURST = 16;
const PUNT_SHARE_BURST = 512;
/** A station that is not installed gets half the rate of one that is. */
const PUNT_NEW_PART = 0.5;
/**
 * All such stations of a VLAN together, whatever MACs they use: where many share one, many start at once. A line with two
 * tags is held to one installed station's.
 */
const PUNT_LINE_STATIONS = 10;

const PER_SUBSCRIBER_MAPS = ['bng_subscribers', 'bng_lines', 'bng_removed', 'bng_leases'] as const;

/**
 * Opens, checks, sizes, adopts, loads and fills. Throws `BNG_ERR_ABI_MISMATCH` for an object of another build and
 * `BNG_ERR_NATIVE` when the kernel refuses; nothing stays behind then.
 */
export function loadKernelObject(options: KernelLoadOptions): LoadedKernel {
  const object = options.binding.openObject(options.objectPath);
  try {
    checkAbi(object.btf(), AbiLayout);
    object.setRodata(settings(options, object.rodata().length));
    for (const name of PER_SUBSCRIBER_MAPS) object.setMaxEntries(name, options.maxSubscribers);
    object.setMaxEntries('bng_addresses', addressBuckets(options.maxSubscribers));
    object.setMaxEntries('bng_traffic', options.maxSubscribers * options.binding.possibleCpus());
    const adoption =
      options.pins === null ? null : new Adoption({ ...options.pins, binding: options.binding, object });
    object.load();
    adoption?.fill();
    syncStaticMaps(object, options);
    adoption?.pin();
    return { object, adoption };
  } catch (error) {
    object.close();
    if (error instanceof BngError) throw error;
    const context = { object: options.objectPath };
    throw new BngError('BNG_ERR_NATIVE', errorText(error), context, error);
  }
}

function settings(options: KernelLoadOptions, found: number): Uint8Array {
  if (found !== BNG_SETTINGS_SIZE) {
    throw new BngError('BNG_ERR_ABI_MISMATCH', 'expected .rodata to hold struct bng_settings alone', {
      expected: BNG_SETTINGS_SIZE,
      found,
    });
  }
  const bytes = new Uint8Array(BNG_SETTINGS_SIZE);
  writeBngSettings(new DataView(bytes.buffer), 0, {
    accessPortCount: options.accessPorts.length,
    portalAddress: options.policy.portal.address,
    portalPort: options.policy.portal.port,
    subscriberMtu: options.subscriberMtu,
    accessPorts: options.accessPorts.map(({ ifindex, mac }) => ({ ifindex, mac: macToBytes(mac) })),
    flags:
      (options.localForwarding ? BngSettingsFlag.localForwarding : 0) |
      (options.forwardInStack ? BngSettingsFlag.forwardInStack : 0) |
      (options.policy.answersDns ? BngSettingsFlag.gardenDns : 0) |
      fastDhcpFlags(options.fastDhcp),
    ...options.option82Key,
    ...puntRates(options),
    trafficSlots: options.maxSubscribers,
    staticNetworkCount: options.staticNetworks.length,
    staticNetworks: options.staticNetworks.map(({ network, length }) => ({
      network,
      mask: prefixMask(length),
    })),
  });
  return bytes;
}

/** What installed stations may hand up is theirs alone, so that those who start or flood never cost them a renewal. */
function puntRates(
  options: Pick<KernelLoadOptions, 'puntLineRatePerSecond' | 'puntTotalRatePerSecond'>,
): Pick<
  BngSettings,
  | 'puntInstalledRate'
  | 'puntNewRate'
  | 'puntLineRate'
  | 'puntTotalInstalledRate'
  | 'puntTotalNewRate'
  | 'answerRate'
> {
  const rate = (perSecond: number, burst: number): BngRate =>
    eventRate(perSecond, burst, BngLimit.rateFractionBits);
  const station = options.puntLineRatePerSecond;
  const share = rate(options.puntTotalRatePerSecond / BngPuntShare.count, PUNT_SHARE_BURST);
  return {
    puntInstalledRate: rate(station, PUNT_STATION_BURST),
    puntNewRate: rate(station * PUNT_NEW_PART, PUNT_STATION_BURST),
    puntLineRate: rate(station * PUNT_LINE_STATIONS, PUNT_STATION_BURST * PUNT_LINE_STATIONS),
    puntTotalInstalledRate: share,
    puntTotalNewRate: share,
    // What XDP answers is told to the control plane one by one: no station may say more that way than by punts.
    answerRate: rate(station, PUNT_STATION_BURST),
  };
}
