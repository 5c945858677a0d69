/** The dataplane and what holds it up: packets, drops, punts, policers, DHCP, RADIUS, event loop, store. */
import { dashboard } from './dashboard.js';
import { curves, numbers } from './panels.js';

const BNG = 'instance=~"$instance"';
const rate = (series: string, labels = ''): string =>
  `rate(${series}{${BNG}${labels === '' ? '' : `, ${labels}`}}[$__rate_interval])`;
const rateBy = (label: string, series: string, labels = ''): string =>
  `sum by (${label}) (${rate(series, labels)})`;
const quantile = (share: number, histogram: string): string =>
  `histogram_quantile(${share}, sum by (le) (${rate(`${histogram}_bucket`)}))`;

export const dataplaneDashboard = dashboard({
  uid: 'bng-dataplane',
  title: 'BNG dataplane',
  description: 'Packets, drops, punts, AAA and the control plane of one or several BNGs',
  rows: [
    {
      title: 'Packets',
      panels: [
        curves({
          title: 'Packets by verdict',
          description: 'What became of every frame; the names are those of `bngctl drops`.',
          unit: 'pps',
          queries: { '{{verdict}}': rateBy('verdict', 'bng_verdicts_total') },
        }),
        curves({
          title: 'Throughput',
          description: 'Octets of IP packets forwarded. In is from subscribers, out is to them.',
          unit: 'bps',
          queries: { '{{direction}}': `8 * ${rateBy('direction', 'bng_traffic_bytes_total')}` },
        }),
        numbers({
          title: 'XDP mode',
          description: 'Generic mode is many times slower than native mode.',
          unit: 'none',
          orange: 1,
          red: 2,
          words: { '0': { text: 'generic', color: 'red' }, '1': { text: 'native', color: 'green' } },
          queries: { '{{interface}}': `min by (interface) (bng_xdp_native{${BNG}})` },
        }),
      ],
    },
    {
      title: 'Drops',
      panels: [
        curves({
          title: 'Drops by reason',
          description: 'Each reason is explained in `bpf/bng_abi.h`; firewall is nftables in the stack.',
          unit: 'pps',
          queries: { '{{reason}}': `${rateBy('reason', 'bng_drops_total')} > 0` },
        }),
        curves({
          title: 'Walled garden drops',
          description: 'What walled subscribers tried to reach and may not.',
          unit: 'pps',
          queries: { '{{reason}}': rateBy('reason', 'bng_walled_garden_drops_total') },
        }),
        curves({
          title: 'Policed',
          description: 'Frames beyond the rate of their subscriber’s profile.',
          unit: 'pps',
          queries: { '{{reason}}': rateBy('reason', 'bng_drops_total', 'reason=~"policed_.*"') },
        }),
      ],
    },
    {
      title: 'Punts and DHCP',
      panels: [
        curves({
          title: 'Punts',
          description: 'Frames handed up to the control plane, and those that a limit held back.',
          unit: 'pps',
          queries: {
            punted: `sum(${rate('bng_verdicts_total', 'verdict="punt"')})`,
            '{{reason}}': rateBy('reason', 'bng_drops_total', 'reason=~"punt_.*"'),
          },
        }),
        curves({
          title: 'DHCP answers',
          description: 'Time from a DHCP message to its answer. A first message waits for authentication.',
          unit: 's',
          queries: {
            median: quantile(0.5, 'bng_dhcp_answer_duration_seconds'),
            '99 %': quantile(0.99, 'bng_dhcp_answer_duration_seconds'),
          },
        }),
        curves({
          title: 'Session set-up',
          description: 'Time from a client’s first DHCP message to its first lease.',
          unit: 's',
          queries: {
            median: quantile(0.5, 'bng_session_setup_duration_seconds'),
            '99 %': quantile(0.99, 'bng_session_setup_duration_seconds'),
          },
        }),
      ],
    },
    {
      title: 'RADIUS and accounting',
      panels: [
        curves({
          title: 'RADIUS requests by outcome',
          description: 'No-answer went to another server or ran out.',
          unit: 'reqps',
          queries: { '{{code}} {{outcome}}': rateBy('code, outcome', 'bng_radius_requests_total') },
        }),
        curves({
          title: 'RADIUS round trip',
          description: 'Time from a request to its answer, of requests that were sent once.',
          unit: 's',
          queries: {
            median: quantile(0.5, 'bng_radius_round_trip_seconds'),
            '99 %': quantile(0.99, 'bng_radius_round_trip_seconds'),
          },
        }),
        numbers({
          title: 'RADIUS servers',
          description: 'A server is dead when it leaves requests without an answer.',
          unit: 'none',
          orange: 1,
          red: 2,
          words: { '0': { text: 'down', color: 'red' }, '1': { text: 'up', color: 'green' } },
          queries: { '{{server}}': `min by (server) (bng_radius_server_up{${BNG}})` },
        }),
        curves({
          title: 'Accounting queue',
          description: 'Records that wait for an accounting server, and how long the oldest has waited.',
          unit: 'short',
          rightUnits: { 'Age of the oldest': 's' },
          queries: {
            Waiting: `sum(bng_accounting_queue_length{${BNG}})`,
            'Not in the store': `sum(bng_accounting_queue_unsaved{${BNG}})`,
            'Age of the oldest': `max(bng_accounting_queue_oldest_seconds{${BNG}})`,
          },
        }),
      ],
    },
    {
      title: 'Control plane',
      panels: [
        curves({
          title: 'Event loop',
          description:
            'How late a timer fires: what a punted frame waits. And the share of time that the loop works.',
          unit: 's',
          rightUnits: { Busy: 'percentunit' },
          queries: {
            median: quantile(0.5, 'bng_event_loop_delay_seconds'),
            '99 %': quantile(0.99, 'bng_event_loop_delay_seconds'),
            Busy: `max(${rate('bng_event_loop_busy_seconds_total')})`,
          },
        }),
        curves({
          title: 'CPU and memory',
          description: 'Of the control plane’s process; forwarding is the kernel’s and not in here.',
          unit: 'percentunit',
          rightUnits: { Resident: 'bytes', Heap: 'bytes' },
          queries: {
            '{{mode}}': rateBy('mode', 'bng_process_cpu_seconds_total'),
            Resident: `sum(bng_process_resident_memory_bytes{${BNG}})`,
            Heap: `sum(bng_process_heap_used_bytes{${BNG}})`,
          },
        }),
        curves({
          title: 'Store',
          description: 'Writes a second by result, and how long they take until they are safe on disk.',
          unit: 'wps',
          rightUnits: { '99 %': 's' },
          queries: {
            '{{result}}': rateBy('result', 'bng_store_writes_total'),
            '99 %': quantile(0.99, 'bng_store_write_duration_seconds'),
          },
        }),
        numbers({
          title: 'Alarms',
          description: 'Anything but 0 is an alert: see docs/runbooks.md.',
          unit: 'none',
          orange: 1,
          red: 1,
          queries: {
            'Garden mismatches': `sum(bng_garden_mismatches{${BNG}})`,
            'Store failing': `max(bng_store_failing{${BNG}})`,
            'Accounting outage': `max(bng_accounting_outage{${BNG}})`,
          },
        }),
      ],
    },
  ],
});
