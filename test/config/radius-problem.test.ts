/** One wrong thing in what concerns RADIUS: its section, authentication with it, accounting. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.js';
import { ADDRESS, also, DURATION, ENDPOINT, withLine } from './minimal-yaml.js';

const auth = (rest: string): string => withLine('auth:', `auth: { mode: local, ${rest} }`);
const radius = (entries: string): string => also(`radius: { ${entries} }`);

const radiusWith = (entry: string): string => radius(`servers: [${SERVER}], nasIdentifier: n, ${entry}`);

const USER_NAME = 'ont-serial, circuit-id, remote-id, mac, or a template with one of them in braces';
const POLICY = 'garden or silence or refuse';
const SERVER = '{ host: a, secretFile: /s }';
const A_POOL = 'the name of a pool (wgar, isp)';
const BPS = 'a whole number of bits per second from 0 to 1000000000000';
const PORT = 'a port number from 1 to 65535';

/** Text, path, expected, found, line. */
const TABLE: readonly (readonly [string, string, string, string, number])[] = [
  [
    withLine('auth:', 'auth: { mode: radius, defaultPool: wgar }') + 'store: {}',
    'radius',
    'a mapping, as auth.mode is radius',
    'nothing',
    1,
  ],
  [
    withLine('auth:', 'auth: { mode: radius, defaultPool: wgar, records: [{ ontSerial: A, pool: isp }] }') +
      `store: {}\nradius: { servers: [${SERVER}], nasIdentifier: bng-1 }`,
    'auth.records',
    'no records, as auth.mode is radius',
    'a list',
    6,
  ],
  [
    withLine('auth:', 'auth: { mode: radius, defaultPool: wgar }') +
      `store: { mode: memory }\nradius: { servers: [${SERVER}], nasIdentifier: bng-1 }`,
    'store.mode',
    'durable, as accounting follows auth.mode radius',
    'memory',
    8,
  ],
  [
    also(
      `accounting: { mode: radius }\nstore: { mode: memory }\nradius: { servers: [${SERVER}], nasIdentifier: bng-1 }`,
    ),
    'store.mode',
    'durable, as accounting.mode is radius',
    'memory',
    9,
  ],
  [
    also('accounting: { mode: radius }\nstore: {}'),
    'radius',
    'a mapping, as accounting.mode is radius',
    'nothing',
    1,
  ],
  [also('accounting: { mode: file }'), 'accounting.mode', 'radius or log or none', 'file', 8],
  [
    also('accounting: { queueLimit: 0 }'),
    'accounting.queueLimit',
    'a number of records from 1 to 100000000',
    '0',
    8,
  ],
  [auth('defaultPool: wgar, userName: serial'), 'auth.userName', USER_NAME, 'serial', 6],
  [auth('defaultPool: wgar, userName: "{serial}@isp"'), 'auth.userName', USER_NAME, '{serial}@isp', 6],
  [auth('defaultPool: wgar, userName: "{mac"'), 'auth.userName', USER_NAME, '{mac', 6],
  [auth('defaultPool: wgar, onReject: drop'), 'auth.onReject', POLICY, 'drop', 6],
  [auth('defaultPool: wgar, onTimeout: drop'), 'auth.onTimeout', POLICY, 'drop', 6],
  [radiusWith('nasIpAddress: bng'), 'radius.nasIpAddress', ADDRESS, 'bng', 8],
  [radiusWith('timers: 2s'), 'radius.timers', 'a mapping', '2s', 8],
  [
    radiusWith('timers: { initialRetransmit: 2 }'),
    'radius.timers.initialRetransmit',
    'a duration such as 500ms, 2s or 1m',
    '2',
    8,
  ],
  [
    radiusWith('timers: { initialRetransmit: 20s }'),
    'radius.timers.initialRetransmit',
    'at most maxRetransmit, 16000ms',
    '20000ms',
    8,
  ],
  [
    radiusWith('timers: { deadline: 500ms }'),
    'radius.timers.deadline',
    'at least initialRetransmit, 2000ms',
    '500ms',
    8,
  ],
  [radiusWith('timers: { tries: 1 }'), 'radius.timers.failoverAfter', 'at most tries, 1', '2', 8],
  [
    radiusWith('timers: { tries: 0 }'),
    'radius.timers.tries',
    'a number of transmissions from 1 to 100',
    '0',
    8,
  ],
  [
    radiusWith('timers: { retries: 1 }'),
    'radius.timers.retries',
    'only the keys initialRetransmit, maxRetransmit, tries, deadline, failoverAfter, deadTime',
    'the unknown key retries',
    8,
  ],
  [radiusWith('maxSockets: 0'), 'radius.maxSockets', 'a number of source ports from 1 to 1024', '0', 8],
  [radiusWith('filters: [gold]'), 'radius.filters', 'a mapping of filters', 'a list', 8],
  [radiusWith('filters: { gold: 100M }'), 'radius.filters.gold', 'a mapping', '100M', 8],
  [radiusWith('filters: { gold: { pool: lost } }'), 'radius.filters.gold.pool', A_POOL, 'lost', 8],
  [radiusWith('filters: { gold: { downloadBps: fast } }'), 'radius.filters.gold.downloadBps', BPS, 'fast', 8],
  [
    radiusWith('coa: { listen: 3799, clients: [{ host: 1.1.1.1, secretFile: /s }] }'),
    'radius.coa.listen',
    ENDPOINT,
    '3799',
    8,
  ],
  [
    radiusWith('coa: { clients: [{ host: aaa.example, secretFile: /s }] }'),
    'radius.coa.clients[0].host',
    ADDRESS,
    'aaa.example',
    8,
  ],
  [
    radiusWith('coa: { clients: [{ host: 1.1.1.1, secretFile: /s }, { host: 1.1.1.1, secretFile: /t }] }'),
    'radius.coa.clients[1].host',
    'an address other than that of radius.coa.clients[0], 1.1.1.1',
    '1.1.1.1',
    8,
  ],
  [
    radiusWith('coa: { clients: [{ host: 1.1.1.1, secretFile: /s, allow: [kick] }] }'),
    'radius.coa.clients[0].allow[0]',
    'coa or disconnect',
    'kick',
    8,
  ],
  [
    radiusWith('coa: { clients: [{ host: 1.1.1.1, secretFile: /s }], replayWindow: 300 }'),
    'radius.coa.replayWindow',
    DURATION,
    '300',
    8,
  ],
  [radius('nasIdentifier: n'), 'radius.servers', 'a list of servers', 'nothing', 8],
  [radius('nasIdentifier: n, servers: []'), 'radius.servers', 'at least one server', 'an empty list', 8],
  [
    radius(`servers: [${SERVER}]`),
    'radius.nasIdentifier',
    'a NAS identifier of 1 to 253 printable characters (RFC 2865 §5.32)',
    'nothing',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ secretFile: /s }]'),
    'radius.servers[0].host',
    'an IPv4 address or a host name',
    'nothing',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ host: 10.0.0.256, secretFile: /s }]'),
    'radius.servers[0].host',
    'an IPv4 address or a host name',
    '10.0.0.256',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ host: a }]'),
    'radius.servers[0].secretFile',
    'an absolute path',
    'nothing',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ host: a, secretFile: s }]'),
    'radius.servers[0].secretFile',
    'an absolute path',
    's',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ host: a, secretFile: /s, authPort: 0 }]'),
    'radius.servers[0].authPort',
    PORT,
    '0',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ host: a, secretFile: /s, acctPort: 65536 }]'),
    'radius.servers[0].acctPort',
    PORT,
    '65536',
    8,
  ],
  [
    radius('nasIdentifier: n, servers: [{ host: a, secretFile: /s, secret: x }]'),
    'radius.servers[0].secret',
    'only the keys host, authPort, acctPort, secretFile, requireMessageAuthenticator',
    'the unknown key secret',
    8,
  ],
  [
    radius(`nasIdentifier: n, servers: [${SERVER}], interimInterval: 5`),
    'radius.interimInterval',
    DURATION,
    '5',
    8,
  ],
  [
    radius(`nasIdentifier: n, servers: [${SERVER}], coa: { listen: "1.1.1.1:1" }`),
    'radius.coa.clients',
    'a list of clients',
    'nothing',
    8,
  ],
  [
    radius(`nasIdentifier: n, servers: [${SERVER}], coa: { listen: "1.1.1.1:1", clients: [] }`),
    'radius.coa.clients',
    'at least one client',
    'an empty list',
    8,
  ],
  [
    radius(
      `nasIdentifier: n, servers: [${SERVER}], coa: { listen: "1.1.1.1:1", clients: [{ host: 1.1.1.1 }] }`,
    ),
    'radius.coa.clients[0].secretFile',
    'an absolute path',
    'nothing',
    8,
  ],
];

describe('one wrong thing in what concerns RADIUS is one problem', () => {
  for (const [text, path, expected, found, line] of TABLE) {
    it(`${path}: expected ${expected}, found ${found}`, () => {
      const result = parseConfig(text);
      const message = `${path}: expected ${expected}, found ${found}`;
      assert.deepEqual(result.ok ? [] : result.problems, [{ path, line, expected, found, message }]);
    });
  }
});
