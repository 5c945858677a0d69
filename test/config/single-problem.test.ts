import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.js';
import { LEASE_OPTION } from '../../src/config/lease-option.js';
import type { ConfigProblem } from '../../src/config/problem.js';
import type { ProblemRow } from './garden-rows.js';
import { A_POOL, GARDEN_ROWS, POOL_NAME } from './garden-rows.js';
import { also, DURATION, ENDPOINT, isp, NET, withLine } from './minimal-yaml.js';
import { POOL_ROWS } from './pool-rows.js';

function problemsOf(text: string): readonly ConfigProblem[] {
  const result = parseConfig(text);
  return result.ok ? [] : result.problems;
}

const access = (rest: string): string => withLine('access:', `access: { interface: access0, ${rest} }`);
const auth = (rest: string): string => withLine('auth:', `auth: { mode: local, ${rest} }`);
const records = (list: string): string => auth(`defaultPool: wgar, records: ${list}`);
const WEB_ADDRESS = 'an http:// or https:// address of at most 255 characters';
const PAGE_TEXT = 'a text of 1 to 300 characters on one line';
const OFFER = 'serviceId: home, name: { en: Home, de: Zuhause }';

const trusting = (line: string): string => access('trustOption82: true') + line;
const SHORT_DURATION = 'a duration such as 500ms, 2s or 1m';
const SERIAL = 'an ONT serial as text of 1 to 64 printable characters (in quotes when it is all digits)';
const INTERFACE = 'the name of a network interface (1 to 15 characters)';
const BPS = 'a whole number of bits per second from 0 to 1000000000000';
const FLAG = 'true or false';

/** What one wrong thing in an otherwise right file is answered with: text, path, expected, found, line. */
const TABLE: readonly ProblemRow[] = [
  // sections and keys
  [withLine('core:', ''), 'core.interface', INTERFACE, 'nothing', 1],
  [withLine('core:', 'core:'), 'core', 'a mapping', 'nothing', 2],
  [withLine('core:', 'core: [core0]'), 'core', 'a mapping', 'a list', 2],
  [withLine('core:', 'core: core0'), 'core', 'a mapping', 'core0', 2],
  [withLine('core:', 'core: {}'), 'core.interface', INTERFACE, 'nothing', 2],
  [
    withLine('core:', 'core: { interface: core0, mtu: 9000 }'),
    'core.mtu',
    'only the keys interface',
    'the unknown key mtu',
    2,
  ],
  [
    also('ntp: {}'),
    'ntp',
    'only the keys access, core, pools, poolGroups, dhcp, lines, auth, radius, accounting, walledGarden, portal, olt, api, metrics, store, audit, log, qos, dataplane',
    'the unknown key ntp',
    8,
  ],
  // access and core
  [
    withLine('access:', 'access: { interface: an-interface-0000 }'),
    'access.interface',
    INTERFACE,
    'an-interface-0000',
    1,
  ],
  [withLine('access:', 'access: { interface: "a b" }'), 'access.interface', INTERFACE, 'a b', 1],
  [withLine('access:', 'access: { interface: "" }'), 'access.interface', INTERFACE, 'an empty text', 1],
  [withLine('access:', 'access: { interface: .. }'), 'access.interface', INTERFACE, '..', 1],
  [withLine('access:', 'access: { interface: 7 }'), 'access.interface', INTERFACE, '7', 1],
  [
    withLine('core:', 'core: { interface: access0 }'),
    'core.interface',
    'an interface other than access.interface',
    'access0',
    2,
  ],
  [
    withLine('core:', 'core: { interface: [core0, core1, core0] }'),
    'core.interface[2]',
    'an interface other than core.interface[0]',
    'core0',
    2,
  ],
  [
    withLine('core:', 'core: { interface: [core0, access0] }'),
    'core.interface[1]',
    'an interface other than access.interface',
    'access0',
    2,
  ],
  [
    withLine('access:', 'access: { interface: [access0, access0] }'),
    'access.interface[1]',
    'an interface other than access.interface[0]',
    'access0',
    1,
  ],
  [withLine('access:', 'access: { interface: [access0, 7] }'), 'access.interface[1]', INTERFACE, '7', 1],
  [
    withLine('access:', 'access: { interface: [] }'),
    'access.interface',
    '1 to 16 interfaces',
    'an empty list',
    1,
  ],
  [access('mtu: 100'), 'access.mtu', 'a number of bytes from 576 to 9000', '100', 1],
  [access('xdpMode: fast'), 'access.xdpMode', 'native or generic', 'fast', 1],
  [access('vlan: 100'), 'access.vlan', 'a mapping', '100', 1],
  [access('vlan: { sVlanTpid: 0x9100 }'), 'access.vlan.sVlanTpid', '0x88a8 or 0x8100', '0x9100', 1],
  [access('vlan: { cVlanTpid: 0x88a8 }'), 'access.vlan.cVlanTpid', '0x8100', '0x88a8', 1],
  [
    access('vlan: { tpid: 1 }'),
    'access.vlan.tpid',
    'only the keys sVlanTpid, cVlanTpid',
    'the unknown key tpid',
    1,
  ],
  [access('trustOption82: yes'), 'access.trustOption82', FLAG, 'yes', 1],
  [access('localForwarding: 1'), 'access.localForwarding', FLAG, '1', 1],
  [isp(`name: isp, ${NET}, renewTime: 0s`), 'pools[1].renewTime', DURATION, '0s', 5],
  ...(
    [
      ['renewTime: 90s', 'renewTime', 'less than the rebindTime of 87s', '90s'],
      ['rebindTime: 40s', 'rebindTime', 'more than the renewTime of 50s', '40s'],
      ['rebindTime: 100s', 'rebindTime', 'less than the leaseTime of 100s', '100s'],
    ] as const
  ).map(
    ([entry, key, expected, found]) =>
      [isp(`name: isp, ${NET}, leaseTime: 100s, ${entry}`), `pools[1].${key}`, expected, found, 5] as const,
  ),
  [isp(`name: isp, ${NET}, options: 15`), 'pools[1].options', 'a list of options', '15', 5],
  ...[
    '15',
    '15 words a',
    '6 addresses 192.0.2.1',
    '255 text a',
    '42 addresses 192.0.2',
    '26 u16 65536',
    '43 hex 1',
    '121 routes 10.0.0.0/8',
  ].map(
    (line) =>
      [isp(`name: isp, ${NET}, options: ["${line}"]`), 'pools[1].options[0]', LEASE_OPTION, line, 5] as const,
  ),
  [
    isp(`name: isp, ${NET}, options: ['15 text a', '15 text b']`),
    'pools[1].options',
    'each option once',
    'a list',
    5,
  ],
  // lines
  [also('lines: { sessions: 0 }'), 'lines.sessions', 'a number of sessions from 1 to 131072', '0', 8],
  [also('lines: { macs: many }'), 'lines.macs', 'a number of stations from 1 to 65535', 'many', 8],
  [also('lines: { newMac: ask }'), 'lines.newMac', 'probe or replace or refuse', 'ask', 8],
  [also('lines: { movedMac: close }'), 'lines.movedMac', 'keep or probe', 'close', 8],
  [
    also('lines: { static: [10.0.0.1/24] }'),
    'lines.static[0]',
    'an IPv4 prefix without host bits such as 10.0.0.0/12',
    '10.0.0.1/24',
    8,
  ],
  [
    also('lines: { static: [192.0.2.0/24] }'),
    'lines.static[0]',
    'a network that one range in the exclude of a pool other than the garden’s covers',
    '192.0.2.0/24',
    8,
  ],
  [also('lines: { wait: 1 }'), 'lines.wait', SHORT_DURATION, '1', 8],
  [
    also('lines: { liveness: { action: drop } }'),
    'lines.liveness.action',
    'off or report or close',
    'drop',
    8,
  ],
  // dhcp
  [also('dhcp: { probe: 1 }'), 'dhcp.probe', FLAG, '1', 8],
  [also('dhcp: { untrustedOption82: drop }'), 'dhcp.untrustedOption82', 'refuse or replace', 'drop', 8],
  [
    also('dhcp: { relays: [{ host: 10.255.0.2 }] }'),
    'dhcp.relays',
    'no relays, as access.trustOption82 is false',
    'a list',
    8,
  ],
  [
    trusting('dhcp: { relays: [{ host: 10.255.0.2 }, { host: 10.255.0.2 }] }'),
    'dhcp.relays[1].host',
    'another host than that of dhcp.relays[0]',
    '10.255.0.2',
    8,
  ],
  [
    trusting('dhcp: { relays: [{ host: 10.255.0.2, pools: [lost] }] }'),
    'dhcp.relays[0].pools[0]',
    A_POOL,
    'lost',
    8,
  ],
  [also("dhcp: { services: { home: ['1 u8 1'] } }"), 'dhcp.services.home[0]', LEASE_OPTION, '1 u8 1', 8],
  ...POOL_ROWS,
  // auth
  [withLine('auth:', 'auth: { defaultPool: wgar }'), 'auth.mode', 'local or radius', 'nothing', 6],
  [withLine('auth:', 'auth: { mode: none, defaultPool: wgar }'), 'auth.mode', 'local or radius', 'none', 6],
  [auth(''), 'auth.defaultPool', POOL_NAME, 'nothing', 6],
  [auth('defaultPool: lost'), 'auth.defaultPool', A_POOL, 'lost', 6],
  [records('none'), 'auth.records', 'a list of records', 'none', 6],
  [records(''), 'auth.records', 'a list of records', 'nothing', 6],
  [records('[ONT1]'), 'auth.records[0]', 'a mapping', 'ONT1', 6],
  [records('[{ pool: isp }]'), 'auth.records[0].ontSerial', SERIAL, 'nothing', 6],
  [
    records('[{ ontSerial: 00001234567890123456, pool: isp }]'),
    'auth.records[0].ontSerial',
    SERIAL,
    '00001234567890123456',
    6,
  ],
  [records('[{ ontSerial: "A B", pool: isp }]'), 'auth.records[0].ontSerial', SERIAL, 'A B', 6],
  [records('[{ ontSerial: ONT1 }]'), 'auth.records[0].pool', POOL_NAME, 'nothing', 6],
  [records('[{ ontSerial: ONT1, pool: lost }]'), 'auth.records[0].pool', A_POOL, 'lost', 6],
  [
    records('[{ ontSerial: ONT1, pool: isp, serviceId: "" }]'),
    'auth.records[0].serviceId',
    'a service id of 1 to 64 printable characters',
    'an empty text',
    6,
  ],
  [
    records('[{ ontSerial: ONT1, pool: isp, downloadBps: 100M }]'),
    'auth.records[0].downloadBps',
    BPS,
    '100M',
    6,
  ],
  [records('[{ ontSerial: ONT1, pool: isp, uploadBps: -1 }]'), 'auth.records[0].uploadBps', BPS, '-1', 6],
  [records('[{ ontSerial: ONT1, pool: isp, uploadBps: 0.5 }]'), 'auth.records[0].uploadBps', BPS, '0.5', 6],
  [
    records(
      '[{ ontSerial: ONT1, pool: isp }, { ontSerial: ONT2, pool: isp }, { ontSerial: ONT1, pool: wgar }]',
    ),
    'auth.records[2].ontSerial',
    'a serial other than that of auth.records[0]',
    'ONT1',
    6,
  ],
  [
    records('[{ ontSerial: ONT1, pool: isp, rate: 1 }]'),
    'auth.records[0].rate',
    'only the keys ontSerial, pool, address, mac, serviceId, downloadBps, uploadBps',
    'the unknown key rate',
    6,
  ],
  ...GARDEN_ROWS,
  // olt
  [also('olt: {}'), 'olt.vlans', 'a mapping of pool names to S-VLANs', 'nothing', 8],
  [
    also('olt: { socket: olt.sock, vlans: {} }'),
    'olt.socket',
    'an absolute path of at most 107 bytes',
    'olt.sock',
    8,
  ],
  [
    also(`olt: { socket: /${'x'.repeat(107)}, vlans: {} }`),
    'olt.socket',
    'an absolute path of at most 107 bytes',
    `/${'x'.repeat(76)}...`,
    8,
  ],
  [also('olt: { timeout: 3, vlans: {} }'), 'olt.timeout', SHORT_DURATION, '3', 8],
  [also('olt: { timeout: 0s, vlans: {} }'), 'olt.timeout', SHORT_DURATION, '0s', 8],
  [also('olt: { vlans: { wgar: 4095 } }'), 'olt.vlans.wgar', 'a VLAN id from 1 to 4094', '4095', 8],
  [also('olt: { vlans: { wgar: 0 } }'), 'olt.vlans.wgar', 'a VLAN id from 1 to 4094', '0', 8],
  [also('olt:\n  vlans:\n    wgar: 100\n    lost: 200'), 'olt.vlans.lost', A_POOL, 'lost', 11],
  // portal
  [also('portal: { captiveApi: portal.example }'), 'portal.captiveApi', WEB_ADDRESS, 'portal.example', 8],
  [also('portal: { templates: mine }'), 'portal.templates', 'an absolute path', 'mine', 8],
  [also('portal: { contact: { en: Call } }'), 'portal.contact.de', PAGE_TEXT, 'nothing', 8],
  [also('portal: { offers: home }'), 'portal.offers', 'a list of offers', 'home', 8],
  [also(`portal: { offers: [{ ${OFFER}, pool: lost }] }`), 'portal.offers[0].pool', A_POOL, 'lost', 8],
  [
    also(`portal: { offers: [{ ${OFFER}, pool: wgar }] }`),
    'portal.offers[0].pool',
    'a pool other than the garden’s',
    'wgar',
    8,
  ],
  [
    also(`portal: { offers: [{ ${OFFER}, pool: isp }, { ${OFFER}, pool: isp }] }`),
    'portal.offers[1].serviceId',
    'a service id other than that of portal.offers[0]',
    'home',
    8,
  ],
  // listeners, files, words and numbers
  [also('api: { listen: 8080 }'), 'api.listen', ENDPOINT, '8080', 8],
  [also('api: { listen: "localhost:8080" }'), 'api.listen', ENDPOINT, 'localhost:8080', 8],
  [also('api: { listen: "127.0.0.1:65536" }'), 'api.listen', ENDPOINT, '127.0.0.1:65536', 8],
  [also('api: { listen: "127.0.0.1:080" }'), 'api.listen', ENDPOINT, '127.0.0.1:080', 8],
  [also('api: { listen: "127.0.0.1:80:80" }'), 'api.listen', ENDPOINT, '127.0.0.1:80:80', 8],
  [
    also('api: { listen: "0.0.0.0:8080" }'),
    'api.listen',
    'a loopback address, or api.tls, or api.insecure: true',
    '0.0.0.0:8080',
    8,
  ],
  [
    also('api: { listen: "192.0.2.1:8080" }'),
    'api.listen',
    'a loopback address, or api.tls, or api.insecure: true',
    '192.0.2.1:8080',
    8,
  ],
  [also('api: { insecure: maybe }'), 'api.insecure', FLAG, 'maybe', 8],
  [also('api: { socket: bng.sock }'), 'api.socket', 'an absolute path of at most 107 bytes', 'bng.sock', 8],
  [also('api: { tls: { certFile: /c } }'), 'api.tls.keyFile', 'an absolute path', 'nothing', 8],
  [also('audit: { to: audit.log }'), 'audit.to', 'stdout, stderr or an absolute path', 'audit.log', 8],
  [also('api: { tokenFile: token }'), 'api.tokenFile', 'an absolute path', 'token', 8],
  [
    also('api: { token: hunter2 }'),
    'api.token',
    'only the keys listen, tokenFile, socket, tls, insecure',
    'the unknown key token',
    8,
  ],
  [also('metrics: { listen: 9090 }'), 'metrics.listen', ENDPOINT, '9090', 8],
  [
    also('metrics: { listen: 127.0.0.1:8080 }'),
    'metrics.listen',
    'another address or port than api.listen',
    '127.0.0.1:8080',
    8,
  ],
  [
    also('metrics: { listen: 0.0.0.0:8080 }'),
    'metrics.listen',
    'another address or port than api.listen',
    '0.0.0.0:8080',
    8,
  ],
  [also('store: { path: bng }'), 'store.path', 'an absolute path', 'bng', 8],
  [
    also('log: { level: loud }'),
    'log.level',
    'trace or debug or info or warn or error or fatal or silent',
    'loud',
    8,
  ],
  [
    also('dataplane: { pinPath: /sys/fs/bpf/b.ng }'),
    'dataplane.pinPath',
    'an absolute path below /, without dots',
    '/sys/fs/bpf/b.ng',
    8,
  ],
  [also('qos: { burstMs: 0 }'), 'qos.burstMs', 'a whole number of milliseconds from 1 to 10000', '0', 8],
  [
    also('qos: { burstMs: 100ms }'),
    'qos.burstMs',
    'a whole number of milliseconds from 1 to 10000',
    '100ms',
    8,
  ],
];

describe('one wrong thing in a configuration is one problem', () => {
  for (const [text, path, expected, found, line] of TABLE) {
    it(`${path}: expected ${expected}, found ${found}`, () => {
      const message = `${path}: expected ${expected}, found ${found}`;
      assert.deepEqual(problemsOf(text), [{ path, line, expected, found, message }]);
    });
  }
});
