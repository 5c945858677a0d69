/**
 * `/metrics/subscribers`: a few series for every subscriber, streamed, so that neither memory nor the event loop notices how
 * many there are. Whoever turns it on has as many series as subscribers; `/metrics` does not.
 */
import type { Dataplane } from '../dataplane/port.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { SessionView } from '../session/view.js';
import type { ExpositionFormat, Sample } from './exposition.js';
import { expositionEnd, familyHead, sampleLine } from './exposition.js';
import type { FamilyDescription } from './metric-catalogue.js';
import { TimeSlices } from './time-slice.js';

export interface SubscriberSources {
  readonly operator: Pick<OperatorInlet, 'sessions'>;
  readonly dataplane: Pick<Dataplane, 'traffic'>;
}

const WHO = { ont_serial: 'empty where no access node names it', ip: 'the address granted' };
const DIRECTION = { direction: '`in` (from the subscriber) or `out`' };

export const SUBSCRIBER_FAMILIES = {
  info: {
    name: 'bng_subscriber_info',
    type: 'gauge',
    help: 'Always 1: a session that has been granted an address, and what is known of it',
    labels: {
      ...WHO,
      state: 'as in `bng_sessions_total`',
      pool: 'name of a pool',
      service: 'service id of the profile',
      s_vlan: 'S-VLAN, 0 = untagged',
      c_vlan: 'C-VLAN, 0 = no inner tag',
      mac: 'MAC address of the station',
    },
    buckets: null,
  },
  bytes: {
    name: 'bng_subscriber_traffic_bytes_total',
    type: 'counter',
    help: 'Octets of IP packets forwarded since the address was installed',
    labels: { ...WHO, ...DIRECTION },
    buckets: null,
  },
  packets: {
    name: 'bng_subscriber_traffic_packets_total',
    type: 'counter',
    help: 'IP packets forwarded since the address was installed',
    labels: { ...WHO, ...DIRECTION },
    buckets: null,
  },
} as const satisfies Record<string, FamilyDescription>;

/** Long enough that a chunk is worth its system call, short enough that few lines wait for it. */
const CHUNK_CHARACTERS = 32_768;

interface Granted {
  readonly session: SessionView;
  readonly address: Ipv4;
  readonly who: { readonly ont_serial: string; readonly ip: string };
}

/**
 * The text in chunks, made when they are asked for: one pass over the sessions for each family, as a family's samples must
 * stand together. A session that comes or goes meanwhile may be in one family only.
 */
export async function* subscriberChunks(
  { operator, dataplane }: SubscriberSources,
  format: ExpositionFormat,
): AsyncGenerator<string> {
  const passes: readonly (readonly [FamilyDescription, (granted: Granted) => Iterable<Sample>])[] = [
    [SUBSCRIBER_FAMILIES.info, infoOf],
    [SUBSCRIBER_FAMILIES.bytes, (granted) => bytesOf(granted, dataplane.traffic(granted.address))],
    [SUBSCRIBER_FAMILIES.packets, (granted) => packetsOf(granted, dataplane.traffic(granted.address))],
  ];
  const slices = new TimeSlices();
  let text = '';
  for (const [family, samplesOf] of passes) {
    text += familyHead(family, format);
    for (const session of operator.sessions()) {
      const granted = grantedOf(session);
      if (granted !== null) for (const sample of samplesOf(granted)) text += sampleLine(sample, format);
      if (slices.isOver) await slices.pause();
      if (text.length < CHUNK_CHARACTERS) continue;
      yield text;
      text = '';
    }
  }
  yield text + expositionEnd(format);
}

function grantedOf(session: SessionView): Granted | null {
  const { address, ontSerial } = session;
  if (address === null) return null;
  return { session, address, who: { ont_serial: ontSerial ?? '', ip: formatIpv4(address) } };
}

function* infoOf({ session, who }: Granted): Iterable<Sample> {
  const { state, profile, attachment } = session;
  const labels = {
    ...who,
    state,
    pool: profile?.poolName ?? '',
    service: profile?.serviceId ?? '',
    s_vlan: attachment?.sVlan ?? '',
    c_vlan: attachment?.cVlan ?? '',
    mac: attachment === null ? '' : formatMac(attachment.mac),
  };
  yield { name: SUBSCRIBER_FAMILIES.info.name, labels, value: 1 };
}

function* bytesOf({ who }: Granted, traffic: TrafficCounters | null): Iterable<Sample> {
  if (traffic === null) return;
  const { upstreamBytes, downstreamBytes } = traffic;
  const { name } = SUBSCRIBER_FAMILIES.bytes;
  yield { name, labels: { ...who, direction: 'in' }, value: upstreamBytes };
  yield { name, labels: { ...who, direction: 'out' }, value: downstreamBytes };
}

function* packetsOf({ who }: Granted, traffic: TrafficCounters | null): Iterable<Sample> {
  if (traffic === null) return;
  const { upstreamPackets, downstreamPackets } = traffic;
  const { name } = SUBSCRIBER_FAMILIES.packets;
  yield { name, labels: { ...who, direction: 'in' }, value: upstreamPackets };
  yield { name, labels: { ...who, direction: 'out' }, value: downstreamPackets };
}
