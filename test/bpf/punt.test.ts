/** Packet table of the DHCP punt, and the records that reach the control plane. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BNG_PUNT_SIZE, BngPuntReason, readBngPunt } from '../../src/dataplane/abi.js';
import type { BngRate } from '../../src/dataplane/abi.js';
import type { PacketBuilder } from '../support/packet.js';
import { enterNamespace } from './namespace.js';
import { Rig, type Station, Stations } from './rig.js';
import { type Row, drops, from, runTable } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const { untagged, single, qinq } = Stations;
/** A station that is installed nowhere. */
const stranger: Station = {
  ...qinq,
  mac: '02:00:00:00:00:77',
  tags: [
    [0x88a8, 77],
    [0x8100, 78],
  ],
};

function dhcp(
  station: Station,
  { length = 300, source = '0.0.0.0', destination = '255.255.255.255', port = 68 } = {},
): PacketBuilder {
  return from(station, 'ff:ff:ff:ff:ff:ff')
    .ipv4({ source, destination })
    .udp({ source: port, destination: 67 })
    .payload(Buffer.alloc(length, 0x5a));
}

function punted(name: string, frame: PacketBuilder): Row {
  return { name, frame: frame.bytes(), verdict: 'punt' };
}

/** The frame is dropped after it was copied, so the table compares it as it came. */
runTable(() => rig, 'bng_access', [
  punted('a DISCOVER of an unknown line is punted', dhcp(stranger)),
  punted('a DISCOVER of an untagged line is punted', dhcp(untagged)),
  punted(
    'a renewal to the gateway is punted (RFC 2131 §4.3.2)',
    dhcp(single, { source: single.address, destination: '10.0.0.1' }),
  ),
  punted(
    'a relayed request (source port 67) to the gateway is punted',
    dhcp(stranger, { destination: '10.0.0.1', port: 67 }),
  ),
  punted(
    'IP options do not hide DHCP',
    from(stranger)
      .ipv4({ source: '0.0.0.0', destination: '255.255.255.255', options: Buffer.from([1, 1, 1, 0]) })
      .udp({ source: 68, destination: 67 })
      .payload(Buffer.alloc(250)),
  ),
  {
    name: 'DHCP to another server is ordinary traffic',
    frame: dhcp(single, { source: single.address, destination: '198.51.100.7' }).bytes(),
    verdict: 'drop',
    drop: 'multicast', // the Ethernet destination is broadcast here
  },
  drops(
    'DHCP to another server from nobody',
    'unknown_line',
    dhcp(stranger, { destination: '198.51.100.7' }),
  ),
  drops(
    "a server's message from a subscriber",
    'dhcp_server',
    from(single)
      .ipv4({ source: single.address, destination: '255.255.255.255' })
      .udp({ source: 67, destination: 68 })
      .payload('offer'),
  ),
  drops(
    'a fragment is no DHCP',
    'unknown_line',
    from(stranger)
      .ipv4({ source: '0.0.0.0', destination: '255.255.255.255', moreFragments: true })
      .udp({ source: 68, destination: 67 })
      .payload(Buffer.alloc(296)),
  ),
  drops('a frame beyond the large record is dropped', 'punt_too_long', dhcp(stranger, { length: 1700 })),
  punted('a frame of exactly the small record', dhcp(stranger, { length: 640 - 22 - 28 })),
  punted('a frame of one byte more', dhcp(stranger, { length: 641 - 22 - 28 })),
  punted('a frame of exactly the large record', dhcp(stranger, { length: 1664 - 22 - 28 })),
  drops(
    'a frame of one byte more than the large record',
    'punt_too_long',
    dhcp(stranger, { length: 1665 - 22 - 28 }),
  ),
]);

/** Runs `act` with a consumer of the ring, and gives the records once `count` have come. */
async function collect(of: Rig, count: number, act: () => void): Promise<Buffer[]> {
  const records: Buffer[] = [];
  const ring = of.native.openRingBuffer(of.object.map('bng_punts'), {
    slabBytes: 1 << 20,
    onBatch: (slab, used) => {
      const view = Buffer.from(slab.buffer, slab.byteOffset, used);
      for (let at = 0; at < used; ) {
        const length = view.readUInt32LE(at);
        records.push(Buffer.from(view.subarray(at + 8, at + 8 + length)));
        at += 8 + ((length + 7) & ~7);
      }
    },
  });
  try {
    act();
    const deadline = Date.now() + 5000;
    while (records.length < count && Date.now() < deadline) await new Promise(setImmediate);
  } finally {
    ring.close();
  }
  return records;
}

test('a record holds the line, where IPv4 begins, and the whole frame as it arrived', async () => {
  const fresh = new Rig();
  try {
    const frames = [dhcp(stranger).bytes(), dhcp(single, { length: 900 }).bytes(), dhcp(untagged).bytes()];
    const records = await collect(fresh, 3, () => frames.forEach((frame) => fresh.run('bng_access', frame)));
    const seen = records.map((record) => {
      const head = readBngPunt(new DataView(record.buffer, record.byteOffset, record.length), 0);
      const { timeNs, ...rest } = head;
      assert.ok(timeNs > 0n && timeNs <= process.hrtime.bigint());
      return {
        ...rest,
        frame: record.subarray(BNG_PUNT_SIZE, BNG_PUNT_SIZE + head.frameLength).toString('hex'),
      };
    });
    const common = { ifindex: fresh.accessIfindex, reason: BngPuntReason.dhcp };
    const tags = [
      { sVlan: 77, cVlan: 78, sTpid: 0x88a8, cTpid: 0x8100, l3Offset: 22 },
      { sVlan: 100, cVlan: 0, sTpid: 0x8100, cTpid: 0, l3Offset: 18 },
      { sVlan: 0, cVlan: 0, sTpid: 0, cTpid: 0, l3Offset: 14 },
    ];
    assert.deepEqual(
      seen,
      frames.map((frame, index) => ({
        ...common,
        ...tags[index],
        frameLength: frame.length,
        frame: frame.toString('hex'),
      })),
    );
  } finally {
    fresh.close();
  }
});

/** `burst` frames at once, and one more every 1000 s. */
function rate(burst: bigint): BngRate {
  return { nsPerByte: (1_000_000_000_000n << 20n) >> 10n, burstNs: (1_000_000_000_000n >> 10n) * burst };
}

function outcomes(of: Rig, frames: readonly PacketBuilder[]): string[] {
  return frames.map((frame) => {
    const seen = of.run('bng_access', frame.bytes());
    return [...seen.verdicts, ...seen.drops].join(' ');
  });
}

/** Runs `frames` under `settings` and compares what became of each. */
function judges(
  name: string,
  settings: ConstructorParameters<typeof Rig>[0],
  frames: readonly (readonly [PacketBuilder, string])[],
): void {
  test(name, () => {
    const fresh = new Rig(settings);
    try {
      const seen = outcomes(
        fresh,
        frames.map(([frame]) => frame),
      );
      assert.deepEqual(
        seen,
        frames.map(([, expected]) => expected),
      );
    } finally {
      fresh.close();
    }
  });
}

const perLine = 'drop punt_line_rate';
const inTotal = 'drop punt_total_rate';
/** A VLAN that many share. */
const shared: Station['tags'] = [[0x88a8, 77]];
/** The stranger's line under MACs that it makes up. */
const madeUp = (n: number, tags = stranger.tags): PacketBuilder =>
  dhcp({ ...stranger, mac: `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`, tags });
/** Another station on the line of an installed one. */
const beside = (n: number): PacketBuilder => dhcp({ ...single, mac: `02:00:00:00:02:0${n}` });

judges('an installed station is held to its rate, another is not affected', { puntInstalledRate: rate(2n) }, [
  [dhcp(single), 'punt'],
  [dhcp(single), 'punt'],
  [dhcp(single), perLine],
  [dhcp(qinq), 'punt'],
]);

judges('a station that is not installed is held to a rate of its own', { puntNewRate: rate(2n) }, [
  [dhcp(stranger), 'punt'],
  [dhcp(stranger), 'punt'],
  [dhcp(stranger), perLine],
  [madeUp(1), 'punt'],
  [dhcp(single), 'punt'],
  [dhcp(single), 'punt'],
  [dhcp(single), 'punt'],
]);

judges(
  'a line with two tags that changes its MAC may ask what one installed station may',
  { puntInstalledRate: rate(3n), puntNewRate: rate(2n), puntLineRate: rate(5n) },
  [
    [madeUp(1), 'punt'],
    [madeUp(2), 'punt'],
    [madeUp(3), 'punt'],
    [madeUp(4), perLine],
    [madeUp(4, shared), 'punt'],
    [madeUp(4, []), 'punt'],
  ],
);

judges(
  'a shared VLAN has a rate that no change of MAC evades',
  { puntInstalledRate: rate(1n), puntNewRate: rate(2n), puntLineRate: rate(3n) },
  [
    [madeUp(1, shared), 'punt'],
    [madeUp(2, shared), 'punt'],
    [madeUp(3, shared), 'punt'],
    [madeUp(4, shared), perLine],
    [madeUp(4), 'punt'],
    [madeUp(4, []), 'punt'],
  ],
);

judges(
  'on a shared VLAN a station beyond its own rate costs its neighbours nothing',
  { puntNewRate: rate(2n), puntLineRate: rate(3n) },
  [
    [madeUp(1, shared), 'punt'],
    [madeUp(1, shared), 'punt'],
    [madeUp(1, shared), perLine],
    [madeUp(1, shared), perLine],
    [madeUp(2, shared), 'punt'],
    [madeUp(2, shared), perLine],
  ],
);

judges(
  'MACs made up on the VLAN of an installed station cost it nothing',
  { puntInstalledRate: rate(2n), puntNewRate: rate(1n), puntLineRate: rate(2n) },
  [
    [beside(1), 'punt'],
    [beside(2), 'punt'],
    [beside(3), perLine],
    [dhcp(single), 'punt'],
    [dhcp(single), 'punt'],
    [dhcp(single), perLine],
  ],
);

judges(
  'all stations that are not installed share one rate, and those installed keep theirs',
  { puntTotalInstalledRate: rate(2n), puntTotalNewRate: rate(2n) },
  [
    [dhcp(stranger), 'punt'],
    [madeUp(1), 'punt'],
    [madeUp(2), inTotal],
    [dhcp(single), 'punt'],
    [dhcp(qinq), 'punt'],
    [dhcp(untagged), inTotal],
  ],
);

judges(
  'installed stations may have what the others leave of theirs, never the other way round',
  { puntTotalInstalledRate: rate(1n), puntTotalNewRate: rate(1n) },
  [
    [dhcp(single), 'punt'],
    [dhcp(qinq), 'punt'],
    [dhcp(untagged), inTotal],
    [dhcp(stranger), inTotal],
  ],
);

judges(
  'a frame that is dropped for its line is not charged to all',
  { puntLineRate: rate(1n), puntTotalNewRate: rate(2n) },
  [
    [madeUp(1, shared), 'punt'],
    [madeUp(2, shared), perLine],
    [madeUp(3, shared), perLine],
    [dhcp({ ...stranger, tags: [] }), 'punt'],
    [dhcp({ ...stranger, tags: [[0x8100, 9]] }), inTotal],
  ],
);

test('a burst shorter than a tick of the coarse clock is refilled in its own time', () => {
  // One frame a microsecond and room for one: each comes later than that, and many within one tick.
  const fresh = new Rig({ puntInstalledRate: { nsPerByte: 1000n << 20n, burstNs: 1000n } });
  try {
    const frames = Array.from({ length: 50 }, () => dhcp(single));
    assert.deepEqual(
      outcomes(fresh, frames),
      frames.map(() => 'punt'),
    );
  } finally {
    fresh.close();
  }
});

test('ARP of a line where nobody is installed is dropped, and no bucket is made for it', () => {
  const fresh = new Rig({ puntInstalledRate: rate(1n), puntNewRate: rate(1n), puntLineRate: rate(1n) });
  try {
    const request = (n: number): PacketBuilder => {
      const senderMac = `02:00:00:00:03:0${n}`;
      return from({ ...stranger, mac: senderMac }, 'ff:ff:ff:ff:ff:ff').arp({
        operation: 1,
        senderMac,
        senderAddress: '10.0.0.99',
        targetAddress: '10.0.0.1',
      });
    };
    const asked = Array.from({ length: 8 }, (_, n) => request(n));
    assert.deepEqual(
      outcomes(fresh, asked),
      asked.map(() => 'drop unknown_line'),
    );
    assert.equal(fresh.object.map('bng_punt_lines').readAll().count, 0);
  } finally {
    fresh.close();
  }
});

test('a full ring drops by name, and never blocks', () => {
  const fresh = new Rig();
  try {
    const frame = dhcp(stranger, { length: 1600 }).bytes();
    const last = { verdicts: [] as readonly string[], drops: [] as readonly string[] };
    for (let sent = 0; sent < 4000 && last.drops.length === 0; sent++) {
      Object.assign(last, fresh.run('bng_access', frame));
    }
    assert.deepEqual([last.verdicts, last.drops], [['drop'], ['punt_ring_full']]);
  } finally {
    fresh.close();
  }
});
