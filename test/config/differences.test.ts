/** What a reload may change: a decision for every key, and each difference named with its old and its new value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Config } from '../../src/config/config.js';
import type { WhyKept } from '../../src/config/differences.js';
import { describeDifference, differencesOf } from '../../src/config/differences.js';
import { KEY_CHANGES } from '../../src/config/live-keys.js';
import { parseConfig } from '../../src/config/parse-config.js';
import * as sections from '../../src/config/sections.js';
import { MINIMAL } from './minimal-yaml.js';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
}

/** Every key of the file that holds a value, as the shapes that check it have it. */
function keysOf(schema: JsonSchema, path: string): readonly string[] {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([key, part]) => keysOf(part, `${path}.${key}`));
  }
  if (schema.items?.properties !== undefined) return keysOf(schema.items, `${path}[]`);
  const { additionalProperties: named } = schema;
  return typeof named === 'object' ? keysOf(named, `${path}.*`) : [path];
}

const SECTION_OF: Readonly<Record<Exclude<keyof typeof sections.ROOT, 'poolGroups'>, z.ZodRawShape>> = {
  access: sections.ACCESS,
  core: sections.CORE,
  pools: sections.POOL,
  dhcp: sections.DHCP,
  lines: sections.LINES,
  auth: sections.AUTH,
  radius: sections.RADIUS,
  accounting: sections.ACCOUNTING,
  walledGarden: sections.WALLED_GARDEN,
  portal: sections.PORTAL,
  olt: sections.OLT,
  api: sections.API,
  metrics: sections.METRICS,
  store: sections.STORE,
  audit: sections.AUDIT,
  log: sections.LOG,
  qos: sections.QOS,
  dataplane: sections.DATAPLANE,
};

const jsonSchema = (shape: z.ZodRawShape): JsonSchema =>
  z.toJSONSchema(z.strictObject(shape), { io: 'input' }) as JsonSchema;

const allKeys = [
  ...Object.entries(SECTION_OF).flatMap(([name, shape]) =>
    keysOf(jsonSchema(shape), name === 'pools' ? 'pools[]' : name),
  ),
  ...keysOf(jsonSchema(sections.AUTH_RECORD), 'auth.records[]'),
  ...keysOf(jsonSchema({ poolGroups: sections.POOL_GROUPS }), '').map((key) => key.slice(1)),
].filter((key) => key !== 'auth.records');

const RADIUS = `radius:
  nasIdentifier: bng
  servers: [{ host: 192.0.2.1, secretFile: /a }]
  filters: { slow: { downloadBps: 1 } }
  coa: { clients: [{ host: 192.0.2.1, secretFile: /a }] }
`;
const BASE = MINIMAL.replace('mode: local', 'mode: radius') + RADIUS + 'olt: { vlans: { wgar: 100 } }\n';

function configOf(text: string): Config {
  const result = parseConfig(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

const NOTHING_KEPT = (): null => null;

/** What the differ says of BASE with `from` replaced. */
function changed(from: string | RegExp, to: string, whyKept: WhyKept = NOTHING_KEPT): readonly string[] {
  const text = BASE.replace(from, to);
  assert.notEqual(text, BASE);
  return differencesOf(configOf(BASE), configOf(text), whyKept).map(describeDifference);
}

test('every key of the file has a decision whether it changes live, and no decision is for a key that is not there', () => {
  assert.ok(allKeys.length > 60, String(allKeys.length));
  assert.deepEqual(
    allKeys.filter((key) => !Object.hasOwn(KEY_CHANGES, key)),
    [],
  );
  // Sections that may be left out and items of lists are decided about as a whole, too.
  const isAbove = (path: string): boolean => allKeys.some((key) => key.startsWith(path));
  assert.deepEqual(
    Object.keys(KEY_CHANGES).filter((key) => !allKeys.includes(key) && !isAbove(key)),
    [],
  );
});

test('a configuration does not differ from itself, nor from one with its defaults written out', () => {
  assert.deepEqual(differencesOf(configOf(BASE), configOf(BASE), NOTHING_KEPT), []);
  assert.deepEqual(
    differencesOf(configOf(BASE), configOf(`${BASE}log: { level: info }\n`), NOTHING_KEPT),
    [],
  );
  assert.deepEqual(changed('gateway: 10.0.0.1 }', 'gateway: 10.0.0.1, leaseTime: 24h }'), []);
});

test('what can change live is a difference without a refusal, with the old and the new value', () => {
  assert.deepEqual(changed(/$/, 'log: { level: debug }\n'), ['log.level: info -> debug']);
  assert.deepEqual(changed('{ pool: wgar }', '{ pool: wgar, allow: [203.0.113.0/24:443] }'), [
    'walledGarden.allow: [] -> [203.0.113.0/24:443]',
  ]);
  assert.deepEqual(changed('downloadBps: 1 ', 'downloadBps: 2 '), [
    'radius.filters.slow.downloadBps: 1 -> 2',
  ]);
  assert.deepEqual(
    changed('192.0.2.1, secretFile: /a }]\n  filters', '192.0.2.9, secretFile: /a }]\n  filters'),
    ['radius.servers[0].host: 192.0.2.1 -> 192.0.2.9'],
  );
});

test('an added pool, server or client is told with what it has', () => {
  const pool = '  - { name: new, network: 10.64.0.0/24, gateway: 10.64.0.1, leaseTime: 60s }\n';
  assert.deepEqual(changed('auth:', `${pool}auth:`), [
    'pools[new] added: name new, network 10.64.0.0/24, gateway 10.64.0.1, dns [], leaseTime 60s, exclude [], drain none',
  ]);
  assert.deepEqual(changed('{ wgar: 100 }', '{ wgar: 100, isp: 200 }'), ['olt.vlans.isp added: 200']);
  assert.deepEqual(changed('/a }]\n  filters', '/a }, { host: 192.0.2.2, secretFile: /b }]\n  filters'), [
    'radius.servers[1] added: host 192.0.2.2, authPort 1812, acctPort 1813, secretFile /b, requireMessageAuthenticator true',
  ]);
});

test('a pool that is gone is told with what it had, and refused for as long as it is in use', () => {
  const isp =
    'name isp, network 10.0.0.0/12, gateway 10.0.0.1, dns [], leaseTime 86400s, exclude [], drain none';
  const without = [/ {2}- \{ name: isp.*\n/, ''] as const;
  assert.deepEqual(changed(...without), [`pools[isp] removed: ${isp}`]);
  const whyKept: WhyKept = (path, name) => (path === 'pools[]' && name === 'isp' ? '3 are left' : null);
  assert.deepEqual(changed(...without, whyKept), [`pools[isp] removed: ${isp} (3 are left)`]);
});

test('a pool is drained live, and groups of pools come and go', () => {
  assert.deepEqual(changed('gateway: 10.0.0.1 }', 'gateway: 10.0.0.1, drain: move }'), [
    'pools[isp].drain: none -> move',
  ]);
  const grouped = [/$/, 'poolGroups: { all: [isp] }\n'] as const;
  assert.deepEqual(changed(...grouped), ['poolGroups.all added: [isp]']);
});

test('a pool with another network is refused by its key', () => {
  assert.deepEqual(changed('network: 10.0.0.0/12', 'network: 10.0.0.0/13'), [
    'pools[isp].network: 10.0.0.0/12 -> 10.0.0.0/13 (needs a restart)',
  ]);
});

test('what cannot change live is refused by its key with both values, all of it at once', () => {
  assert.deepEqual(changed(/access0/, 'access9, mtu: 1400'), [
    'access.interface: [access0] -> [access9] (needs a restart)',
    'access.mtu: 1500 -> 1400 (needs a restart)',
  ]);
  assert.deepEqual(changed(/$/, 'store: { mode: memory }\naccounting: { mode: log }\n'), [
    'accounting.mode: radius -> log (needs a restart)',
    'store.mode: durable -> memory (needs a restart)',
    'store.path removed: /var/lib/bng (needs a restart)',
  ]);
  assert.deepEqual(changed(/olt:.*\n/, ''), [
    'olt removed: set (needs a restart)',
    'olt.socket removed: /run/bng/olt.sock (needs a restart)',
    'olt.timeout removed: 3000ms (needs a restart)',
    'olt.vlans.wgar removed: 100',
  ]);
});
