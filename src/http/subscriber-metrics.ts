/**
 * `/metrics/subscribers`: a few series for every subscriber, streamed, so that neither memory nor the event loop notices how
 * many there are. Whoever turns it on has as many series as subscribers; `/metrics` does not.
 */
import type { DataplaneInspection } from '../dataplane/port.js';
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
  readonly operator: Pick<OperatorInlet, 'sessions' | 'sessionByAddress'>;
  readonly dataplane: Pick<DataplaneInspection, 'trafficInPortions'>;
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

interface Who {
  readonly ont_serial: string;
  readonly ip: string;
}

/** What is read of the kernel at once: about a millisecond. */
const TRAFFIC_PORTION = 500;

/**
 * The text in chunks, made when they are asked for: one pass for each family, as a family's samples must stand together. A session
 * that comes or goes meanwhile may be in one family only; one that is not installed is only in the first.
 */
export async function* subscriberChunks(
  sources: SubscriberSources,
  format: ExpositionFormat,
): AsyncGenerator<string> {
  const { info, bytes, packets } = SUBSCRIBER_FAMILIES;
  const passes: readonly (readonly [FamilyDescription, () => Iterable<Sample>])[] = [
    [info, () => infoOf(sources)],
    [bytes, () => trafficOf(sources, bytes.name, (t) => [t.upstreamBytes, t.downstreamBytes])],
    [packets, () => trafficOf(sources, packets.name, (t) => [t.upstreamPackets, t.downstreamPackets])],
  ];
  const slices = new TimeSlices();
  let text = '';
  for (const [family, samples] of passes) {
    text += familyHead(family, format);
    for (const sample of samples()) {
      text += sampleLine(sample, format);
      if (text.length >= CHUNK_CHARACTERS) {
        yield text;
        text = '';
      }
      if (slices.isOver) await slices.pause();
    }
  }
  yield text + expositionEnd(format);
}

function whoIs({ ontSerial }: SessionView, address: Ipv4): Who {
  return { ont_serial: ontSerial ?? '', ip: formatIpv4(address) };
}

function* infoOf({ operator }: SubscriberSources): Iterable<Sample> {
  for (const session of operator.sessions()) {
    const { address, state, profile, poolName, attachment } = session;
    if (address === null) continue;
    const labels = {
      ...whoIs(session, address),
      state,
      pool: poolName ?? '',
      service: profile?.serviceId ?? '',
      s_vlan: attachment?.sVlan ?? '',
      c_vlan: attachment?.cVlan ?? '',
      mac: attachment === null ? '' : formatMac(attachment.mac),
    };
    yield { name: SUBSCRIBER_FAMILIES.info.name, labels, value: 1 };
  }
}

/** `figures` are those from the subscriber and those to it. */
function* trafficOf(
  { operator, dataplane }: SubscriberSources,
  name: string,
  figures: (traffic: TrafficCounters) => readonly [bigint, bigint],
): Iterable<Sample> {
  for (const portion of dataplane.trafficInPortions(TRAFFIC_PORTION)) {
    for (const [address, traffic] of portion) {
      const session = operator.sessionByAddress(address);
      if (session === null) continue;
      const who = whoIs(session, address);
      const [upstream, downstream] = figures(traffic);
      yield { name, labels: { ...who, direction: 'in' }, value: upstream };
      yield { name, labels: { ...who, direction: 'out' }, value: downstream };
    }
  }
}
