/** The shape and the defaults of every section of the file. What two settings must have in common is not here. */
import { z } from 'zod';
import * as leaf from './leaf-schemas.js';
import { mapping } from './mapping.js';

export const ACCESS = {
  interface: leaf.interfaceNames,
  xdpMode: leaf.oneOf(['native', 'generic']).default('native'),
  // No less than every host must take (RFC 1122 §3.3.3), no more than two tags leave of the largest frame in use.
  mtu: leaf.integer(576, 9000, 'a number of bytes').default(1500),
  vlan: mapping({
    sVlanTpid: leaf.tpid([0x88a8, 0x8100]).default(0x88a8),
    cVlanTpid: leaf.tpid([0x8100]).default(0x8100),
  }).prefault({}),
  // Option 82 of an untrusted access side would let a subscriber choose whose line it is on.
  trustOption82: leaf.flag.default(false),
  localForwarding: leaf.flag.default(true),
  forwardInStack: leaf.flag.default(false),
  fastDhcp: leaf.flag.default(true),
  tune: leaf.flag.default(false),
};

export const CORE = { interface: leaf.interfaceNames };

export const POOL = {
  name: leaf.poolName,
  network: leaf.prefix,
  gateway: leaf.address,
  // Option 6 carries at most 63 addresses (RFC 2132 §3.8).
  dns: z
    .array(leaf.address, { error: 'a list of IPv4 addresses' })
    .max(63, { error: 'at most 63 addresses' })
    .prefault([]),
  leaseTime: leaf.duration.prefault('24h'),
  exclude: z.array(leaf.addressRange, { error: 'a list of addresses and ranges' }).prefault([]),
  renewTime: leaf.duration.optional(),
  rebindTime: leaf.duration.optional(),
  options: leaf.leaseOptions.prefault([]),
  drain: leaf.oneOf(['none', 'keep', 'move']).default('none'),
};

/** By the name of the group. */
export const POOL_GROUPS = z
  .record(
    leaf.poolName,
    z.array(leaf.poolName, { error: leaf.POOL_LIST }).min(1, { error: leaf.POOL_LIST }),
    {
      error: (issue) =>
        issue.code === 'invalid_key' ? leaf.POOL_NAME : 'a mapping of names to lists of pools',
    },
  )
  .prefault({});

export const DHCP = {
  untrustedOption82: leaf.oneOf(['refuse', 'replace']).default('refuse'),
  relays: z
    .array(
      mapping({
        host: leaf.address,
        pools: z.array(leaf.poolName, { error: leaf.POOL_LIST }).prefault([]),
        leasequery: leaf.flag.default(false),
      }),
      { error: 'a list of relays' },
    )
    .optional(),
  services: z
    .record(leaf.serviceId, leaf.leaseOptions, { error: 'a mapping of service ids to options' })
    .prefault({}),
  // Whom we do not ask may have the address already (RFC 2131 §3.1, §4.3.1).
  probe: leaf.flag.default(true),
  probeWait: leaf.shortDuration.prefault('100ms'),
  // Not yet by default: dhcpcd, which takes part, moves, but in another order of messages than it is watched for.
  forceRenew: leaf.flag.default(false),
};

/** The dataplane's limit (`BNG_MAX_STATIC_NETWORKS`). */
const STATIC_COUNT = 'a list of at most 8 networks';

export const LINES = {
  sessions: leaf.integer(1, 131_072, 'a number of sessions').optional(),
  macs: leaf.integer(1, 65_535, 'a number of stations').optional(),
  newMac: leaf.oneOf(['probe', 'replace', 'refuse']).default('probe'),
  // Two customers may have routers with one MAC: only who wants it so has the elder asked.
  movedMac: leaf.oneOf(['keep', 'probe']).default('keep'),
  static: z.array(leaf.prefix, { error: STATIC_COUNT }).max(8, { error: STATIC_COUNT }).prefault([]),
  tries: leaf.integer(1, 100, 'a number of questions').default(3),
  wait: leaf.shortDuration.prefault('500ms'),
  liveness: mapping({
    action: leaf.oneOf(['off', 'report', 'close']).default('off'),
    interval: leaf.duration.prefault('5m'),
    perSecond: leaf.integer(1, 100_000, 'a number of questions').default(100),
  }).prefault({}),
};

/** `records` is a list of `AUTH_RECORD`; it is read by itself. */
export const AUTH = {
  mode: leaf.oneOf(['local', 'radius']),
  defaultPool: leaf.poolName,
  records: z.unknown(),
  userName: leaf.userNameFormat.prefault('ont-serial'),
  onReject: leaf.oneOf(['garden', 'silence', 'refuse']).default('garden'),
  // Who waits for a server that is away asks again; the garden would tell a paying subscriber that it has no service.
  onTimeout: leaf.oneOf(['garden', 'silence', 'refuse']).default('silence'),
};

export const AUTH_RECORD = {
  ontSerial: leaf.ontSerial,
  pool: leaf.poolName,
  address: leaf.address.optional(),
  mac: leaf.mac.optional(),
  serviceId: leaf.serviceId.optional(),
  downloadBps: leaf.bitsPerSecond.default(0),
  uploadBps: leaf.bitsPerSecond.default(0),
};

export const RADIUS = {
  servers: z
    .array(
      mapping({
        host: leaf.host,
        authPort: leaf.port.default(1812),
        acctPort: leaf.port.default(1813),
        secretFile: leaf.absolutePath,
        // Without it an answer can be forged (CVE-2024-3596).
        requireMessageAuthenticator: leaf.flag.default(true),
      }),
      { error: 'a list of servers' },
    )
    .min(1, { error: 'at least one server' }),
  nasIdentifier: leaf.nasIdentifier,
  nasIpAddress: leaf.address.optional(),
  timers: mapping({
    initialRetransmit: leaf.shortDuration.prefault('2s'),
    maxRetransmit: leaf.shortDuration.prefault('16s'),
    tries: leaf.integer(1, 100, 'a number of transmissions').default(5),
    deadline: leaf.shortDuration.prefault('30s'),
    failoverAfter: leaf.integer(1, 100, 'a number of transmissions').default(2),
    deadTime: leaf.shortDuration.prefault('30s'),
  }).prefault({}),
  maxSockets: leaf.integer(1, 1024, 'a number of source ports').default(64),
  maxQueued: leaf.integer(1, 1_000_000, 'a number of requests').default(10_000),
  interimInterval: leaf.duration.prefault('5m'),
  filters: z
    .record(
      leaf.filterName,
      mapping({
        pool: leaf.poolName.optional(),
        serviceId: leaf.serviceId.optional(),
        downloadBps: leaf.bitsPerSecond.default(0),
        uploadBps: leaf.bitsPerSecond.default(0),
      }),
      { error: (issue) => (issue.code === 'invalid_key' ? leaf.FILTER_NAME : 'a mapping of filters') },
    )
    .prefault({}),
  coa: mapping({
    listen: leaf.listenEndpoint.prefault('127.0.0.1:3799'),
    clients: z
      .array(
        mapping({
          // An address and no name: who may give orders must not depend on what a name server says.
          host: leaf.address,
          secretFile: leaf.absolutePath,
          allow: z
            .array(leaf.oneOf(['coa', 'disconnect']), { error: 'a list of coa and disconnect' })
            .default(['coa', 'disconnect']),
        }),
        { error: 'a list of clients' },
      )
      .min(1, { error: 'at least one client' }),
    requireMessageAuthenticator: leaf.flag.default(true),
    requireEventTimestamp: leaf.flag.default(true),
    replayWindow: leaf.duration.prefault('5m'),
  }).optional(),
};

/** Without a mode, records go where authentication is. */
export const ACCOUNTING = {
  mode: leaf.oneOf(['radius', 'log', 'none']).optional(),
  queueLimit: leaf.integer(1, 100_000_000, 'a number of records').default(1_000_000),
};

const RESOLVER_COUNT = 'a list of 1 to 8 resolvers';

export const WALLED_GARDEN = {
  pool: leaf.poolName,
  portal: leaf.serviceEndpoint.optional(),
  allow: z.array(leaf.allowedDestination, { error: 'a list of destinations' }).prefault([]),
  dns: mapping({
    names: z.array(leaf.allowedName, { error: 'a list of names' }).prefault([]),
    upstream: z
      .array(leaf.serviceEndpoint, { error: RESOLVER_COUNT })
      .min(1, { error: RESOLVER_COUNT })
      .max(8, { error: RESOLVER_COUNT }),
  }).optional(),
};

const localized = mapping({ en: leaf.pageText, de: leaf.pageText });

export const PORTAL = {
  provider: leaf.pageText.prefault('Internet'),
  contact: localized.optional(),
  offers: z
    .array(
      mapping({
        serviceId: leaf.serviceId,
        pool: leaf.poolName,
        downloadBps: leaf.bitsPerSecond.default(0),
        uploadBps: leaf.bitsPerSecond.default(0),
        name: localized,
        description: localized.optional(),
      }),
      { error: 'a list of offers' },
    )
    .default([]),
  templates: leaf.absolutePath.optional(),
  captiveApi: leaf.webAddress.optional(),
  tls: mapping({ certFile: leaf.absolutePath, keyFile: leaf.absolutePath }).optional(),
};

export const OLT = {
  socket: leaf.socketPath.prefault('/run/bng/olt.sock'),
  timeout: leaf.shortDuration.prefault('3s'),
  vlans: z.record(z.string(), leaf.vlanId, { error: 'a mapping of pool names to S-VLANs' }),
};

export const API = {
  listen: leaf.listenEndpoint.prefault('127.0.0.1:8080'),
  tokenFile: leaf.absolutePath.prefault('/etc/bng/api.token'),
  socket: leaf.socketPath.prefault('/run/bng/bng.sock'),
  tls: mapping({ certFile: leaf.absolutePath, keyFile: leaf.absolutePath }).optional(),
  insecure: leaf.flag.default(false),
};

export const METRICS = {
  listen: leaf.listenEndpoint.prefault('127.0.0.1:9090'),
  topTalkers: leaf.integer(0, 100, 'a number of subscribers').default(10),
  // As many series as subscribers: only for those who have asked for it.
  subscribers: leaf.flag.default(false),
};

export const STORE = {
  mode: leaf.oneOf(['durable', 'memory']).default('durable'),
  path: leaf.absolutePath.prefault('/var/lib/bng'),
};

export const AUDIT = { to: leaf.auditTarget.prefault('stdout') };

export const LOG = {
  level: leaf.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
};

export const QOS = { burstMs: leaf.integer(1, 10_000, 'a whole number of milliseconds').default(100) };

export const DATAPLANE = { pinPath: leaf.pinPath.prefault('/sys/fs/bpf/bng') };

/** The sections themselves; each is read by its own shape. */
export const ROOT = {
  access: z.unknown(),
  core: z.unknown(),
  pools: z.unknown(),
  poolGroups: POOL_GROUPS,
  dhcp: z.unknown(),
  lines: z.unknown(),
  auth: z.unknown(),
  radius: z.unknown(),
  accounting: z.unknown(),
  walledGarden: z.unknown(),
  portal: z.unknown(),
  olt: z.unknown(),
  api: z.unknown(),
  metrics: z.unknown(),
  store: z.unknown(),
  audit: z.unknown(),
  log: z.unknown(),
  qos: z.unknown(),
  dataplane: z.unknown(),
};
