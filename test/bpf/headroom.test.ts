/**
 * A driver that leaves no room for tags. The addon's test run always leaves some, so bpftool runs this frame with the
 * headroom filled with XDP metadata. Older kernels limit that to 32 bytes, too few to show it, and refuse the run.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  BNG_SUBSCRIBER_SIZE,
  BngDropReason,
  readBngTraffic,
  writeBngSubscriber,
} from '../../src/dataplane/abi.js';
import { packet } from '../support/packet.js';
import { enterNamespace } from './namespace.js';

enterNamespace(import.meta.url);

/** Of 256 bytes of headroom the kernel keeps 40 for itself; what is left after this takes no second tag. */
const METADATA = 212;
const UNLIMITED = { nsPerByte: 0n, burstNs: 0n };

/** Bytes as bpftool takes them on its command line. */
function hex(bytes: Uint8Array): string[] {
  return ['hex', ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))];
}

function bpftool(...args: readonly string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8' });
}

/** False when the kernel refuses the context (EINVAL); any other failure throws. */
function run(program: string, files: readonly string[]): boolean {
  try {
    bpftool('prog', 'run', 'pinned', program, ...files, 'repeat', '1');
    return true;
  } catch (error) {
    if (error instanceof Error && /Invalid argument/.test(error.message)) return false;
    throw error;
  }
}

/** The sum over CPUs of one entry of a per-CPU array, word by word. */
function sums(map: string, key: number): bigint[] {
  const output = bpftool('-j', 'map', 'lookup', 'pinned', map, 'key', ...hex(Uint8Array.of(key, 0, 0, 0)));
  const { values } = JSON.parse(output) as {
    readonly values: readonly { readonly value: readonly string[] }[];
  };
  const perCpu = values.map(({ value }) => Buffer.from(value.map(Number)));
  return Array.from({ length: perCpu[0]!.length / 8 }, (_, word) =>
    perCpu.reduce((sum, bytes) => sum + bytes.readBigUInt64LE(word * 8), 0n),
  );
}

function subscriber(): Uint8Array {
  const view = new DataView(new ArrayBuffer(BNG_SUBSCRIBER_SIZE));
  writeBngSubscriber(view, 0, {
    ifindex: 1,
    slot: 0,
    sVlan: 200,
    cVlan: 7,
    sTpid: 0x88a8,
    cTpid: 0x8100,
    mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    flags: 0,
    upstream: UNLIMITED,
    downstream: UNLIMITED,
  });
  return new Uint8Array(view.buffer);
}

test('a frame whose driver left no room for the tags is dropped by name and not counted as traffic', (t) => {
  const pins = `/sys/fs/bpf/bpf-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'bpf-headroom-'));
  try {
    bpftool('prog', 'loadall', 'build/bpf/bng.bpf.o', pins, 'pinmaps', `${pins}-maps`);
    const map = (name: string): string => `${pins}-maps/${name}`;
    const put = (name: string, key: Uint8Array, value: Uint8Array): string =>
      bpftool('map', 'update', 'pinned', map(name), 'key', ...hex(key), 'value', ...hex(value));
    put('bng_subscribers', Uint8Array.of(10, 0, 0, 13), subscriber());
    put('bng_ports', Uint8Array.of(1, 0, 0, 0), Uint8Array.of(1, 0, 0, 0));

    const frame = packet()
      .ethernet('02:00:00:00:cc:02', '02:00:00:00:cc:01')
      .ipv4({ source: '198.51.100.7', destination: '10.0.0.13' })
      .udp({ source: 1, destination: 2 })
      .bytes();
    // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
    const context = Buffer.alloc(24);
    context.writeUInt32LE(METADATA, 0);
    context.writeUInt32LE(METADATA + frame.length, 4);
    writeFileSync(join(folder, 'frame'), Buffer.concat([Buffer.alloc(METADATA), frame]));
    writeFileSync(join(folder, 'context'), context);
    const args = [
      'data_in',
      join(folder, 'frame'),
      'ctx_in',
      join(folder, 'context'),
      'ctx_out',
      join(folder, 'out'),
    ];
    if (!run(`${pins}/bng_core`, args)) {
      t.skip(`this kernel refuses ${METADATA} bytes of XDP metadata`);
      return;
    }
    assert.deepEqual(sums(map('bng_drops'), BngDropReason.headroom), [1n]);
    const words = sums(map('bng_traffic'), 0);
    const traffic = readBngTraffic(new DataView(BigUint64Array.from(words).buffer), 0);
    assert.equal(traffic.downstreamPackets, 0n);
  } finally {
    rmSync(pins, { recursive: true, force: true });
    rmSync(`${pins}-maps`, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
});
