/** The metric families of sessions, pools and dataplane: names, help, labels and buckets. Nothing here knows their values. */
import type { MetricCatalogue } from './metric-catalogue.js';

// Seconds: from an activation's moments to a residential lease's days.
const SESSION_BUCKETS = [1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200, 604_800];
const ACTIVATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300];
const SETUP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];
const ANSWER_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const WRITE_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

const STATE = '`discovered`, `wgar`, `activating`, `active`, `suspended` or `terminated`';
const POOL = { pool: 'name of a pool' };
const GROUP = { group: 'name of a group of pools' };
const TRAFFIC = { direction: '`in` (from the subscriber) or `out`', ...POOL };
const NFT_REASON = '`firewall` is a packet that the firewall’s garden rules dropped in the stack';

/** The type that `defineFamilies` gives. */
export type MetricFamilies = ReturnType<typeof defineFamilies>;

/** Makes every family in `catalogue`. Families that mirror a counter of the kernel are counters set at each scrape. */
export function defineFamilies(catalogue: MetricCatalogue) {
  return {
    ...defineSessionFamilies(catalogue),
    ...definePoolFamilies(catalogue),
    ...defineDataplaneFamilies(catalogue),
    ...defineLineFamilies(catalogue),
    ...defineStoreFamilies(catalogue),
    eventClientsDropped: catalogue.counter(
      'bng_event_clients_dropped_total',
      'Clients of the live events that were disconnected because they read too slowly',
      {},
    ),
  };
}

function defineSessionFamilies(catalogue: MetricCatalogue) {
  return {
    sessions: catalogue.gauge(
      'bng_sessions_total',
      'Sessions by state; terminated counts those ended since start',
      { state: STATE },
    ),
    draining: catalogue.gauge(
      'bng_draining',
      '1 while an operator lets no new session begin; those that are there go on',
      {},
    ),
    admissionWindow: catalogue.gauge(
      'bng_admission_window',
      'Sessions that are let in at a time at most; grows while AAA answers fast, shrinks when it does not',
      {},
    ),
    admissionInProgress: catalogue.gauge(
      'bng_admission_in_progress',
      'Sessions that are being let in: AAA is asked, the first answer stored, or the dataplane being told',
      {},
    ),
    admissionWaiting: catalogue.gauge('bng_admission_waiting', 'Sessions that wait to be let in', {}),
    admissionDropped: catalogue.counter(
      'bng_admission_dropped_total',
      'What was dropped while it waited; its client comes again, and stands where it stood',
      {
        reason: '`full` (too many waited; the longest silent went) or `repeated` (the client said it again)',
      },
    ),
    detected: catalogue.counter(
      'bng_sessions_detected_total',
      'Sessions begun: a line was detected by the access node, or asked for an address for the first time',
      {},
    ),
    provisioned: catalogue.counter(
      'bng_sessions_provisioned_total',
      'Sessions that got their first lease, in the garden or elsewhere',
      {},
    ),
    sessionDuration: catalogue.histogram(
      'bng_session_duration_seconds',
      'Time that sessions spent in a state, told when they leave it',
      { labels: { state: STATE }, buckets: SESSION_BUCKETS },
    ),
    sessionSetup: catalogue.histogram(
      'bng_session_setup_duration_seconds',
      'Time from the first DHCP message of a session to its first lease being bound',
      { labels: {}, buckets: SETUP_BUCKETS },
    ),
    activations: catalogue.counter('bng_activations_total', 'Activations by result', {
      result: '`success`, `failed` (ended before it was active) or `refused` (not begun)',
    }),
    activationDuration: catalogue.histogram(
      'bng_activation_duration_seconds',
      'Time from the order to the line being active, successful activations only',
      { labels: {}, buckets: ACTIVATION_BUCKETS },
    ),
  };
}

function definePoolFamilies(catalogue: MetricCatalogue) {
  return {
    dhcpRequests: catalogue.counter('bng_dhcp_requests_total', 'DHCP requests decided', {
      pool: 'the pool they were decided for, or `none`',
    }),
    dhcpAnswer: catalogue.histogram(
      'bng_dhcp_answer_duration_seconds',
      'Time from a DHCP message reaching the control plane to its answer being transmitted',
      { labels: { answer: '`offer`, `ack`, `nak` or `inform`' }, buckets: ANSWER_BUCKETS },
    ),
    dhcpDropped: catalogue.counter(
      'bng_dhcp_dropped_total',
      'DHCP messages that got no answer because of what they were',
      { reason: 'a closed set; only reasons that came up' },
    ),
    gardenDns: catalogue.counter(
      'bng_garden_dns_queries_total',
      'Questions of garden members to the DNS of the garden',
      {
        outcome:
          'allowed, portal (the name is not allowed), empty (not an A question), none, failed, refused, dropped; only those that came up',
      },
    ),
    poolUtilization: catalogue.gauge(
      'bng_dhcp_pool_utilization',
      'Allocated share of the addresses of a pool, 0 to 1',
      POOL,
    ),
    poolAvailable: catalogue.gauge(
      'bng_dhcp_pool_available_ips',
      'Addresses of a pool that could be given now',
      POOL,
    ),
    poolDraining: catalogue.gauge('bng_dhcp_pool_draining', '1 while a pool is drained, else 0', POOL),
    groupMember: catalogue.gauge('bng_dhcp_pool_group_member', 'The place of a pool in its group, from 1', {
      ...GROUP,
      ...POOL,
    }),
    groupUtilization: catalogue.gauge(
      'bng_dhcp_pool_group_utilization',
      'Allocated share of the addresses of the open pools of a group, 0 to 1',
      GROUP,
    ),
    groupAvailable: catalogue.gauge(
      'bng_dhcp_pool_group_available_ips',
      'Addresses of the pools of a group that could be given now',
      GROUP,
    ),
  };
}

function defineDataplaneFamilies(catalogue: MetricCatalogue) {
  return {
    trafficBytes: catalogue.counter('bng_traffic_bytes_total', 'Octets of IP packets forwarded', TRAFFIC),
    trafficPackets: catalogue.counter('bng_traffic_packets_total', 'IP packets forwarded', TRAFFIC),
    topTalkers: catalogue.counter(
      'bng_top_talker_bytes_total',
      'Octets forwarded under their present lease for the subscribers that moved most lately (what was moved a minute ago weighs half): at most metrics.topTalkers of them',
      { ont_serial: 'empty where no access node names it', ip: 'address', direction: TRAFFIC.direction },
    ),
    gardenDrops: catalogue.counter(
      'bng_walled_garden_drops_total',
      'Frames dropped because of the walled garden, those in the firewall included',
      { reason: `\`garden\`, \`garden_fragment\` or \`firewall\`; ${NFT_REASON}` },
    ),
    drops: catalogue.counter('bng_drops_total', 'Frames dropped by the dataplane, by reason', {
      reason: `the names of \`enum bng_drop_reason\` in \`bpf/bng_abi.h\`, and \`firewall\`; ${NFT_REASON}`,
    }),
    verdicts: catalogue.counter('bng_verdicts_total', 'Frames by what the dataplane did with them', {
      verdict: 'the names of `enum bng_verdict` in `bpf/bng_abi.h`',
    }),
    gardenMismatches: catalogue.gauge(
      'bng_garden_mismatches',
      'Installed subscribers whom the firewall takes for walled and the maps do not, or the other way round, at the last look',
      {},
    ),
    xdpNative: catalogue.gauge(
      'bng_xdp_native',
      '1 where XDP runs in the driver, 0 where it runs in generic mode',
      { interface: 'name of an access or core interface' },
    ),
  };
}

function defineLineFamilies(catalogue: MetricCatalogue) {
  return {
    lineRefusals: catalogue.counter(
      'bng_line_refusals_total',
      'Messages of stations that were not let in on their line (section lines of bng.yaml)',
      {
        reason:
          '`line-sessions`, `line-macs` (as many as the line may have), `new-mac` (another has the line), or `static-elsewhere` (its address is another line’s)',
      },
    ),
    lineTakeovers: catalogue.counter(
      'bng_line_takeovers_total',
      'Sessions ended because another station has come in their place',
      { why: '`new-mac` (to the same line), or `moved-mac` (the same MAC, to another line)' },
    ),
    livenessChecks: catalogue.counter(
      'bng_liveness_checks_total',
      'Looks whether the station of a lease is still there',
      { result: '`active` (it has sent something), `answered` (ARP), or `silent`' },
    ),
  };
}

function defineStoreFamilies(catalogue: MetricCatalogue) {
  return {
    storeWrites: catalogue.counter('bng_store_writes_total', 'Writes to the store by result', {
      result: '`ok`, `full`, `corrupt`, `in-use`, `unavailable` or `closed`',
    }),
    storeWriteDuration: catalogue.histogram(
      'bng_store_write_duration_seconds',
      'Time until a write was safe on disk, or had failed',
      { labels: {}, buckets: WRITE_BUCKETS },
    ),
    storeFailing: catalogue.gauge(
      'bng_store_failing',
      '1 while the last write to the store failed, else 0',
      {},
    ),
  };
}
