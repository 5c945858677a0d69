/** Subscribers as they stand in the kernel: how they look, and how they come out of pinned maps. */
import type { MapReader } from '../../dataplane/map-reader.js';
import { formatBytes, formatRate } from './rate.js';
import { table } from './table.js';
import type { Terminal } from './terminal.js';

export interface SubscriberAnswer {
  readonly address: string;
  readonly interface_index: number;
  readonly s_vlan: number;
  readonly c_vlan: number;
  readonly mac: string;
  readonly walled: boolean;
  /** Null where nftables were not asked. */
  readonly garden_member: boolean | null;
  readonly download_bps: number;
  readonly upload_bps: number;
  readonly slot: number;
  readonly upstream_packets: string;
  readonly upstream_bytes: string;
  readonly downstream_packets: string;
  readonly downstream_bytes: string;
}

export interface SubscribersAnswer {
  readonly subscribers: readonly SubscriberAnswer[];
}

/** What `bng_subscribers` and `bng_traffic` hold, as decoded. */
interface StoredSubscriber {
  readonly address: string;
  readonly ifindex: number;
  readonly s_vlan: number;
  readonly c_vlan: number;
  readonly mac: string;
  readonly flags: readonly (string | number)[];
  readonly upstream: { readonly bits_per_second: number };
  readonly downstream: { readonly bits_per_second: number };
}

type StoredTraffic = Pick<
  SubscriberAnswer,
  'upstream_packets' | 'upstream_bytes' | 'downstream_packets' | 'downstream_bytes'
>;

const NOTHING: StoredTraffic = {
  upstream_packets: '0',
  upstream_bytes: '0',
  downstream_packets: '0',
  downstream_bytes: '0',
};

/** The same rows as the API gives, of maps without a BNG. */
export function subscribersOf(maps: Pick<MapReader, 'mapEntries'>): SubscriberAnswer[] {
  // What the decoder gives for these two maps is their struct in bng_abi.h.
  const traffic = new Map(
    [...(maps.mapEntries('bng_traffic') ?? [])].map(({ key, value }) => [
      Number(key),
      value as unknown as StoredTraffic,
    ]),
  );
  return [...(maps.mapEntries('bng_subscribers') ?? [])].flatMap(({ key, value }) => {
    const stored = value as unknown as StoredSubscriber;
    // Whoever passed while the slot was cleared may have left a time in it.
    if (stored.address === '0.0.0.0') return [];
    return {
      address: stored.address,
      interface_index: stored.ifindex,
      s_vlan: stored.s_vlan,
      c_vlan: stored.c_vlan,
      mac: stored.mac,
      walled: stored.flags.includes('walled'),
      garden_member: null,
      download_bps: stored.downstream.bits_per_second,
      upload_bps: stored.upstream.bits_per_second,
      slot: Number(key),
      ...(traffic.get(Number(key)) ?? NOTHING),
    };
  });
}

function tags({ s_vlan: sVlan, c_vlan: cVlan }: SubscriberAnswer): string {
  if (sVlan === 0) return 'untagged';
  return cVlan === 0 ? String(sVlan) : `${sVlan}.${cVlan}`;
}

/** A disagreement between maps and nftables is a defect: it must strike the eye. */
function gardenText({ walled, garden_member: member }: SubscriberAnswer): string {
  if (member !== null && member !== walled) return walled ? 'MAPS ONLY' : 'NFT ONLY';
  return walled ? 'walled' : 'open';
}

export function subscribersView(terminal: Terminal, { subscribers }: SubscribersAnswer): string[] {
  if (subscribers.length === 0) return ['no subscribers'];
  const lines = table(
    terminal,
    [
      { title: 'ADDRESS', text: (s: SubscriberAnswer) => s.address },
      { title: 'MAC', text: (s) => s.mac },
      { title: 'LINE', text: tags },
      {
        title: 'GARDEN',
        text: gardenText,
        style: (s) =>
          s.garden_member !== null && s.garden_member !== s.walled ? 'red' : s.walled ? 'yellow' : 'green',
      },
      { title: 'DOWN', text: (s) => formatRate(s.download_bps), right: true },
      { title: 'UP', text: (s) => formatRate(s.upload_bps), right: true },
      { title: 'BYTES IN', text: (s) => formatBytes(s.upstream_bytes), right: true },
      { title: 'BYTES OUT', text: (s) => formatBytes(s.downstream_bytes), right: true },
      { title: 'IFINDEX', text: (s) => String(s.interface_index), right: true },
      { title: 'SLOT', text: (s) => String(s.slot), right: true },
    ],
    subscribers,
  );
  return [...lines, `${subscribers.length} ${subscribers.length === 1 ? 'subscriber' : 'subscribers'}`];
}
