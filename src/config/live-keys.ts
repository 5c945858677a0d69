/**
 * Which keys of bng.yaml take effect while the BNG runs: one decision for each key, and how a person reads its value.
 * Compares nothing and applies nothing. `[]` in a path stands for each item of a list, `*` for each name of a mapping.
 */
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import { formatIpv4, formatPrefix } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { AllowedName, Config, Endpoint } from './config.js';
import { formatLeaseOption } from './lease-option.js';

/**
 * `live`: applied by a reload. `unused`: new items are, and one goes when nothing uses it any more; their keys say what they say.
 * `restart`: a reload that would change it is refused.
 */
export type KeyChange = 'live' | 'unused' | 'restart';

export interface KeyRule<T> {
  readonly change: KeyChange;
  /** The value as a person would write it; equal texts are equal settings. Null where it is not set. */
  readonly read: (from: T) => string | null;
}

/** Items that are known by a name of their own, whatever their order. */
export interface ListRule {
  /** Of whole items. */
  readonly change: KeyChange;
  /** Of an item's keys, by the path behind the item's own; empty for a value without keys. */
  readonly keys: Readonly<Record<string, KeyChange>>;
  /** The values of every item's keys by the item's name, as a person would write them. */
  readonly read: (config: Config) => ReadonlyMap<string, Readonly<Record<string, string | null>>>;
}

const live = <T>(read: (from: T) => Value): KeyRule<T> => rule('live', read);
const restart = <T>(read: (from: T) => Value): KeyRule<T> => rule('restart', read);

type Value = string | number | boolean | null | undefined;

function rule<T>(change: KeyChange, read: (from: T) => Value): KeyRule<T> {
  return {
    change,
    read: (from) => {
      const value = read(from);
      return value === undefined || value === null ? null : String(value);
    },
  };
}

const list = (values: readonly string[]): string => `[${values.join(', ')}]`;
const address = (value: Ipv4 | null | undefined): Value =>
  value === null || value === undefined ? null : formatIpv4(value);
const endpointText = ({ address: host, port }: Endpoint): string => `${formatIpv4(host)}:${port}`;
const endpoint = (value: Endpoint | undefined): Value => (value === undefined ? null : endpointText(value));
const allowedName = ({ name, below, port }: AllowedName): string =>
  `${below ? '*.' : ''}${name}${port === null ? '' : `:${port}`}`;
const destination = ({ prefix, port }: { prefix: Ipv4Prefix; port: number | null }): string =>
  port === null ? formatPrefix(prefix) : `${formatPrefix(prefix)}:${port}`;
const isThere = (section: object | null | undefined): Value =>
  section === null || section === undefined ? null : 'set';

/** Keys with one value. Sections that may be left out are keys too: set or not. */
export const KEY_RULES: Readonly<Record<string, KeyRule<Config>>> = {
  'access.interface': restart(({ access }) => list(access.interfaces)),
  'access.xdpMode': restart(({ access }) => access.xdpMode),
  'access.mtu': restart(({ access }) => access.mtu),
  'access.vlan.sVlanTpid': restart(({ access }) => `0x${access.vlan.sVlanTpid.toString(16)}`),
  'access.vlan.cVlanTpid': restart(({ access }) => `0x${access.vlan.cVlanTpid.toString(16)}`),
  'access.trustOption82': restart(({ access }) => access.trustOption82),
  'access.localForwarding': restart(({ access }) => access.localForwarding),
  'access.forwardInStack': restart(({ access }) => access.forwardInStack),
  'access.fastDhcp': restart(({ access }) => access.fastDhcp),
  // Cards reset their link when the number of queues changes.
  'access.tune': restart(({ access }) => access.tune),
  'core.interface': restart(({ core }) => list(core.interfaces)),
  'dhcp.untrustedOption82': live(({ dhcp }) => dhcp.untrustedOption82),
  // Whether XDP answers through a relay is a constant of the loaded programs.
  'dhcp.relays': restart(({ dhcp }) => isThere(dhcp.relays)),
  'dhcp.probe': live(({ dhcp }) => dhcp.probe),
  'dhcp.probeWait': live(({ dhcp }) => ms(dhcp.probeWaitMs)),
  'dhcp.forceRenew': live(({ dhcp }) => dhcp.forceRenew),
  'lines.sessions': restart(({ lines }) => lines.sessions),
  'lines.macs': restart(({ lines }) => lines.macs),
  'lines.newMac': live(({ lines }) => lines.newMac),
  // Who is where is only kept where something asks for it.
  'lines.movedMac': restart(({ lines }) => lines.movedMac),
  // XDP holds them as constants of the loaded programs.
  'lines.static': restart(({ lines }) => list(lines.static.map(formatPrefix))),
  'lines.tries': live(({ lines }) => lines.tries),
  'lines.wait': live(({ lines }) => ms(lines.waitMs)),
  'lines.liveness.action': live(({ lines }) => lines.liveness.action),
  'lines.liveness.interval': live(({ lines }) => seconds(lines.liveness.intervalSeconds)),
  'lines.liveness.perSecond': live(({ lines }) => lines.liveness.perSecond),
  'auth.mode': restart(({ auth }) => auth.mode),
  'auth.defaultPool': live(({ auth }) => auth.defaultPool),
  // The name by which the AAA server knows a session must not change in its midst.
  'auth.userName': restart(({ auth }) => auth.userName),
  'auth.onReject': live(({ auth }) => auth.onReject),
  'auth.onTimeout': live(({ auth }) => auth.onTimeout),
  radius: restart(({ radius }) => isThere(radius)),
  'radius.nasIdentifier': restart(({ radius }) => radius?.nasIdentifier),
  'radius.nasIpAddress': restart(({ radius }) => address(radius?.nasIpAddress)),
  'radius.timers.initialRetransmit': live(({ radius }) => ms(radius?.timers.initialRetransmitMs)),
  'radius.timers.maxRetransmit': live(({ radius }) => ms(radius?.timers.maxRetransmitMs)),
  'radius.timers.tries': live(({ radius }) => radius?.timers.maxTransmissions),
  'radius.timers.deadline': live(({ radius }) => ms(radius?.timers.deadlineMs)),
  'radius.timers.failoverAfter': live(({ radius }) => radius?.timers.failoverAfter),
  'radius.timers.deadTime': live(({ radius }) => ms(radius?.timers.deadMs)),
  'radius.maxSockets': live(({ radius }) => radius?.limits.maxSockets),
  'radius.maxQueued': live(({ radius }) => radius?.limits.maxQueued),
  'radius.interimInterval': restart(({ radius }) => seconds(radius?.interimIntervalSeconds)),
  'radius.coa': restart(({ radius }) => isThere(radius?.coa)),
  'radius.coa.listen': restart(({ radius }) => endpoint(radius?.coa?.listen)),
  'radius.coa.requireMessageAuthenticator': restart(({ radius }) => radius?.coa?.requireMessageAuthenticator),
  'radius.coa.requireEventTimestamp': restart(({ radius }) => radius?.coa?.requireEventTimestamp),
  'radius.coa.replayWindow': restart(({ radius }) => seconds(radius?.coa?.replayWindowSeconds)),
  'accounting.mode': restart(({ accounting }) => accounting.mode),
  'accounting.queueLimit': restart(({ accounting }) => accounting.queueLimit),
  'walledGarden.pool': restart(({ walledGarden }) => walledGarden.poolName),
  // XDP holds the portal's address as a constant of the loaded programs.
  'walledGarden.portal': restart(({ walledGarden }) => endpoint(walledGarden.portal)),
  'walledGarden.allow': live(({ walledGarden }) => list(walledGarden.allow.map(destination))),
  // XDP lets questions to it through by a constant of the loaded programs.
  'walledGarden.dns': restart(({ walledGarden }) => isThere(walledGarden.dns)),
  'walledGarden.dns.names': live(({ walledGarden }) => list(walledGarden.dns?.names.map(allowedName) ?? [])),
  'walledGarden.dns.upstream': restart(({ walledGarden }) =>
    list(walledGarden.dns?.upstream.map(endpointText) ?? []),
  ),
  'portal.provider': restart(({ portal }) => portal.provider),
  'portal.contact': restart(({ portal }) => isThere(portal.contact)),
  'portal.contact.en': restart(({ portal }) => portal.contact?.en),
  'portal.contact.de': restart(({ portal }) => portal.contact?.de),
  'portal.templates': restart(({ portal }) => portal.templates),
  'portal.captiveApi': restart(
    ({ pools }) => pools.find(({ captivePortal }) => captivePortal)?.captivePortal,
  ),
  'portal.tls': restart(({ portal }) => isThere(portal.tls)),
  'portal.tls.certFile': restart(({ portal }) => portal.tls?.certFile),
  'portal.tls.keyFile': restart(({ portal }) => portal.tls?.keyFile),
  olt: restart(({ olt }) => isThere(olt)),
  'olt.socket': restart(({ olt }) => olt?.socket),
  'olt.timeout': restart(({ olt }) => ms(olt?.timeoutMs)),
  'api.listen': restart(({ api }) => endpoint(api.listen)),
  'api.tokenFile': restart(({ api }) => api.tokenFile),
  'api.socket': restart(({ api }) => api.socket),
  'api.tls': restart(({ api }) => isThere(api.tls)),
  'api.tls.certFile': restart(({ api }) => api.tls?.certFile),
  'api.tls.keyFile': restart(({ api }) => api.tls?.keyFile),
  'api.insecure': restart(({ api }) => api.insecure),
  'metrics.listen': restart(({ metrics }) => endpoint(metrics.listen)),
  'metrics.topTalkers': restart(({ metrics }) => metrics.topTalkers),
  'metrics.subscribers': restart(({ metrics }) => metrics.subscribers),
  'store.mode': restart(({ store }) => (store === null ? 'memory' : 'durable')),
  'store.path': restart(({ store }) => store?.path),
  'audit.to': restart(({ audit }) => audit.to),
  'log.level': live(({ log }) => log.level),
  'qos.burstMs': live(({ qos }) => qos.burstMs),
  'dataplane.pinPath': restart(({ dataplane }) => dataplane.pinPath),
};

function ms(value: number | undefined): Value {
  return value === undefined ? null : `${value}ms`;
}

function seconds(value: number | undefined): Value {
  return value === undefined ? null : `${value}s`;
}

function byName<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [nameOf(item), item]));
}

function listRule<T>(
  change: KeyChange,
  items: (config: Config) => ReadonlyMap<string, T>,
  rules: Readonly<Record<string, readonly [KeyChange, (item: T) => Value]>>,
): ListRule {
  const keys = Object.entries(rules).map(([below, [ofKey, read]]) => [below, rule(ofKey, read)] as const);
  return {
    change,
    keys: Object.fromEntries(keys.map(([below, { change: ofKey }]) => [below, ofKey])),
    read: (config) =>
      new Map(
        [...items(config)].map(([name, item]) => [
          name,
          Object.fromEntries(keys.map(([below, { read }]) => [below, read(item)])),
        ]),
      ),
  };
}

/** Lists and mappings whose items are compared by name. */
export const LIST_RULES: Readonly<Record<string, ListRule>> = {
  'pools[]': listRule('unused', ({ pools }) => byName(pools, ({ name }) => name), {
    // A pool with another name is another pool.
    '.name': ['restart', ({ name }) => name],
    '.network': ['restart', ({ network }) => formatPrefix(network)],
    '.gateway': ['restart', ({ gateway }) => formatIpv4(gateway)],
    '.dns': ['restart', ({ dns }) => list(dns.map(formatIpv4))],
    '.leaseTime': ['restart', ({ leaseSeconds }) => seconds(leaseSeconds)],
    '.renewTime': ['restart', ({ renewSeconds }) => seconds(renewSeconds)],
    '.rebindTime': ['restart', ({ rebindSeconds }) => seconds(rebindSeconds)],
    '.options': ['restart', ({ options }) => options && list(options.map(formatLeaseOption))],
    '.exclude': [
      'restart',
      ({ exclude }) => list(exclude.map(({ first, last }) => `${formatIpv4(first)}-${formatIpv4(last)}`)),
    ],
    '.drain': ['live', ({ drain }) => drain],
  }),
  'poolGroups.*': listRule('live', ({ poolGroups }) => new Map(Object.entries(poolGroups)), {
    // Their order matters.
    '': ['live', (pools) => list(pools)],
  }),
  'dhcp.relays[]': listRule(
    'live',
    ({ dhcp }) => byName(dhcp.relays ?? [], ({ address: relay }) => formatIpv4(relay)),
    {
      '.host': ['live', ({ address: relay }) => formatIpv4(relay)],
      '.pools': ['live', ({ pools }) => list(pools)],
      '.leasequery': ['live', ({ leasequery }) => leasequery],
    },
  ),
  'dhcp.services.*': listRule('live', ({ dhcp }) => new Map(Object.entries(dhcp.services)), {
    '': ['live', (options) => list(options.map(formatLeaseOption))],
  }),
  'auth.records[]': listRule('live', ({ auth }) => byName(auth.records, ({ ontSerial }) => ontSerial), {
    '.ontSerial': ['live', ({ ontSerial }) => ontSerial],
    '.pool': ['live', ({ poolName }) => poolName],
    '.address': ['live', ({ address: own }) => address(own)],
    '.mac': ['live', ({ mac }) => mac && formatMac(mac)],
    '.serviceId': ['live', ({ serviceId }) => serviceId],
    '.downloadBps': ['live', ({ downloadBitsPerSecond }) => downloadBitsPerSecond],
    '.uploadBps': ['live', ({ uploadBitsPerSecond }) => uploadBitsPerSecond],
  }),
  'portal.offers[]': listRule(
    'restart',
    ({ portal }) => byName(portal.offers, ({ serviceId }) => serviceId),
    {
      '.serviceId': ['restart', ({ serviceId }) => serviceId],
      '.pool': ['restart', ({ poolName }) => poolName],
      '.downloadBps': ['restart', ({ downloadBitsPerSecond }) => downloadBitsPerSecond],
      '.uploadBps': ['restart', ({ uploadBitsPerSecond }) => uploadBitsPerSecond],
      '.name.en': ['restart', ({ name }) => name.en],
      '.name.de': ['restart', ({ name }) => name.de],
      '.description.en': ['restart', ({ description }) => description?.en],
      '.description.de': ['restart', ({ description }) => description?.de],
    },
  ),
  // Their order matters, so a server that moves has changed.
  'radius.servers[]': listRule(
    'live',
    ({ radius }) => new Map((radius?.servers ?? []).map((server, at) => [String(at), server])),
    {
      '.host': ['live', ({ host }) => host],
      '.authPort': ['live', ({ authPort }) => authPort],
      '.acctPort': ['live', ({ acctPort }) => acctPort],
      '.secretFile': ['live', ({ secretFile }) => secretFile],
      '.requireMessageAuthenticator': [
        'live',
        ({ requireMessageAuthenticator }) => requireMessageAuthenticator,
      ],
    },
  ),
  'radius.filters.*': listRule('live', ({ radius }) => new Map(Object.entries(radius?.filters ?? {})), {
    '.pool': ['live', ({ poolName }) => poolName],
    '.serviceId': ['live', ({ serviceId }) => serviceId],
    '.downloadBps': ['live', ({ downloadBitsPerSecond }) => downloadBitsPerSecond],
    '.uploadBps': ['live', ({ uploadBitsPerSecond }) => uploadBitsPerSecond],
  }),
  'radius.coa.clients[]': listRule(
    'live',
    ({ radius }) => byName(radius?.coa?.clients ?? [], (client) => formatIpv4(client.address)),
    {
      '.host': ['live', (client) => formatIpv4(client.address)],
      '.secretFile': ['live', ({ secretFile }) => secretFile],
      '.allow': ['live', ({ allow }) => list(allow.map((kind) => kind.toLowerCase()))],
    },
  ),
  'olt.vlans.*': listRule('live', ({ olt }) => new Map(Object.entries(olt?.vlans ?? {})), {
    '': ['live', (vlan) => vlan],
  }),
};

/** What a reload does with a change of each key; lists and mappings by the path of their items. */
export const KEY_CHANGES: Readonly<Record<string, KeyChange>> = Object.fromEntries([
  ...Object.entries(KEY_RULES).map(([path, { change }]) => [path, change] as const),
  ...Object.entries(LIST_RULES).flatMap(([path, { change, keys }]) => [
    [path, change] as const,
    ...Object.entries(keys).map(([below, key]) => [path + below, below === '' ? change : key] as const),
  ]),
]);
