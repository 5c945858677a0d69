/**
 * The dataplane loaded and run by bpftool, for test runs that need a context of their own (metadata before the frame,
 * GSO), which the addon does not offer. One QinQ subscriber; the pins live as long as `withPinned`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BNG_ADDRESS_BUCKET_SIZE,
  BNG_SUBSCRIBER_SIZE,
  writeBngSettings,
  writeBngSubscriber,
} from '../../src/dataplane/abi.js';
import { packRates } from '../../src/dataplane/subscriber-value.js';
import { address, mac } from '../support/packet.js';
import { ACCESS_MAC } from './namespace.js';
import { Stations } from './rig.js';

const UNLIMITED = { nsPerByte: 0n, burstNs: 0n };
const LOOPBACK = Uint8Array.of(1, 0, 0, 0);

/** Bytes as bpftool takes them on its command line. */
function hex(bytes: Uint8Array): string[] {
  return ['hex', ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))];
}

function bpftool(...args: readonly string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8' });
}

function qinqSubscriber(): Uint8Array {
  const view = new DataView(new ArrayBuffer(BNG_SUBSCRIBER_SIZE));
  const [[sTpid, sVlan], [cTpid, cVlan]] = Stations.qinq.tags;
  writeBngSubscriber(view, 0, {
    address: address(Stations.qinq.address),
    ifindex: 1,
    sVlan,
    cVlan,
    sTpid,
    cTpid,
    mac: mac(Stations.qinq.mac),
    flags: 0,
    ...packRates({ upstream: UNLIMITED, downstream: UNLIMITED }),
    upstreamTat: 0n,
    downstreamTat: 0n,
  });
  return new Uint8Array(view.buffer);
}

/** The object with settings in its .rodata, which bpftool cannot set: loopback is the one access port. */
function configuredObject(): Buffer {
  const elf = readFileSync('build/bpf/bng.bpf.o');
  const headers = Number(elf.readBigUInt64LE(0x28));
  const section = (
    index: number,
  ): { readonly nameAt: number; readonly start: number; readonly size: number } => {
    const at = headers + index * elf.readUInt16LE(0x3a);
    return {
      nameAt: elf.readUInt32LE(at),
      start: Number(elf.readBigUInt64LE(at + 0x18)),
      size: Number(elf.readBigUInt64LE(at + 0x20)),
    };
  };
  const names = section(elf.readUInt16LE(0x3e)).start;
  const found = Array.from({ length: elf.readUInt16LE(0x3c) }, (_, index) => section(index)).find(
    ({ nameAt }) => elf.toString('latin1', names + nameAt, elf.indexOf(0, names + nameAt)) === '.rodata',
  );
  writeBngSettings(new DataView(elf.buffer, elf.byteOffset + found!.start, found!.size), 0, {
    accessPortCount: 1,
    portalAddress: 0,
    portalPort: 0,
    subscriberMtu: 1500,
    accessPorts: [{ ifindex: 1, mac: mac(ACCESS_MAC) }],
    flags: 0,
    puntInstalledRate: UNLIMITED,
    puntNewRate: UNLIMITED,
    puntLineRate: UNLIMITED,
    puntTotalInstalledRate: UNLIMITED,
    answerRate: UNLIMITED,
    option82Seed: 0n,
    option82Factor: 1n,
    puntTotalNewRate: UNLIMITED,
    trafficSlots: 1,
    staticNetworkCount: 0,
    staticNetworks: [],
  });
  return elf;
}

export class Pinned {
  readonly #pins: string;
  readonly #folder: string;

  constructor(pins: string, folder: string) {
    this.#pins = pins;
    this.#folder = folder;
    const object = join(folder, 'object');
    writeFileSync(object, configuredObject());
    bpftool('prog', 'loadall', object, pins, 'pinmaps', `${pins}-maps`);
    // One slot, hence one bucket: the address, and one more than the slot.
    const only = new Uint8Array(4);
    const bucket = Buffer.alloc(BNG_ADDRESS_BUCKET_SIZE);
    bucket.writeUInt32BE(address(Stations.qinq.address));
    bucket.writeUInt32LE(1, 4);
    this.#put('bng_subscribers', only, qinqSubscriber());
    this.#put('bng_addresses', only, bucket);
    this.#put('bng_ports', LOOPBACK, LOOPBACK);
  }

  #put(map: string, key: Uint8Array, value: Uint8Array): void {
    bpftool(
      'map',
      'update',
      'pinned',
      `${this.#pins}-maps/${map}`,
      'key',
      ...hex(key),
      'value',
      ...hex(value),
    );
  }

  /** Words of one entry of a per-CPU array, summed over CPUs. */
  sums(map: string, key: number): bigint[] {
    const { values } = this.#lookup(map, key) as {
      readonly values: readonly { readonly value: readonly string[] }[];
    };
    return this.#added(values.map(({ value }) => value));
  }

  /** What the subscriber has sent and received: its one slot is the entry of each CPU. */
  traffic(): bigint[] {
    const found = cpus().map((_, cpu) => this.#lookup('bng_traffic', cpu));
    return this.#added(found.map((entry) => (entry as { readonly value: readonly string[] }).value));
  }

  #lookup(map: string, key: number): unknown {
    const at = hex(Uint8Array.of(key, 0, 0, 0));
    return JSON.parse(bpftool('-j', 'map', 'lookup', 'pinned', `${this.#pins}-maps/${map}`, 'key', ...at));
  }

  #added(values: readonly (readonly string[])[]): bigint[] {
    const perCpu = values.map((value) => Buffer.from(value.map(Number)));
    return Array.from({ length: perCpu[0]!.length / 8 }, (_, word) =>
      perCpu.reduce((sum, bytes) => sum + bytes.readBigUInt64LE(word * 8), 0n),
    );
  }

  /** False when the kernel refuses the context (EINVAL); any other failure throws. */
  run(program: string, frame: Uint8Array, context: Uint8Array): boolean {
    const file = (name: string): string => join(this.#folder, name);
    writeFileSync(file('frame'), frame);
    writeFileSync(file('context'), context);
    const files = ['data_in', file('frame'), 'ctx_in', file('context'), 'ctx_out', file('out')];
    try {
      bpftool('prog', 'run', 'pinned', `${this.#pins}/${program}`, ...files, 'repeat', '1');
      return true;
    } catch (error) {
      if (error instanceof Error && /Invalid argument/.test(error.message)) return false;
      throw error;
    }
  }
}

/** Removes pins and files whatever `act` does. */
export function withPinned(act: (pinned: Pinned) => void): void {
  const pins = `/sys/fs/bpf/bpf-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'bpf-pinned-'));
  try {
    act(new Pinned(pins, folder));
  } finally {
    for (const path of [pins, `${pins}-maps`, folder]) rmSync(path, { recursive: true, force: true });
  }
}
