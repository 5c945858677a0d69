/** The metric families: names, help, labels and buckets. Nothing here knows where the values come from. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

// Seconds: from an activation's moments to a residential lease's days.
const SESSION_BUCKETS = [1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200, 604_800];
const ACTIVATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300];

/** The type that `defineFamilies` gives. */
export type MetricFamilies = ReturnType<typeof defineFamilies>;

/** Makes every family in `registry`. Families that mirror a counter of the kernel are counters set at each scrape. */
export function defineFamilies(registry: Registry) {
  const registers = [registry];
  return {
    sessions: new Gauge({
      name: 'bng_sessions_total',
      help: 'Sessions by state; terminated counts those ended since start',
      labelNames: ['state'],
      registers,
    }),
    sessionDuration: new Histogram({
      name: 'bng_session_duration_seconds',
      help: 'Time that sessions spent in a state, told when they leave it',
      labelNames: ['state'],
      buckets: SESSION_BUCKETS,
      registers,
    }),
    dhcpRequests: new Counter({
      name: 'bng_dhcp_requests_total',
      help: 'DHCP requests decided, by the pool they were decided for; none where there was no pool',
      labelNames: ['pool'],
      registers,
    }),
    poolUtilization: new Gauge({
      name: 'bng_dhcp_pool_utilization',
      help: 'Allocated share of the addresses of a pool, 0 to 1',
      labelNames: ['pool'],
      registers,
    }),
    poolAvailable: new Gauge({
      name: 'bng_dhcp_pool_available_ips',
      help: 'Addresses of a pool that could be given now',
      labelNames: ['pool'],
      registers,
    }),
    trafficBytes: new Counter({
      name: 'bng_traffic_bytes_total',
      help: 'Octets of IP packets forwarded; in is from the subscriber, out is to it',
      labelNames: ['direction', 'pool'],
      registers,
    }),
    trafficPackets: new Counter({
      name: 'bng_traffic_packets_total',
      help: 'IP packets forwarded; in is from the subscriber, out is to it',
      labelNames: ['direction', 'pool'],
      registers,
    }),
    activations: new Counter({
      name: 'bng_activations_total',
      help: 'Activations by result: success, failed (ended before it was active), refused (not begun)',
      labelNames: ['result'],
      registers,
    }),
    activationDuration: new Histogram({
      name: 'bng_activation_duration_seconds',
      help: 'Time from the order to the line being active, successful activations only',
      buckets: ACTIVATION_BUCKETS,
      registers,
    }),
    gardenDrops: new Counter({
      name: 'bng_walled_garden_drops_total',
      help: 'Frames dropped because of the walled garden, by reason',
      labelNames: ['reason'],
      registers,
    }),
    drops: new Counter({
      name: 'bng_drops_total',
      help: 'Frames dropped by the dataplane, by reason',
      labelNames: ['reason'],
      registers,
    }),
    verdicts: new Counter({
      name: 'bng_verdicts_total',
      help: 'Frames by what the dataplane did with them',
      labelNames: ['verdict'],
      registers,
    }),
    xdpNative: new Gauge({
      name: 'bng_xdp_native',
      help: '1 where XDP runs in the driver, 0 where it runs in generic mode',
      labelNames: ['interface'],
      registers,
    }),
    eventClientsDropped: new Counter({
      name: 'bng_event_clients_dropped_total',
      help: 'Clients of the live events that were disconnected because they read too slowly',
      registers,
    }),
  };
}
