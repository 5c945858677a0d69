/** bngctl without a BNG: maps that outlived it, found by their pins and decoded by the ABI. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AbiMaps, BNG_TRAFFIC_SIZE, writeBngTraffic } from '../../src/dataplane/abi.js';
import { addressBuckets } from '../../src/dataplane/address-index.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeObject } from '../../src/dataplane/native-binding.js';
import { slotKey, SubscriberMaps } from '../../src/dataplane/subscriber-maps.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';

const BNGCTL = fileURLToPath(new URL('../../src/bin/bngctl.js', import.meta.url));
const PINS = `/sys/fs/bpf/ctl-test-${process.pid}`;

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bngctl(...args: string[]): Ran {
  return spawnSync(process.execPath, [BNGCTL, ...args, '--pins', PINS], {
    encoding: 'utf8',
    timeout: 20_000,
  });
}

describe('bngctl reads pinned maps without a BNG', () => {
  let object: NativeObject;

  before(() => {
    const binding = loadNative();
    object = binding.openObject('build/bpf/bng.bpf.o');
    for (const name of ['bng_subscribers', 'bng_lines']) object.setMaxEntries(name, 64);
    object.setMaxEntries('bng_addresses', addressBuckets(64));
    object.setMaxEntries('bng_traffic', 64 * binding.possibleCpus());
    object.load();
    const maps = new SubscriberMaps({ object, sTpid: 0x88a8, cTpid: 0x8100, burstMs: 100 });
    maps.create(
      {
        address: parseIpv4('10.255.0.9'),
        attachment: { ifindex: 7, sVlan: 100, cVlan: 0, mac: parseMac('02:00:00:00:00:09') },
        walled: true,
        downloadBitsPerSecond: 1_000_000,
        uploadBitsPerSecond: 0,
      },
      5,
    );
    const traffic = new Uint8Array(BNG_TRAFFIC_SIZE);
    const counted = {
      upstreamPackets: 3n,
      upstreamBytes: 2n ** 40n,
      downstreamPackets: 0n,
      downstreamBytes: 0n,
    };
    writeBngTraffic(new DataView(traffic.buffer), 0, counted);
    object.map('bng_traffic').update(slotKey(5), traffic);
    mkdirSync(PINS);
    for (const { name } of AbiMaps) object.map(name).pin(join(PINS, name));
    object.close();
  });
  after(() => rmSync(PINS, { recursive: true, force: true }));

  it('every map is there with its type and what it is made of', () => {
    const { status, stdout } = bngctl('--json', 'maps');
    assert.equal(status, 0);
    const { maps } = JSON.parse(stdout) as { maps: { name: string; type: string; key: string | null }[] };
    assert.deepEqual(
      maps.map(({ name }) => name),
      AbiMaps.map(({ name }) => name),
    );
    const of = (name: string): string => {
      const map = maps.find((candidate) => candidate.name === name);
      return `${map?.type} ${map?.key}`;
    };
    assert.equal(of('bng_lines'), 'hash bng_line_key');
    assert.equal(of('bng_punts'), 'ringbuf null');
  });

  it('every map is decoded; arrays leave out what is all zero unless its index has a name', () => {
    const entries = (name: string): unknown[] => {
      const { status, stdout, stderr } = bngctl('--json', 'map', name);
      assert.equal(status, 0, `${name}: ${stderr}`);
      return (JSON.parse(stdout) as { entries: unknown[] }).entries;
    };
    assert.deepEqual(entries('bng_subscribers'), [
      {
        key: 5,
        value: {
          address: '10.255.0.9',
          ifindex: 7,
          mac: '02:00:00:00:00:09',
          flags: ['walled'],
          s_vlan: 100,
          c_vlan: 0,
          s_tpid: '0x88a8',
          c_tpid: 'none',
          upstream: { ns_per_byte: '0', burst_ns: '0', bits_per_second: 0 },
          downstream: { ns_per_byte: '8388608000', burst_ns: '100000000', bits_per_second: 1_000_000 },
          upstream_tat: '0',
          downstream_tat: '0',
        },
      },
    ]);
    assert.deepEqual(entries('bng_traffic'), [
      {
        key: 5,
        value: {
          upstream_packets: '3',
          upstream_bytes: '1099511627776',
          downstream_packets: '0',
          downstream_bytes: '0',
        },
      },
    ]);
    const drops = entries('bng_drops') as { key: unknown; value: unknown }[];
    assert.deepEqual(drops[0], { key: 'malformed', value: '0' });
    for (const { name } of AbiMaps) assert.ok(Array.isArray(entries(name)), name);
  });

  it('subscribers are put together from the maps', () => {
    const { status, stdout } = bngctl('subscribers');
    assert.equal(status, 0);
    assert.match(stdout, /^10\.255\.0\.9 +02:00:00:00:00:09 +100 +walled +1M +unlimited +1\.1TB +0B +7 +5$/m);
  });

  it('an unknown map is exit code 1, no pins at all are 3', () => {
    assert.equal(bngctl('map', 'bng_nothing').status, 1);
    const none = spawnSync(process.execPath, [BNGCTL, 'maps', '--pins', `${PINS}-none`], {
      encoding: 'utf8',
    });
    assert.equal(none.status, 3);
    assert.match(none.stderr, /no maps are pinned below .*ENOENT/);
  });
});
