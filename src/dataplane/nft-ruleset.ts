/**
 * The text of our nftables table: what walled subscribers meet when a packet of theirs reaches the stack. Pure; it
 * never knows who is walled (that is set membership) and holds no transactions.
 *
 * Order in the stack, for a packet from an access interface:
 *   prerouting, filter, priority raw: only what may become the portal or is for the box itself is tracked. The stack sees
 *     single packets of flows that XDP forwards; tracking them would let a subscriber fill the connection table. Nor is what the core
 *     side sends to subscribers;
 *   prerouting, nat, priority dstnat: TCP/80 of a garden member to what the garden does not allow becomes the portal;
 *   forward, filter, priority filter - 5: a member reaches, and is reached by, allowed addresses only;
 *   input, filter, priority filter - 5: echo to our addresses, the portal, the garden's DNS for its members, each as often as
 *     a host asks, and answers to what the box itself began.
 * No rule accepts by `ct state established` in forward: a flow that was allowed yesterday is judged again on every
 * packet, so a newly walled subscriber loses it at once. The priority is before an operator's own filter chains, whose
 * verdicts still apply after ours: `accept` ends our chain only.
 */
import { formatIpv4, formatPrefix } from '../model/ipv4.js';
import type { GardenPolicy } from './garden-policy.js';

export interface NftRulesetOptions {
  readonly table: string;
  readonly accessInterfaces: readonly string[];
  readonly policy: GardenPolicy;
  /** Whether subscribers may reach each other through the gateway. */
  readonly localForwarding: boolean;
}

/** Who is walled: one element a subscriber, never an interval set (18 ms an element at 10,000). */
export const GARDEN_MEMBERS = 'garden_members';
export const GARDEN_DROPS = 'garden_drops';
/** How often each garden member has asked its DNS of late. */
const DNS_ASKERS = 'dns_askers';
const DNS_RATE = 'rate over 50/second burst 100 packets';

/** What a counter stands at. */
export interface NftCount {
  readonly packets: bigint;
  readonly bytes: bigint;
}

const NOTHING: NftCount = { packets: 0n, bytes: 0n };

/** The commands that build the whole table anew, to be run as one transaction; drops are counted on from `counted`, members are added by others. */
export function nftRuleset(options: NftRulesetOptions, counted: NftCount = NOTHING): readonly string[] {
  const table = `inet ${options.table}`;
  return [
    ...nftTeardown(options.table),
    `add table ${table}`,
    `add counter ${table} ${GARDEN_DROPS} { packets ${counted.packets} bytes ${counted.bytes} }`,
    `add set ${table} ${GARDEN_MEMBERS} { type ipv4_addr; }`,
    `add set ${table} garden_allow { type ipv4_addr; flags interval; }`,
    `add set ${table} garden_allow_port { type ipv4_addr . inet_service; flags interval; }`,
    `add set ${table} local_addresses { type ipv4_addr; }`,
    `add set ${table} ${DNS_ASKERS} { type ipv4_addr; size 65536; flags dynamic; timeout 10s; }`,
    `add chain ${table} untracked { type filter hook prerouting priority raw; policy accept; }`,
    `add chain ${table} prerouting { type nat hook prerouting priority dstnat; policy accept; }`,
    `add chain ${table} from_member`,
    `add chain ${table} to_member`,
    `add chain ${table} forward { type filter hook forward priority filter - 5; policy accept; }`,
    `add chain ${table} input { type filter hook input priority filter - 5; policy accept; }`,
    ...policyCommands(options),
  ];
}

/** The commands that put another policy into a table that stands, to be run as one transaction; members and counts stay. */
export function nftPolicyChange(options: NftRulesetOptions): readonly string[] {
  const table = `inet ${options.table}`;
  // Of a table only the rules are flushed, in all of its chains.
  const flushed = ['garden_allow', 'garden_allow_port', 'local_addresses'].map(
    (set) => `flush set ${table} ${set}`,
  );
  return [`flush table ${table}`, ...flushed, ...policyCommands(options)];
}

/** Elements and rules, into sets and chains that hold none. */
function policyCommands(options: NftRulesetOptions): readonly string[] {
  const table = `inet ${options.table}`;
  const access = `{ ${options.accessInterfaces.map((name) => JSON.stringify(name)).join(', ')} }`;
  const { policy } = options;
  const portal = formatIpv4(policy.portal.address);
  const rule = (chain: string, text: string): string => `add rule ${table} ${chain} ${text}`;
  return [
    ...elements(
      `${table} garden_allow`,
      policy.rules.filter((r) => r.port === null).map((r) => formatPrefix(r.prefix)),
    ),
    ...elements(
      `${table} garden_allow_port`,
      policy.rules.flatMap((r) => (r.port === null ? [] : [`${formatPrefix(r.prefix)} . ${r.port}`])),
    ),
    ...elements(`${table} local_addresses`, policy.localAddresses.map(formatIpv4)),

    // XDP passes up what is for a pool's address that nobody has: a scan from the internet would fill the connection table.
    rule('untracked', `iifname != ${access} fib daddr oifname ${access} notrack`),
    rule('untracked', `iifname != ${access} accept`),
    rule('untracked', 'ip daddr @local_addresses icmp type != echo-request accept'),
    rule('untracked', 'ip daddr @local_addresses meta l4proto != icmp accept'),
    rule('untracked', `ip saddr @${GARDEN_MEMBERS} tcp dport 80 accept`),
    rule('untracked', 'notrack'),

    rule(
      'prerouting',
      `iifname ${access} ip saddr @${GARDEN_MEMBERS} ip daddr @local_addresses tcp dport 80 dnat ip to ${portal}:${policy.portal.port}`,
    ),
    rule('prerouting', `ip daddr @garden_allow accept`),
    rule('prerouting', `ip daddr . tcp dport @garden_allow_port accept`),
    rule(
      'prerouting',
      `iifname ${access} ip saddr @${GARDEN_MEMBERS} tcp dport 80 dnat ip to ${portal}:${policy.portal.port}`,
    ),

    rule('from_member', 'ip daddr @garden_allow return'),
    rule('from_member', 'meta l4proto { tcp, udp } ip daddr . th dport @garden_allow_port return'),
    rule('from_member', `counter name ${GARDEN_DROPS} drop`),
    rule('to_member', 'ip saddr @garden_allow accept'),
    rule('to_member', 'meta l4proto { tcp, udp } ip saddr . th sport @garden_allow_port accept'),
    rule('to_member', `counter name ${GARDEN_DROPS} drop`),

    ...(options.localForwarding
      ? []
      : [rule('forward', `iifname ${access} oifname ${access} counter name ${GARDEN_DROPS} drop`)]),
    // A packet between two members needs both judgements, so the first one returns instead of accepting.
    rule('forward', `iifname ${access} ip saddr @${GARDEN_MEMBERS} jump from_member`),
    rule('forward', `oifname ${access} ip daddr @${GARDEN_MEMBERS} goto to_member`),
    // Everyone else from the access side: XDP's source guard has judged it.

    // The core side is left alone: what may reach the box from there is the operator's own rules' business.
    rule('input', `iifname != ${access} accept`),
    // Before what is known of flows: questions from one port are one flow.
    ...(policy.answersDns ? dnsRules(portal).map((text) => rule('input', text)) : []),
    rule('input', 'ct state established,related accept'),
    rule('input', 'ip daddr @local_addresses icmp type echo-request accept'),
    rule('input', `ip daddr ${portal} tcp dport ${policy.portal.port} accept`),
    rule('input', `counter name ${GARDEN_DROPS} drop`),
  ];
}

/** One member's flood of questions costs the others nothing. */
function dnsRules(portal: string): readonly string[] {
  const asked = `ip saddr @${GARDEN_MEMBERS} ip daddr ${portal}`;
  return [
    `${asked} udp dport 53 update @${DNS_ASKERS} { ip saddr limit ${DNS_RATE} } counter name ${GARDEN_DROPS} drop`,
    `${asked} meta l4proto { tcp, udp } th dport 53 accept`,
  ];
}

/** Removes the table, whether or not it exists (`destroy` is not known before nft 1.0.8). */
export function nftTeardown(table: string): readonly string[] {
  return [`add table inet ${table}`, `delete table inet ${table}`];
}

/** Adds one member; adding it twice is fine. */
export function addMember(table: string, address: string): string {
  return `add element inet ${table} ${GARDEN_MEMBERS} { ${address} }`;
}

/** Removes one member, whether or not it is one: a deletion that fails would fail its whole transaction. */
export function removeMember(table: string, address: string): string {
  return `${addMember(table, address)}; delete element inet ${table} ${GARDEN_MEMBERS} { ${address} }`;
}

function elements(set: string, values: readonly string[]): readonly string[] {
  return values.length === 0 ? [] : [`add element ${set} { ${values.join(', ')} }`];
}
