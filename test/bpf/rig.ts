/**
 * The dataplane loaded with one set of settings and a small world of subscribers, and one call that runs a frame
 * through a program and says what happened: the hook's code, the frame after it, and every counter that moved.
 */
import {
  BNG_LINE_KEY_SIZE,
  BNG_LOCAL_SIZE,
  BNG_SETTINGS_SIZE,
  BNG_SUBSCRIBER_SIZE,
} from '../../src/dataplane/abi.js';
import {
  BNG_GARDEN_KEY_SIZE,
  BNG_GARDEN_SIZE,
  BngDropReasonLabels,
  BngGardenFlag,
} from '../../src/dataplane/abi.js';
import {
  BngSubscriberFlag,
  BngVerdictLabels,
  writeBngGarden,
  writeBngGardenKey,
} from '../../src/dataplane/abi.js';
import {
  writeBngLineKey,
  writeBngLocal,
  writeBngSettings,
  writeBngSubscriber,
} from '../../src/dataplane/abi.js';
import type { BngRate, BngSettings, BngSubscriber } from '../../src/dataplane/abi.js';
import { AddressIndex, addressBuckets } from '../../src/dataplane/address-index.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeBinding, NativeObject } from '../../src/dataplane/native-binding.js';
import { packRates } from '../../src/dataplane/subscriber-value.js';
import { ipv4FromNumber } from '../../src/model/ipv4.js';
import { address, mac } from '../support/packet.js';
import { ACCESS_MAC, SECOND_MAC } from './namespace.js';

export const Xdp = { drop: 1, pass: 2, tx: 3, redirect: 4 } as const;
export const Tc = { ok: 0, shot: 2, redirect: 7 } as const;

export type ProgramName = 'bng_access' | 'bng_core' | 'bng_egress';

/** Tags as [TPID, VLAN id], outer first. */
export type Tags = readonly (readonly [number, number])[];

export interface Station {
  readonly address: string;
  readonly mac: string;
  readonly tags: Tags;
  readonly slot: number;
  readonly walled?: boolean;
  readonly port?: 'access0' | 'access2' | 'other0';
  readonly upstream?: BngRate;
  readonly downstream?: BngRate;
}

const UNLIMITED: BngRate = { nsPerByte: 0n, burstNs: 0n };
/** One byte a second and a burst of 100 bytes: what the burst lets through is all that passes during a test. */
export const SLOW: BngRate = { nsPerByte: 1_000_000_000n << 20n, burstNs: 100_000_000_000n };

export const Stations = {
  untagged: { address: '10.0.0.10', mac: '02:00:00:00:00:10', tags: [], slot: 0 },
  single: { address: '10.0.0.11', mac: '02:00:00:00:00:11', tags: [[0x8100, 100]], slot: 1 },
  service: { address: '10.0.0.12', mac: '02:00:00:00:00:12', tags: [[0x88a8, 101]], slot: 2 },
  qinq: {
    address: '10.0.0.13',
    mac: '02:00:00:00:00:13',
    tags: [
      [0x88a8, 200],
      [0x8100, 7],
    ],
    slot: 3,
  },
  stacked: {
    address: '10.0.0.14',
    mac: '02:00:00:00:00:14',
    tags: [
      [0x8100, 201],
      [0x8100, 8],
    ],
    slot: 4,
  },
  walled: {
    address: '10.255.0.20',
    mac: '02:00:00:00:00:20',
    tags: [
      [0x88a8, 300],
      [0x8100, 1],
    ],
    slot: 5,
    walled: true,
  },
  slow: {
    address: '10.0.0.15',
    mac: '02:00:00:00:00:15',
    tags: [[0x8100, 102]],
    slot: 6,
    upstream: SLOW,
    downstream: SLOW,
  },
  elsewhere: {
    address: '10.0.0.16',
    mac: '02:00:00:00:00:16',
    tags: [[0x8100, 103]],
    slot: 7,
    port: 'other0',
  },
  second: {
    address: '10.0.0.17',
    mac: '02:00:00:00:00:17',
    tags: [
      [0x88a8, 200],
      [0x8100, 7],
    ],
    slot: 8,
    port: 'access2',
  },
} as const satisfies Record<string, Station>;

const GARDEN = [
  { prefix: '8.8.8.8', length: 32, flags: 0, ports: [53] },
  { prefix: '203.0.113.10', length: 32, flags: BngGardenFlag.any, ports: [] },
  { prefix: '203.0.113.0', length: 24, flags: 0, ports: [443, 8443] },
];

export interface Traffic {
  readonly upstream?: readonly [packets: number, bytes: number];
  readonly downstream?: readonly [packets: number, bytes: number];
}

export interface Observation {
  readonly returnValue: number;
  readonly frame: Buffer;
  /** Labels of the counters that moved, each as often as it moved. */
  readonly verdicts: readonly string[];
  readonly drops: readonly string[];
  /** By slot, those that moved. */
  readonly traffic: Readonly<Record<number, Traffic>>;
}

function view(size: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(size));
}

function bytes(of: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(of.buffer);
}

function be32(value: number): Uint8Array {
  const key = view(4);
  key.setUint32(0, value, false);
  return bytes(key);
}

function u32(value: number): Uint8Array {
  const key = view(4);
  key.setUint32(0, value, true);
  return bytes(key);
}

const SLOTS = 16;

let prepared: NativeObject | undefined;

/**
 * The kernel runs a test with an interface as its context only where native XDP has set up the queues. So one copy of
 * the object is attached for the life of the process, apart from those under test.
 */
export function prepareInterfaces(native: NativeBinding): void {
  if (prepared !== undefined) return;
  prepared = native.openObject('build/bpf/bng.bpf.o');
  prepared.load();
  prepared.program('bng_access').attachXdp(native.interfaceIndex('access0'), 'native');
  prepared.program('bng_access').attachXdp(native.interfaceIndex('access2'), 'native');
  prepared.program('bng_core').attachXdp(native.interfaceIndex('core0'), 'native');
}

export class Rig {
  readonly object: NativeObject;
  readonly native = loadNative();
  readonly accessIfindex: number;
  readonly coreIfindex: number;

  constructor(settings: Partial<BngSettings> = {}) {
    this.accessIfindex = this.native.interfaceIndex('access0');
    this.coreIfindex = this.native.interfaceIndex('core0');
    this.object = this.native.openObject('build/bpf/bng.bpf.o');
    const rodata = view(BNG_SETTINGS_SIZE);
    writeBngSettings(rodata, 0, {
      accessPortCount: 2,
      subscriberMtu: 1500,
      portalAddress: address('10.255.0.1'),
      portalPort: 80,
      accessPorts: [
        { ifindex: this.accessIfindex, mac: mac(ACCESS_MAC) },
        { ifindex: this.native.interfaceIndex('access2'), mac: mac(SECOND_MAC) },
      ],
      flags: 0,
      puntInstalledRate: UNLIMITED,
      puntNewRate: UNLIMITED,
      puntLineRate: UNLIMITED,
      puntTotalInstalledRate: UNLIMITED,
      puntTotalNewRate: UNLIMITED,
      answerRate: UNLIMITED,
      option82Seed: 0x0123456789abcdefn,
      option82Factor: 0xfedcba9876543211n,
      trafficSlots: SLOTS,
      staticNetworkCount: 0,
      staticNetworks: [],
      ...settings,
    });
    this.object.setRodata(bytes(rodata));
    this.object.setMaxEntries('bng_addresses', addressBuckets(SLOTS));
    this.object.setMaxEntries('bng_traffic', SLOTS * this.native.possibleCpus());
    this.object.load();
    prepareInterfaces(this.native);
    for (const port of [this.accessIfindex, this.coreIfindex, this.native.interfaceIndex('access2')])
      this.object.map('bng_ports').update(u32(port), u32(port));
    for (const station of Object.values(Stations)) this.install(station);
    for (const gateway of ['10.0.0.1', '10.255.0.1']) this.#addLocal(gateway, 1);
    this.#addLocal('10.255.0.2', 0);
    this.#plantGarden();
  }

  install(station: Station): void {
    const [outer = [0, 0], inner = [0, 0]] = station.tags;
    const value: BngSubscriber = {
      address: address(station.address),
      ifindex: this.native.interfaceIndex(station.port ?? 'access0'),
      sVlan: outer[1],
      cVlan: inner[1],
      sTpid: outer[0],
      cTpid: inner[0],
      mac: mac(station.mac),
      flags: station.walled ? BngSubscriberFlag.walled : 0,
      ...packRates({
        upstream: station.upstream ?? UNLIMITED,
        downstream: station.downstream ?? UNLIMITED,
      }),
      upstreamTat: 0n,
      downstreamTat: 0n,
    };
    const subscriber = view(BNG_SUBSCRIBER_SIZE);
    writeBngSubscriber(subscriber, 0, value);
    const line = view(BNG_LINE_KEY_SIZE);
    writeBngLineKey(line, 0, value);
    this.object.map('bng_subscribers').update(u32(station.slot), bytes(subscriber));
    const addresses = new AddressIndex(this.object.map('bng_addresses'));
    const holder = ipv4FromNumber(address(station.address));
    addresses.delete(holder);
    addresses.add(holder, station.slot);
    this.object.map('bng_lines').update(bytes(line), be32(address(station.address)));
  }

  #addLocal(text: string, isGateway: number): void {
    const value = view(BNG_LOCAL_SIZE);
    writeBngLocal(value, 0, { isGateway });
    this.object.map('bng_local').update(be32(address(text)), bytes(value));
  }

  #plantGarden(): void {
    for (const { prefix, length, flags, ports } of GARDEN) {
      const key = view(BNG_GARDEN_KEY_SIZE);
      writeBngGardenKey(key, 0, { prefixLength: length, address: address(prefix) });
      const value = view(BNG_GARDEN_SIZE);
      writeBngGarden(value, 0, { flags, portCount: ports.length, ports });
      this.object.map('bng_garden').update(bytes(key), bytes(value));
    }
  }

  /** One round of the program, without reading counters. */
  runOnly(
    program: ProgramName,
    frame: Uint8Array,
    port?: string,
  ): { readonly returnValue: number; readonly dataOut: Uint8Array } {
    const { accessIfindex } = this;
    const at = { bng_access: accessIfindex, bng_core: this.coreIfindex, bng_egress: accessIfindex }[program];
    const ifindex = port === undefined ? at : this.native.interfaceIndex(port);
    return this.object.program(program).testRun({ data: frame, ingressIfindex: ifindex });
  }

  /** The same, with every counter; on `port`, or else on access0 or core0. */
  run(program: ProgramName, frame: Uint8Array, port?: string): Observation {
    const before = this.counters();
    const { returnValue, dataOut } = this.runOnly(program, frame, port);
    const after = this.counters();
    const moved = (name: 'verdicts' | 'drops', labels: ReadonlyMap<number, string>): string[] =>
      [...labels].flatMap(([index, label]) =>
        Array<string>(Number(after[name][index]! - before[name][index]!)).fill(label),
      );
    const traffic: Record<number, Traffic> = {};
    for (let slot = 0; slot < SLOTS; slot++) {
      const [up = 0, upBytes = 0, down = 0, downBytes = 0] = Array.from({ length: 4 }, (_, index) =>
        Number(after.traffic[slot * 4 + index]! - before.traffic[slot * 4 + index]!),
      );
      if (up + upBytes + down + downBytes === 0) continue;
      traffic[slot] = {
        ...(up + upBytes > 0 ? { upstream: [up, upBytes] as const } : {}),
        ...(down + downBytes > 0 ? { downstream: [down, downBytes] as const } : {}),
      };
    }
    return {
      returnValue,
      frame: Buffer.from(dataOut),
      verdicts: moved('verdicts', BngVerdictLabels),
      drops: moved('drops', BngDropReasonLabels),
      traffic,
    };
  }

  counters(): Record<'verdicts' | 'drops' | 'traffic', BigUint64Array> {
    return {
      verdicts: this.object.map('bng_verdicts').readSums(0, BngVerdictLabels.size),
      drops: this.object.map('bng_drops').readSums(0, BngDropReasonLabels.size),
      traffic: this.object.map('bng_traffic').readSums(0, SLOTS),
    };
  }

  close(): void {
    this.object.close();
  }
}
