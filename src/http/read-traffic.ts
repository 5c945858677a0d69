/** Every subscriber's counters for one answer, read in portions so that the event loop turns in between. */
import type { DataplaneInspection } from '../dataplane/port.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import { TimeSlices } from './time-slice.js';

const PORTION = 2_048;

export type TrafficSource = Pick<DataplaneInspection, 'trafficInPortions'>;

export async function readTraffic(dataplane: TrafficSource): Promise<ReadonlyMap<Ipv4, TrafficCounters>> {
  const all = new Map<Ipv4, TrafficCounters>();
  const slices = new TimeSlices();
  for (const portion of dataplane.trafficInPortions(PORTION)) {
    for (const [address, traffic] of portion) all.set(address, traffic);
    await slices.pause();
  }
  return all;
}
