/**
 * A loaded dataplane that is told whatever the model's world is told, and asked for everything the programs leave
 * behind: frames, counters, punt records. Predicts nothing.
 */
import {
  BNG_GARDEN_KEY_SIZE,
  BNG_GARDEN_SIZE,
  BNG_LINE_KEY_SIZE,
  BNG_LOCAL_SIZE,
  BNG_PUNT_SIZE,
  BNG_SETTINGS_SIZE,
  BNG_SUBSCRIBER_SIZE,
  BNG_TRAFFIC_SIZE,
  BngDropReason,
  BngGardenFlag,
  BngLimit,
  type BngPunt,
  BngPuntReason,
  type BngRate,
  BngSettingsFlag,
  type BngSubscriber,
  BngSubscriberFlag,
  BngVerdict,
  readBngLeaseAnswered,
  readBngPunt,
  readBngSubscriber,
  writeBngGarden,
  writeBngGardenKey,
  writeBngLineKey,
  writeBngLocal,
  writeBngSettings,
  writeBngSubscriber,
} from '../../../src/dataplane/abi.js';
import { AddressIndex, addressBuckets } from '../../../src/dataplane/address-index.js';
import { LeaseMaps } from '../../../src/dataplane/lease-maps.js';
import type { NativeObject, NativeRingBuffer } from '../../../src/dataplane/native-binding.js';
import { loadNative } from '../../../src/dataplane/load-native.js';
import { packRates } from '../../../src/dataplane/subscriber-value.js';
import { replyTemplate } from '../../../src/dhcpv4/reply.js';
import { systemClock } from '../../../src/model/system-clock.js';
import { IPV4_ANY, ipv4FromNumber } from '../../../src/model/ipv4.js';
import { macFromBytes } from '../../../src/model/mac.js';
import { type ProgramName, prepareInterfaces } from '../rig.js';
import type { AnsweredRecord } from './outcome.js';
import type { Burst, Lease, Subscriber, World } from './world.js';

/** So long a byte or a frame takes to refill: none does during a run. */
const NS_EACH = 1_000_000_000_000n;

export const TRAFFIC_WORDS = BNG_TRAFFIC_SIZE / 8;

export interface PuntSeen {
  readonly head: BngPunt;
  readonly frame: Buffer;
  /** What a record of an answer tells beyond its head. */
  readonly answered: AnsweredRecord | null;
}

const OPTION_82_KEY = { option82Seed: 0x1122334455667788n, option82Factor: 0x99aabbccddeeff01n };

export interface Counted {
  readonly verdicts: BigUint64Array;
  readonly drops: BigUint64Array;
  /** `TRAFFIC_WORDS` a slot. */
  readonly traffic: BigUint64Array;
}

function rate(burst: Burst): BngRate {
  if (burst === null) return { nsPerByte: 0n, burstNs: 0n };
  return {
    nsPerByte: NS_EACH << BigInt(BngLimit.rateFractionBits),
    burstNs: (BigInt(burst * 2) * NS_EACH) / 2n,
  };
}

function encoded(size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

const be32 = (value: number): Uint8Array => encoded(4, (view) => view.setUint32(0, value, false));
const u32 = (value: number): Uint8Array => encoded(4, (view) => view.setUint32(0, value, true));

export class KernelMirror {
  readonly #native = loadNative();
  readonly #object: NativeObject;
  readonly #ring: NativeRingBuffer;
  readonly #world: World;
  readonly #slots: number;
  readonly #leases: LeaseMaps;
  readonly #addresses: AddressIndex;
  readonly #punts: PuntSeen[] = [];

  constructor(world: World, slots: number) {
    this.#world = world;
    this.#slots = slots;
    this.#object = this.#native.openObject('build/bpf/bng.bpf.o');
    this.#object.setRodata(this.#rodata());
    this.#object.setMaxEntries('bng_punts', world.options.ringBytes);
    this.#object.setMaxEntries('bng_addresses', addressBuckets(slots));
    this.#object.setMaxEntries('bng_traffic', slots * this.#native.possibleCpus());
    this.#object.load();
    this.#addresses = new AddressIndex(this.#object.map('bng_addresses'));
    prepareInterfaces(this.#native);
    const { ports, local, garden, pools } = world.options;
    for (const port of ports) this.#object.map('bng_ports').update(u32(port), u32(port));
    for (const [address, isGateway] of local) {
      const value = encoded(BNG_LOCAL_SIZE, (view) =>
        writeBngLocal(view, 0, { isGateway: Number(isGateway) }),
      );
      this.#object.map('bng_local').update(be32(address), value);
    }
    for (const { network, length, any, ports: open } of garden) {
      const key = { prefixLength: length, address: network };
      const value = { flags: any ? BngGardenFlag.any : 0, portCount: open.length, ports: open };
      this.#object.map('bng_garden').update(
        encoded(BNG_GARDEN_KEY_SIZE, (view) => writeBngGardenKey(view, 0, key)),
        encoded(BNG_GARDEN_SIZE, (view) => writeBngGarden(view, 0, value)),
      );
    }
    this.#leases = new LeaseMaps(this.#object, { key: OPTION_82_KEY, clock: systemClock });
    this.#leases.useReplies(
      this.#object,
      [...pools].map(([poolName, pool]) => {
        const terms = { ...pool, address: IPV4_ANY };
        return { poolName, ...pool, message: replyTemplate({ poolName, terms, serverId: pool.serverId }) };
      }),
    );
    this.#ring = this.#native.openRingBuffer(this.#object.map('bng_punts'), {
      slabBytes: 1 << 18,
      onBatch: (slab, used) => this.#keepPunts(slab, used),
    });
  }

  /** A new owner of the slot: counters and buckets start anew, as the control plane has it. */
  install(subscriber: Subscriber): void {
    this.#object.map('bng_traffic').clearSums(subscriber.slot);
    this.#write(subscriber);
  }

  update(before: Subscriber, after: Subscriber): void {
    this.#object.map('bng_lines').delete(lineKey(before));
    const { upstreamTat, downstreamTat } = this.#stored(before.slot);
    this.#write(after, { upstreamTat, downstreamTat });
  }

  remove(subscriber: Subscriber): void {
    this.#object.map('bng_lines').delete(lineKey(subscriber));
    this.#addresses.delete(ipv4FromNumber(subscriber.address));
  }

  /** Writes the station's lease; null takes it back. Not written where XDP has marked the one before as given up. */
  promise(station: Pick<Subscriber, 'ifindex' | 'tags' | 'mac'>, lease: Lease | null): void {
    const [outer, inner] = station.tags;
    const mac = macFromBytes(station.mac);
    const attachment = { ifindex: station.ifindex, sVlan: outer?.vlan ?? 0, cVlan: inner?.vlan ?? 0, mac };
    if (lease === null) {
      this.#leases.withdraw(attachment);
      return;
    }
    const { poolName, option82 } = lease;
    const seconds = this.#world.options.pools.get(poolName)?.leaseSeconds ?? 0;
    const written = this.#leases.promise({
      ...{ attachment, poolName, option82, leaseSeconds: seconds, endsAtMs: null },
      address: ipv4FromNumber(lease.address),
      expiresAtMs: systemClock.monotonicMs() + (lease.expired ? -1 : 1000 * seconds),
    });
    if (!written && lease.isGivenUp !== true) throw new Error('expected a lease that XDP can answer for');
  }

  run(
    program: ProgramName,
    frame: Buffer,
    ifindex: number,
  ): { readonly returnValue: number; readonly dataOut: Uint8Array } {
    return this.#object.program(program).testRun({ data: frame, ingressIfindex: ifindex });
  }

  counters(): Counted {
    return {
      verdicts: this.#object.map('bng_verdicts').readSums(0, BngVerdict.count),
      drops: this.#object.map('bng_drops').readSums(0, BngDropReason.count),
      traffic: this.#object.map('bng_traffic').readSums(0, this.#slots),
    };
  }

  /** Waits for `count` records; gives what has come when they do not come. The ring is empty after. */
  async takePunts(count: number): Promise<readonly PuntSeen[]> {
    const deadline = performance.now() + 5_000;
    while (this.#punts.length < count && performance.now() < deadline) await new Promise(setImmediate);
    return this.#punts.splice(0);
  }

  close(): void {
    this.#ring.close();
    this.#object.close();
  }

  #rodata(): Uint8Array {
    const { settings } = this.#world;
    const flags =
      (settings.localForwarding ? BngSettingsFlag.localForwarding : 0) |
      (settings.forwardInStack ? BngSettingsFlag.forwardInStack : 0) |
      (settings.fastDhcp ? BngSettingsFlag.fastDhcp : 0) |
      (settings.trustOption82 ? BngSettingsFlag.trustOption82 : 0) |
      (settings.gardenDns ? BngSettingsFlag.gardenDns : 0);
    return encoded(BNG_SETTINGS_SIZE, (view) =>
      writeBngSettings(view, 0, {
        accessPortCount: settings.accessPorts.size,
        accessPorts: [...settings.accessPorts].map(([ifindex, mac]) => ({ ifindex, mac })),
        subscriberMtu: settings.subscriberMtu,
        portalAddress: settings.portalAddress,
        portalPort: settings.portalPort,
        flags,
        puntInstalledRate: rate(settings.puntInstalled),
        puntNewRate: rate(settings.puntNew),
        puntLineRate: rate(settings.puntLine),
        puntTotalInstalledRate: rate(settings.puntTotalInstalled),
        puntTotalNewRate: rate(settings.puntTotalNew),
        answerRate: rate(settings.answers),
        ...OPTION_82_KEY,
        trafficSlots: this.#slots,
        staticNetworkCount: 0,
        staticNetworks: [],
      }),
    );
  }

  #stored(slot: number): BngSubscriber {
    const bytes = this.#object.map('bng_subscribers').lookup(u32(slot))!;
    return readBngSubscriber(new DataView(bytes.buffer, bytes.byteOffset), 0);
  }

  #write(subscriber: Subscriber, buckets = { upstreamTat: 0n, downstreamTat: 0n }): void {
    const [outer, inner] = subscriber.tags;
    const value = encoded(BNG_SUBSCRIBER_SIZE, (view) =>
      writeBngSubscriber(view, 0, {
        address: subscriber.address,
        ifindex: subscriber.ifindex,
        sVlan: outer?.vlan ?? 0,
        cVlan: inner?.vlan ?? 0,
        sTpid: outer?.tpid ?? 0,
        cTpid: inner?.tpid ?? 0,
        mac: subscriber.mac,
        flags: subscriber.walled ? BngSubscriberFlag.walled : 0,
        ...packRates({ upstream: rate(subscriber.upstream), downstream: rate(subscriber.downstream) }),
        ...buckets,
      }),
    );
    const address = ipv4FromNumber(subscriber.address);
    this.#object.map('bng_subscribers').update(u32(subscriber.slot), value);
    if (this.#addresses.find(address) === null) this.#addresses.add(address, subscriber.slot);
    this.#object.map('bng_lines').update(lineKey(subscriber), be32(subscriber.address), 'create');
  }

  #keepPunts(slab: Uint8Array, used: number): void {
    const view = new DataView(slab.buffer, slab.byteOffset, used);
    for (let at = 0; at < used; ) {
      const length = view.getUint32(at, true);
      const head = readBngPunt(view, at + 8);
      const frameAt = at + 8 + BNG_PUNT_SIZE;
      const frame = Buffer.from(slab.subarray(frameAt, frameAt + head.frameLength));
      const isAnswer = head.reason === BngPuntReason.leaseAnswered;
      this.#punts.push({ head, frame, answered: isAnswer ? answeredAt(view, at + 8) : null });
      at += 8 + Math.ceil(length / 8) * 8;
    }
  }
}

function answeredAt(view: DataView, at: number): AnsweredRecord {
  const { address, leaseSeconds, mac, answer } = readBngLeaseAnswered(view, at);
  return { address, leaseSeconds, mac: Buffer.from(mac).toString('hex'), answer };
}

function lineKey({ ifindex, tags, mac }: Subscriber): Uint8Array {
  const key = { ifindex, sVlan: tags[0]?.vlan ?? 0, cVlan: tags[1]?.vlan ?? 0, mac };
  return encoded(BNG_LINE_KEY_SIZE, (view) => writeBngLineKey(view, 0, key));
}
