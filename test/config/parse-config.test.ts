import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { parseMac } from '../../src/model/mac.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { walledProfile } from '../../src/config/walled-profile.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { MINIMAL, withLine } from './minimal-yaml.js';

/** Seen from dist/test/config. */
const EXAMPLE = fileURLToPath(new URL('../../../deploy/bng.example.yaml', import.meta.url));

function parsed(text: string): Config {
  const result = parseConfig(text);
  assert.ok(result.ok, result.ok ? '' : result.problems.map((problem) => problem.message).join('\n'));
  return result.config;
}

const RADIUS_DEFAULTS: Config['radius'] = {
  servers: [
    {
      host: '127.0.0.1',
      authPort: 1812,
      acctPort: 1813,
      secretFile: '/etc/bng/radius.secret',
      requireMessageAuthenticator: true,
    },
  ],
  nasIdentifier: 'bng-1',
  nasIpAddress: null,
  timers: {
    initialRetransmitMs: 2_000,
    maxRetransmitMs: 16_000,
    maxTransmissions: 5,
    deadlineMs: 30_000,
    failoverAfter: 2,
    deadMs: 30_000,
  },
  limits: { maxSockets: 64, maxQueued: 10_000 },
  interimIntervalSeconds: 300,
  filters: {},
  coa: null,
};

const COA_DEFAULTS = {
  listen: { address: parseIpv4('127.0.0.1'), port: 3799 },
  clients: [
    {
      address: parseIpv4('127.0.0.1'),
      secretFile: '/etc/bng/radius.secret',
      allow: ['CoA', 'Disconnect'],
    },
  ],
  requireMessageAuthenticator: true,
  requireEventTimestamp: true,
  replayWindowSeconds: 300,
};

describe('a configuration that is right', () => {
  it('takes one interface or a list of them on either side', () => {
    const several = MINIMAL.replace('interface: access0', 'interface: [access0, access1]').replace(
      'interface: core0',
      'interface: [core0, core1]',
    );
    assert.deepEqual(parsed(several).access.interfaces, ['access0', 'access1']);
    assert.deepEqual(parsed(several).core.interfaces, ['core0', 'core1']);
  });

  it('fills in every default', () => {
    assert.deepEqual(parsed(MINIMAL), {
      access: {
        interfaces: ['access0'],
        mtu: 1500,
        xdpMode: 'native',
        vlan: { sVlanTpid: 0x88a8, cVlanTpid: 0x8100 },
        trustOption82: false,
        localForwarding: true,
        forwardInStack: false,
        fastDhcp: true,
        tune: false,
      },
      core: { interfaces: ['core0'] },
      pools: [
        {
          name: 'wgar',
          network: parsePrefix('10.255.0.0/16'),
          gateway: parseIpv4('10.255.0.1'),
          dns: [],
          leaseSeconds: 86_400,
          captivePortal: 'http://10.255.0.1/captive-portal/api',
          exclude: [],
          drain: 'none',
        },
        {
          name: 'isp',
          network: parsePrefix('10.0.0.0/12'),
          gateway: parseIpv4('10.0.0.1'),
          dns: [],
          leaseSeconds: 86_400,
          exclude: [],
          drain: 'none',
        },
      ],
      lines: {
        sessions: null,
        macs: null,
        newMac: 'probe',
        movedMac: 'keep',
        static: [],
        tries: 3,
        waitMs: 500,
        liveness: { action: 'off', intervalSeconds: 300, perSecond: 100 },
      },
      poolGroups: {},
      dhcp: {
        untrustedOption82: 'refuse',
        relays: null,
        services: {},
        probe: true,
        probeWaitMs: 100,
        forceRenew: false,
      },
      auth: {
        mode: 'local',
        defaultPool: 'wgar',
        records: [],
        userName: 'ont-serial',
        onReject: 'garden',
        onTimeout: 'silence',
      },
      radius: null,
      accounting: { mode: 'log', queueLimit: 1_000_000 },
      walledGarden: {
        poolName: 'wgar',
        portal: { address: parseIpv4('10.255.0.1'), port: 80 },
        allow: [],
        dns: null,
      },
      portal: { provider: 'Internet', contact: null, offers: [], templates: null, tls: null },
      olt: null,
      api: {
        listen: { address: parseIpv4('127.0.0.1'), port: 8080 },
        tokenFile: '/etc/bng/api.token',
        socket: '/run/bng/bng.sock',
        tls: null,
        insecure: false,
      },
      metrics: {
        listen: { address: parseIpv4('127.0.0.1'), port: 9090 },
        topTalkers: 10,
        subscribers: false,
      },
      store: { path: '/var/lib/bng' },
      audit: { to: 'stdout' },
      log: { level: 'info' },
      qos: { burstMs: 100 },
      dataplane: { pinPath: '/sys/fs/bpf/bng' },
    });
  });

  it('reads offers with their texts, and names the captive portal API by the portal or as told', () => {
    const offered = `${MINIMAL}portal:
  provider: Example Net
  contact: { en: Call us, de: Rufen Sie an }
  templates: /etc/bng/portal
  offers:
    - { serviceId: home, pool: isp, downloadBps: 1000, name: { en: Home, de: Zuhause } }
`;
    const { portal, pools } = parsed(offered);
    assert.deepEqual(portal, {
      provider: 'Example Net',
      contact: { en: 'Call us', de: 'Rufen Sie an' },
      templates: '/etc/bng/portal',
      tls: null,
      offers: [
        {
          serviceId: 'home',
          poolName: 'isp',
          downloadBitsPerSecond: 1000,
          uploadBitsPerSecond: 0,
          name: { en: 'Home', de: 'Zuhause' },
          description: null,
        },
      ],
    });
    assert.equal(pools[1]?.captivePortal, undefined);
    const elsewhere = MINIMAL.replace('{ pool: wgar }', '{ pool: wgar, portal: 10.255.0.1:8000 }');
    assert.equal(parsed(elsewhere).pools[0]?.captivePortal, 'http://10.255.0.1:8000/captive-portal/api');
    const tls = '{ certFile: /c, keyFile: /k }';
    const served = `${MINIMAL}portal: { captiveApi: "https://p.example:80/captive-portal/api", tls: ${tls} }\n`;
    assert.deepEqual(parsed(served).portal.tls, { certFile: '/c', keyFile: '/k', host: 'p.example:80' });
    for (const wrong of [
      'https://p.example/captive-portal/api',
      'http://p.example:80/captive-portal/api',
      'https://p.example:80/api',
    ]) {
      const result = parseConfig(served.replace('https://p.example:80/captive-portal/api', wrong));
      assert.ok(!result.ok && result.problems[0]?.path === 'portal.captiveApi', wrong);
    }
    const told = `${MINIMAL}portal: { captiveApi: "https://portal.example/api" }\n`;
    assert.equal(parsed(told).pools[0]?.captivePortal, 'https://portal.example/api');
  });

  it('takes the name of a group wherever that of a pool may stand; for a relay it is all of its pools', () => {
    const grouped =
      MINIMAL.replace('defaultPool: wgar', 'defaultPool: home').replace(
        'access0',
        'access0, trustOption82: true',
      ) +
      'poolGroups: { home: [isp] }\ndhcp: { relays: [{ host: 10.9.0.1, pools: [home, isp, wgar] }] }\nolt: { vlans: { home: 7 } }\n';
    const { auth, dhcp, olt, poolGroups } = parsed(grouped);
    assert.deepEqual([auth.defaultPool, olt?.vlans], ['home', { home: 7 }]);
    assert.deepEqual(poolGroups, { home: ['isp'] });
    assert.deepEqual(dhcp.relays?.[0]?.pools, ['isp', 'wgar']);
  });

  it('reads the example that is delivered', () => {
    const result = loadConfig(EXAMPLE);
    assert.ok(result.ok, result.ok ? '' : result.problems.map((problem) => problem.message).join('\n'));
    const { config } = result;
    assert.deepEqual(
      config.pools.map((pool) => [pool.name, pool.leaseSeconds]),
      [
        ['wgar', 600],
        ['isp-residential', 86_400],
        ['isp-business', 604_800],
      ],
    );
    assert.deepEqual(config.pools[1]!.exclude, [
      { first: parseIpv4('10.0.0.2'), last: parseIpv4('10.0.0.10') },
      { first: parseIpv4('10.0.0.53'), last: parseIpv4('10.0.0.53') },
    ]);
    assert.deepEqual(config.walledGarden.allow, [
      { prefix: parsePrefix('203.0.113.10/32'), port: null },
      { prefix: parsePrefix('203.0.113.0/24'), port: 443 },
    ]);
    assert.deepEqual(config.auth.records, [
      {
        ontSerial: 'ALCL00000001',
        poolName: 'isp-business',
        serviceId: 'business-1000',
        downloadBitsPerSecond: 1e9,
        uploadBitsPerSecond: 5e8,
      },
    ]);
    assert.deepEqual(config.olt, {
      socket: '/run/bng/olt.sock',
      timeoutMs: 3_000,
      vlans: { wgar: 100, 'isp-residential': 200, 'isp-business': 300 },
    });
  });

  it('reads the settings that the example has commented out, and they are the defaults where it says so', () => {
    const example = readFileSync(EXAMPLE, 'utf8');
    const everything = example.replace(/^( *)#(?=  |[a-zA-Z])/gm, '$1');
    for (const setting of [
      'cVlanTpid',
      'localForwarding',
      'userName',
      'radius',
      'accounting',
      'socket',
      'tls',
      'insecure',
      'log',
      'qos',
      'dataplane',
    ]) {
      assert.match(everything, new RegExp(`^ *${setting}:`, 'm'));
    }
    const [before, after] = [parsed(example), parsed(everything)];
    assert.deepEqual(after.api.tls, { certFile: '/etc/bng/api.crt', keyFile: '/etc/bng/api.key' });
    assert.deepEqual(
      after.portal.offers.map(({ serviceId }) => serviceId),
      ['home-100'],
    );
    assert.equal(after.pools[0]?.captivePortal, 'https://portal.example.net:80/captive-portal/api');
    assert.deepEqual(after.walledGarden.dns, {
      names: [
        { name: 'pay.example.com', below: false, port: 443 },
        { name: 'help.example.net', below: true, port: null },
      ],
      upstream: [{ address: parseIpv4('192.0.2.53'), port: 53 }],
    });
    assert.deepEqual(after.pools[0]?.dns, [after.pools[0]?.gateway]);
    assert.deepEqual(after.dhcp.relays, [
      { address: parseIpv4('10.255.0.2'), pools: ['wgar', 'isp-residential'], leasequery: true },
    ]);
    assert.deepEqual(after.dhcp.services['business-1000']?.[0], {
      code: 42,
      type: 'addresses',
      value: [parseIpv4('192.0.2.123')],
    });
    assert.deepEqual([after.pools[0]?.renewSeconds, after.pools[0]?.rebindSeconds], [300, 525]);
    assert.deepEqual(after.lines.static, [parsePrefix('10.0.0.53/32')]);
    assert.deepEqual(
      [after.auth.records[0]?.address, after.auth.records[0]?.mac],
      [parseIpv4('10.16.0.53'), parseMac('02:00:00:00:00:53')],
    );
    assert.deepEqual(after.poolGroups, { residential: ['isp-residential', 'isp-business'] });
    const { portal, pools, poolGroups, walledGarden, auth } = before;
    const lines = { ...after.lines, sessions: null, macs: null, static: [] };
    const dhcp = { ...after.dhcp, relays: null, services: {} };
    const others = {
      radius: null,
      api: { ...after.api, tls: null },
      portal,
      pools,
      poolGroups,
      walledGarden,
      dhcp,
      auth,
      lines,
    };
    assert.deepEqual({ ...after, ...others }, before);
    assert.deepEqual(after.radius, {
      ...RADIUS_DEFAULTS,
      nasIpAddress: parseIpv4('192.0.2.1'),
      filters: {
        'home-100': {
          poolName: 'isp-residential',
          serviceId: 'home-100',
          downloadBitsPerSecond: 1e8,
          uploadBitsPerSecond: 2e7,
        },
        slow: { poolName: null, serviceId: 'slow', downloadBitsPerSecond: 1e6, uploadBitsPerSecond: 1e6 },
      },
      coa: COA_DEFAULTS,
    });
  });

  it('has no store where its mode is memory', () => {
    assert.equal(parsed(`${MINIMAL}store: { mode: memory }\n`).store, null);
  });

  it('fills in the defaults of RADIUS, and lets accounting follow authentication', () => {
    const text =
      withLine('auth:', 'auth: { mode: radius, defaultPool: wgar }') +
      `store: {}
radius: { servers: [{ host: 127.0.0.1, secretFile: /etc/bng/radius.secret }], nasIdentifier: bng-1 }
`;
    const config = parsed(text);
    assert.deepEqual(config.radius, RADIUS_DEFAULTS);
    assert.equal(config.accounting.mode, 'radius');
    const coa = 'coa: { clients: [{ host: 127.0.0.1, secretFile: /etc/bng/radius.secret }] }';
    assert.deepEqual(parsed(text.replace('bng-1 }', `bng-1, ${coa} }`)).radius?.coa, COA_DEFAULTS);
    assert.equal(parsed(`${text}accounting: { mode: none }`).accounting.mode, 'none');
  });

  it('reads what is said of RADIUS', () => {
    const config = parsed(
      withLine(
        'auth:',
        'auth: { mode: radius, defaultPool: wgar, userName: "{remote-id}@isp", onReject: refuse, onTimeout: garden }',
      ) +
        `accounting: { mode: log, queueLimit: 5 }
radius:
  servers: [{ host: aaa.example, authPort: 1, acctPort: 2, secretFile: /s, requireMessageAuthenticator: false }]
  nasIdentifier: bng-1
  timers: { initialRetransmit: 100ms, maxRetransmit: 1s, tries: 3, deadline: 1m, failoverAfter: 1, deadTime: 1h }
  maxSockets: 2
  maxQueued: 7
  coa:
    listen: 0.0.0.0:0
    clients: [{ host: 192.0.2.7, secretFile: /t, allow: [disconnect] }]
    requireMessageAuthenticator: false
    requireEventTimestamp: false
    replayWindow: 10s
`,
    );
    const { userName, onReject, onTimeout } = config.auth;
    assert.deepEqual([userName, onReject, onTimeout], ['{remote-id}@isp', 'refuse', 'garden']);
    assert.deepEqual(config.accounting, { mode: 'log', queueLimit: 5 });
    assert.deepEqual(config.radius?.servers, [
      {
        host: 'aaa.example',
        authPort: 1,
        acctPort: 2,
        secretFile: '/s',
        requireMessageAuthenticator: false,
      },
    ]);
    assert.deepEqual(config.radius?.timers, {
      initialRetransmitMs: 100,
      maxRetransmitMs: 1_000,
      maxTransmissions: 3,
      deadlineMs: 60_000,
      failoverAfter: 1,
      deadMs: 3_600_000,
    });
    assert.deepEqual(config.radius?.limits, { maxSockets: 2, maxQueued: 7 });
    assert.deepEqual(config.radius?.coa, {
      listen: { address: 0, port: 0 },
      clients: [{ address: parseIpv4('192.0.2.7'), secretFile: '/t', allow: ['Disconnect'] }],
      requireMessageAuthenticator: false,
      requireEventTimestamp: false,
      replayWindowSeconds: 10,
    });
  });

  it('lets a record without service id, rates and the garden as pool be', () => {
    const config = parsed(
      withLine(
        'auth:',
        'auth: { mode: local, defaultPool: isp, records: [{ ontSerial: ONT1, pool: wgar }] }',
      ),
    );
    assert.deepEqual(config.auth.records, [
      {
        ontSerial: 'ONT1',
        poolName: 'wgar',
        serviceId: 'wgar',
        downloadBitsPerSecond: 0,
        uploadBitsPerSecond: 0,
      },
    ]);
  });

  it('lets the API listen beyond the loopback with TLS, or when told that none is wanted', () => {
    const metrics = 'metrics: { listen: 127.0.0.1:0 }';
    const open = parsed(`${MINIMAL}api: { listen: "0.0.0.0:0", insecure: true }\n${metrics}\n`);
    assert.deepEqual(open.api.listen, { address: 0, port: 0 });
    const tls = { certFile: '/etc/bng/api.crt', keyFile: '/etc/bng/api.key' };
    const closed = parsed(
      `${MINIMAL}api: { listen: "0.0.0.0:0", tls: ${JSON.stringify(tls)} }\n${metrics}\n`,
    );
    assert.deepEqual(closed.api.tls, tls);
  });

  it('takes a /31 whose gateway is either address', () => {
    const config = parsed(
      withLine('  - { name: isp', '  - { name: isp, network: 10.0.0.0/31, gateway: 10.0.0.0 }'),
    );
    assert.equal(config.pools[1]!.gateway, parseIpv4('10.0.0.0'));
  });

  it('follows YAML aliases', () => {
    const config = parsed(
      MINIMAL.replace('gateway: 10.255.0.1 }', 'gateway: 10.255.0.1, dns: &dns [1.1.1.1] }').replace(
        'gateway: 10.0.0.1 }',
        'gateway: 10.0.0.1, dns: *dns }',
      ),
    );
    assert.deepEqual(config.pools[1]!.dns, [parseIpv4('1.1.1.1')]);
  });

  it('is frozen to its depths', () => {
    const config = parsed(readFileSync(EXAMPLE, 'utf8'));
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      assert.ok(Object.isFrozen(value), path);
      for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`);
    };
    visit(config, 'config');
  });

  it('implies the profile of the walled garden', () => {
    assert.deepEqual(walledProfile(parsed(MINIMAL)), {
      serviceId: 'wgar',
      poolName: 'wgar',
      walled: true,
      downloadBitsPerSecond: 0,
      uploadBitsPerSecond: 0,
    });
  });
});

describe('loading', () => {
  it('parses the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bng-config-'));
    try {
      writeFileSync(join(folder, 'bng.yaml'), MINIMAL);
      assert.deepEqual(loadConfig(join(folder, 'bng.yaml')), parseConfig(MINIMAL));
      const missing = loadConfig(join(folder, 'none.yaml'));
      assert.ok(!missing.ok);
      assert.equal(missing.problems.length, 1);
      assert.match(missing.problems[0]!.message, /^expected a readable file, found ENOENT.*none\.yaml/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
