/**
 * What a walled subscriber may reach: one value, compiled from configuration, that feeds XDP and nftables alike, and
 * the reference judgement that tests hold both against. Pure: no maps, no nft syntax.
 */
import { BngError } from '../model/bng-error.js';
import {
  formatPrefix,
  type Ipv4,
  type Ipv4Prefix,
  ipv4FromNumber,
  prefixContains,
  prefixMask,
} from '../model/ipv4.js';

/** One allowed destination; `port` null means every protocol and port, otherwise TCP and UDP to that port. */
export interface GardenRule {
  readonly prefix: Ipv4Prefix;
  readonly port: number | null;
}

export interface GardenConfig {
  readonly allow: readonly GardenRule[];
  /** Each may be asked by UDP and TCP on port 53. */
  readonly resolvers: readonly Ipv4[];
  readonly portal: Endpoint;
  /** The portal's address answers DNS of garden members. */
  readonly answersDns?: boolean;
  /** The gateways of all pools; the portal's address is added. */
  readonly gateways: readonly Ipv4[];
}

export interface Endpoint {
  readonly address: Ipv4;
  readonly port: number;
}

/** What holds for every address whose longest matching prefix this is. `ports` is sorted, and empty when `any`. */
export interface GardenEntry {
  readonly prefix: Ipv4Prefix;
  readonly any: boolean;
  readonly ports: readonly number[];
}

export interface GardenPolicy {
  readonly portal: Endpoint;
  /** Garden members may ask the portal's address by UDP and TCP on port 53. */
  readonly answersDns: boolean;
  /** Sorted, each once; the portal's address among them. */
  readonly localAddresses: readonly Ipv4[];
  /** The addresses among `localAddresses` that are a pool's gateway. */
  readonly gateways: readonly Ipv4[];
  /** For longest prefix match: each entry already holds what shorter prefixes allow. */
  readonly entries: readonly GardenEntry[];
  /** The same as disjoint rules: nothing in them covers anything else in them. */
  readonly rules: readonly GardenRule[];
}

export interface GardenLimits {
  readonly maxPrefixes: number;
  readonly maxPortsOfPrefix: number;
  readonly maxLocalAddresses: number;
}

const DNS_PORT = 53;
const HTTP_PORT = 80;

/**
 * Compiles the policy. An address's ports are the union over all prefixes that cover it; `port: null` anywhere wins.
 * Throws `BNG_ERR_CONFIG` when a prefix needs more ports, or the policy more entries, than the maps hold.
 */
export function compileGardenPolicy(config: GardenConfig, limits: GardenLimits): GardenPolicy {
  const rules = [
    ...config.allow,
    ...config.resolvers.map((address) => ({ prefix: { network: address, length: 32 }, port: DNS_PORT })),
  ];
  for (const { prefix, port } of rules) {
    if (port !== null && (!Number.isInteger(port) || port < 1 || port > 65535)) {
      throw new BngError('BNG_ERR_CONFIG', 'expected a port from 1 to 65535', {
        prefix: formatPrefix(prefix),
        found: port,
      });
    }
  }
  const prefixes = new Map(rules.map(({ prefix }) => [formatPrefix(prefix), prefix]));
  const entries = [...prefixes.values()].map((prefix) => entryOf(prefix, rules));
  for (const entry of entries) {
    if (entry.ports.length > limits.maxPortsOfPrefix) {
      throw new BngError('BNG_ERR_CONFIG', 'expected fewer allowed ports for one garden prefix', {
        prefix: formatPrefix(entry.prefix),
        found: entry.ports.length,
        limit: limits.maxPortsOfPrefix,
      });
    }
  }
  const localAddresses = [...new Set([...config.gateways, config.portal.address])].sort((a, b) => a - b);
  refuseMoreThan(limits.maxPrefixes, entries.length, 'garden prefixes');
  refuseMoreThan(limits.maxLocalAddresses, localAddresses.length, 'local addresses');
  return {
    portal: config.portal,
    answersDns: config.answersDns ?? false,
    localAddresses,
    gateways: [...new Set(config.gateways)].sort((a, b) => a - b),
    entries,
    rules: withoutCovered(rules),
  };
}

/** May a walled subscriber exchange packets with this far end? `port` is the far end's, null where there is none. */
export function gardenAllows(policy: GardenPolicy, address: Ipv4, port: number | null): boolean {
  let best: GardenEntry | null = null;
  for (const entry of policy.entries) {
    if (!prefixContains(entry.prefix, address)) continue;
    if (best === null || entry.prefix.length > best.prefix.length) best = entry;
  }
  if (best === null) return false;
  return best.any || (port !== null && best.ports.includes(port));
}

export type IpProtocol = 'tcp' | 'udp' | 'icmp' | 'other';

/** A whole, unfragmented packet from a subscriber whose source address and MAC are the lease's. */
export interface JudgedPacket {
  readonly destination: Ipv4;
  readonly protocol: IpProtocol;
  /** 0 where the protocol has none. */
  readonly destinationPort: number;
  readonly echoRequest: boolean;
}

/** `portal`: DNATed to the portal; `local`: taken by the box's own stack. */
export type GardenJudgement = 'forward' | 'portal' | 'local' | 'drop';

/** What must happen to a packet from a walled subscriber. The programs and the ruleset are tested against this. */
export function judge(policy: GardenPolicy, packet: JudgedPacket): GardenJudgement {
  const tcp = packet.protocol === 'tcp';
  if (policy.localAddresses.includes(packet.destination)) {
    if (packet.protocol === 'icmp' && packet.echoRequest) return 'local';
    if (tcp && isPortal(policy, packet)) return 'local';
    if (isDns(policy, packet)) return 'local';
    return tcp && packet.destinationPort === HTTP_PORT ? 'portal' : 'drop';
  }
  const port = tcp || packet.protocol === 'udp' ? packet.destinationPort : null;
  if (gardenAllows(policy, packet.destination, port)) return 'forward';
  return tcp && packet.destinationPort === HTTP_PORT ? 'portal' : 'drop';
}

function isPortal(policy: GardenPolicy, packet: JudgedPacket): boolean {
  return packet.destination === policy.portal.address && packet.destinationPort === policy.portal.port;
}

function isDns(policy: GardenPolicy, { destination, destinationPort, protocol }: JudgedPacket): boolean {
  const asks = destinationPort === DNS_PORT && (protocol === 'tcp' || protocol === 'udp');
  return policy.answersDns && asks && destination === policy.portal.address;
}

function entryOf(prefix: Ipv4Prefix, rules: readonly GardenRule[]): GardenEntry {
  const ports = new Set<number>();
  for (const rule of rules) {
    if (!covers(rule.prefix, prefix)) continue;
    if (rule.port === null) return { prefix, any: true, ports: [] };
    ports.add(rule.port);
  }
  return { prefix, any: false, ports: [...ports].sort((a, b) => a - b) };
}

function withoutCovered(rules: readonly GardenRule[]): readonly GardenRule[] {
  const unique = [
    ...new Map(rules.map((rule) => [`${formatPrefix(rule.prefix)} ${rule.port}`, rule])).values(),
  ];
  return unique.filter(
    (rule) =>
      !unique.some(
        (other) =>
          other !== rule &&
          covers(other.prefix, rule.prefix) &&
          (other.port === null || other.port === rule.port) &&
          // Equal prefixes: only "any" covers a port, never the other way round.
          (other.prefix.length < rule.prefix.length || (other.port === null && rule.port !== null)),
      ),
  );
}

function covers(outer: Ipv4Prefix, inner: Ipv4Prefix): boolean {
  return (
    outer.length <= inner.length && ipv4FromNumber(inner.network & prefixMask(outer.length)) === outer.network
  );
}

function refuseMoreThan(limit: number, found: number, what: string): void {
  if (found > limit) throw new BngError('BNG_ERR_CONFIG', `expected fewer ${what}`, { found, limit });
}
