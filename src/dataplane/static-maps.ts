/**
 * Makes the maps that only the configuration fills equal to it: garden, our own addresses, redirect targets. By difference, so
 * that maps in use go from what was configured to what is without a moment in which they are empty. Knows no subscriber.
 */
import { ipv4ToBytes } from '../model/ipv4.js';
import {
  BNG_GARDEN_KEY_SIZE,
  BNG_GARDEN_SIZE,
  BNG_LOCAL_SIZE,
  BngGardenFlag,
  writeBngGarden,
  writeBngGardenKey,
  writeBngLocal,
} from './abi.js';
import type { GardenPolicy } from './garden-policy.js';
import type { NativeMap, NativeObject } from './native-binding.js';
import { slotKey } from './subscriber-maps.js';

export interface StaticMapsOptions {
  readonly policy: GardenPolicy;
  readonly accessPorts: readonly { readonly ifindex: number }[];
  readonly coreIfindexes: readonly number[];
}

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export function syncStaticMaps(object: NativeObject, options: StaticMapsOptions): void {
  const { policy, accessPorts, coreIfindexes } = options;
  syncPolicyMaps(object, policy);
  sync(
    object.map('bng_ports'),
    [...accessPorts.map((port) => port.ifindex), ...coreIfindexes].map((ifindex) => ({
      key: slotKey(ifindex),
      value: slotKey(ifindex),
    })),
  );
}

/** Those of them that a policy fills: what was and is allowed is allowed all the time. */
export function syncPolicyMaps(object: NativeObject, policy: GardenPolicy): void {
  sync(object.map('bng_garden'), policy.entries.map(gardenEntry));
  sync(
    object.map('bng_local'),
    policy.localAddresses.map((address) => {
      const value = new Uint8Array(BNG_LOCAL_SIZE);
      writeBngLocal(new DataView(value.buffer), 0, { isGateway: policy.gateways.includes(address) ? 1 : 0 });
      return { key: ipv4ToBytes(address), value };
    }),
  );
}

function gardenEntry(entry: GardenPolicy['entries'][number]): Entry {
  const key = new Uint8Array(BNG_GARDEN_KEY_SIZE);
  writeBngGardenKey(new DataView(key.buffer), 0, {
    prefixLength: entry.prefix.length,
    address: entry.prefix.network,
  });
  const value = new Uint8Array(BNG_GARDEN_SIZE);
  writeBngGarden(new DataView(value.buffer), 0, {
    flags: entry.any ? BngGardenFlag.any : 0,
    portCount: entry.ports.length,
    ports: entry.ports,
  });
  return { key, value };
}

/** What is wanted comes before what is not goes. */
function sync(map: NativeMap, wanted: readonly Entry[]): void {
  const keep = new Set<string>();
  for (const { key, value } of wanted) {
    map.update(key, value);
    keep.add(textOf(key));
  }
  const { keys, count } = map.readAll();
  for (let i = 0; i < count; i++) {
    const key = keys.subarray(i * map.keySize, (i + 1) * map.keySize);
    if (!keep.has(textOf(key))) map.delete(key);
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
