/** The overview: how many subscribers are where, what they move, how activation goes. */
import { dashboard } from './dashboard.js';
import { curves, funnel, gauges, pie, table } from './panels.js';

const BNG = 'instance=~"$instance"';
const RATE = '[$__rate_interval]';
const inState = (state: string): string => `sum(bng_sessions_total{${BNG}, state="${state}"})`;
const talkers = (direction: string): string =>
  `sum by (ont_serial, ip) (bng_top_talker_bytes_total{${BNG}, direction="${direction}"})`;

export const overviewDashboard = dashboard({
  uid: 'bng-overview',
  title: 'BNG overview',
  description: 'Subscribers, pools and activations of one or several BNGs',
  rows: [
    {
      title: 'Subscribers',
      panels: [
        curves({
          title: 'Sessions over time',
          description: 'Sessions by state. WGAR is the walled garden: lines that are not activated yet.',
          unit: 'short',
          stacked: true,
          queries: { WGAR: inState('wgar'), Active: inState('active'), Suspended: inState('suspended') },
        }),
        pie({
          title: 'State distribution',
          description: 'Sessions by state now; those that have ended are left out.',
          unit: 'short',
          queries: { '{{state}}': `sum by (state) (bng_sessions_total{${BNG}, state!="terminated"}) > 0` },
        }),
        gauges({
          title: 'Pool utilisation',
          description: 'Allocated share of each pool. Alerts come at 80 and at 90 %.',
          unit: 'percentunit',
          max: 1,
          orange: 0.8,
          red: 0.9,
          queries: { '{{pool}}': `max by (pool) (bng_dhcp_pool_utilization{${BNG}})` },
        }),
      ],
    },
    {
      title: 'Activation and traffic',
      panels: [
        funnel({
          title: 'Activation funnel',
          description:
            'Since the BNG started: lines detected, those that got a lease, successful activations; and who is active now.',
          unit: 'short',
          queries: {
            Detected: `sum(bng_sessions_detected_total{${BNG}})`,
            Provisioned: `sum(bng_sessions_provisioned_total{${BNG}})`,
            Activated: `sum(bng_activations_total{${BNG}, result="success"})`,
            'Currently active': inState('active'),
          },
        }),
        curves({
          title: 'Activation rate and average time',
          description:
            'Activations a minute by result, and how long a successful one took on average from the order to the line being active.',
          unit: 'short',
          rightUnits: { 'Average time': 's' },
          queries: {
            'Successful a minute': `60 * sum(rate(bng_activations_total{${BNG}, result="success"}${RATE}))`,
            'Failed or refused a minute': `60 * sum(rate(bng_activations_total{${BNG}, result!="success"}${RATE}))`,
            'Average time': `sum(rate(bng_activation_duration_seconds_sum{${BNG}}${RATE})) / sum(rate(bng_activation_duration_seconds_count{${BNG}}${RATE}))`,
          },
        }),
        table({
          title: 'Top talkers',
          description:
            'Subscribers that moved most lately, with the bytes of their present lease. In is from the subscriber.',
          unit: 'bytes',
          labels: { ont_serial: 'ONT serial', ip: 'IP' },
          sortBy: 'Bytes out',
          queries: { 'Bytes in': talkers('in'), 'Bytes out': talkers('out') },
        }),
      ],
    },
  ],
});
