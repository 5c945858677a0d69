/** docs/radius-attributes.md and deploy/freeradius/dictionary.bng say what the code does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { accountingAttributes } from '../../src/aaa/accounting-attributes.js';
import { sessionAttributes, usageAttributes } from '../../src/aaa/accounting-record.js';
import { readCoaRequest } from '../../src/aaa/coa-request.js';
import { RadiusAuthenticator } from '../../src/aaa/radius-authenticator.js';
import type { RadiusRequest } from '../../src/aaa/radius-request.js';
import { sealRequest, AuthenticatorSource } from '../../src/aaa/radius-request.js';
import { parseUserNameFormat } from '../../src/aaa/radius-user-name.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute, BNG_VENDOR } from '../../src/wire/radius-dictionary.js';
import type { RadiusAttribute } from '../../src/wire/radius-kinds.js';
import { decodeRadiusPacket } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { accountingSession, NAS, traffic } from '../support/accounting-world.js';
import { gardenProfile } from '../support/inner-bng.js';

const repository = join(import.meta.dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

const COLUMNS = ['number', 'kind', 'req', 'accept', 'acct', 'coa', 'disc', 'meaning'] as const;
type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

const known: readonly RadiusAttribute<unknown>[] = Object.values(Attribute);

/** The rows of the table of attributes, by name. */
function documented(): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of read('docs/radius-attributes.md').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== COLUMNS.length + 3 || !/^[0-9/]+$/.test(cells[2]!)) continue;
    assert.ok(!rows.has(cells[1]!), `twice: ${cells[1]}`);
    rows.set(
      cells[1]!,
      Object.fromEntries(COLUMNS.map((column, index) => [column, cells[index + 2]!])) as Row,
    );
  }
  return rows;
}

const rows = documented();

function namesWith(column: keyof Row): string[] {
  return [...rows]
    .filter(([, row]) => row[column] !== '')
    .map(([name]) => name)
    .sort();
}

/** The names of the attributes that a request has on the wire. */
function namesOnWire(request: RadiusRequest): Set<string> {
  const seal = { identifier: 1, secret: new RadiusSecret('secret'), delaySeconds: 0 };
  const { attributes } = decodeRadiusPacket(sealRequest(request, seal, new AuthenticatorSource()).bytes);
  return new Set(known.filter((attribute) => attributes.has(attribute)).map(({ name }) => name));
}

test('the document has every attribute of the dictionary with its number and kind, and no other', () => {
  assert.deepEqual(
    Object.fromEntries([...rows].map(([name, { number, kind }]) => [name, `${number} ${kind}`])),
    Object.fromEntries(
      known.map(({ name, vendorId, type, kind }) => [
        name,
        `${vendorId === 0 ? '' : `${vendorId}/`}${type} ${kind.name}`,
      ]),
    ),
  );
});

test('the document says what is in an Access-Request', async () => {
  const sent: RadiusRequest[] = [];
  const authenticator = new RadiusAuthenticator({
    client: {
      exchange: async (request) => {
        sent.push(request);
        return { kind: 'closed' };
      },
    },
    nas: NAS,
    userName: parseUserNameFormat('ont-serial'),
    defaultPool: 'wgar',
    garden: gardenProfile,
    profiles: new Map(),
    onReject: 'refuse',
    onTimeout: 'silence',
  });
  const { line, subscriberId, ontSerial } = accountingSession('ONT1', 0);
  await authenticator.authenticate({ subscriberId, ontSerial, line });
  assert.deepEqual([...namesOnWire(sent[0]!)].sort(), namesWith('req'));
});

test('the document says what is in Accounting-Requests', () => {
  const session = sessionAttributes(accountingSession('ONT1', 0), NAS);
  const usage = usageAttributes({ traffic: traffic(2n ** 40n), durationMs: 1_000 });
  const record = {
    'Acct-Status-Type': 'Stop',
    'Event-Timestamp': 1,
    'Acct-Terminate-Cause': 'User-Request',
    ...session,
    ...usage,
  } as const;
  const attributes = accountingAttributes(record, NAS);
  assert.deepEqual(
    [...namesOnWire({ kind: 'accounting', attributes, happenedWallMs: 0 })].sort(),
    namesWith('acct'),
  );
});

test('the document says what CoA- and Disconnect-Requests may hold', () => {
  const samples = {
    text: 'x',
    octets: Uint8Array.of(1),
    integer: 100,
    ipv4: parseIpv4('192.0.2.1'),
    date: 1_800_000_000,
  };
  const rules = { nasIdentifier: 'x', nasIpAddress: parseIpv4('192.0.2.1'), filters: new Map() };
  for (const [kind, column] of [
    ['CoA', 'coa'],
    ['Disconnect', 'disc'],
  ] as const) {
    const taken = known.filter((attribute) => {
      // Beside one that names a session, so that nothing else is wrong.
      const attributes = new RadiusAttributesBuilder()
        .add(Attribute.AcctSessionId, 'x')
        .add(attribute, samples[attribute.kind.name])
        .build();
      const result = readCoaRequest(kind, attributes, rules);
      return !('cause' in result && result.cause.startsWith('Unsupported'));
    });
    assert.deepEqual(taken.map(({ name }) => name).sort(), namesWith(column), kind);
  }
});

test('dictionary.bng has the attributes of our own, with the kinds of the dictionary', () => {
  const text = read('deploy/freeradius/dictionary.bng');
  const kinds: Readonly<Record<string, string>> = { text: 'string', integer: 'integer' };
  assert.deepEqual(
    [...text.matchAll(/^ATTRIBUTE\s+(\S+)\s+(\d+)\s+(\S+)$/gm)].map((found) => found.slice(1, 4)),
    known
      .filter(({ vendorId }) => vendorId === BNG_VENDOR)
      .map(({ name, type, kind }) => [name, String(type), kinds[kind.name]]),
  );
  assert.match(text, new RegExp(`^VENDOR\\s+Bng\\s+${BNG_VENDOR}$`, 'm'));
});
