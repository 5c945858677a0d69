/** The audit log: who ordered what, with which result, and where it is written. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditLog } from '../../src/audit-log.js';
import { buildApi } from '../../src/http/api.js';
import type { ApiOptions } from '../../src/http/api-options.js';
import { openLog } from '../../src/log-events.js';
import type { AuditEntry } from '../../src/model/audit.js';
import { apiOptions, FakeBng, makeSession } from './fake-bng.js';

const ONT = 'AUDIT0000001';
const suspend = {
  method: 'POST',
  url: '/api/v1/suspend',
  payload: { ont_serial: ONT, reason: 'unpaid' },
} as const;

function api(more: Partial<ApiOptions>): {
  readonly app: ReturnType<typeof buildApi>;
  readonly told: AuditEntry[];
  readonly bng: FakeBng;
} {
  const bng = new FakeBng();
  const told: AuditEntry[] = [];
  bng.list.push(makeSession({ ontSerial: ONT, state: 'active' }));
  return { app: buildApi(apiOptions(bng, { audit: (entry) => told.push(entry), ...more })), told, bng };
}

test('an order over the unix socket is in the audit log, with the session before and after', async () => {
  const { app, told } = api({ isLocal: true });
  assert.equal((await app.inject(suspend)).statusCode, 200);
  const [entry] = told;
  assert.deepEqual(entry?.actor, { via: 'socket', name: 'root', address: null });
  assert.equal(entry?.action, 'suspend');
  assert.deepEqual(entry?.order, { ont_serial: ONT, reason: 'unpaid' });
  assert.equal((entry?.before as { ont: string }).ont, ONT);
  assert.equal((entry?.after as { ont: string }).ont, ONT);
  assert.deepEqual([entry?.result, entry?.reason, told.length], ['done', null, 1]);
});

test('an order over HTTP names the token and the client; a refused one says why', async () => {
  const { app, told, bng } = api({ token: 'right', tokenName: 'billing.token' });
  bng.list.length = 0;
  const headers = { authorization: 'Bearer right' };
  const answer = await app.inject({ ...suspend, headers });
  assert.equal(answer.statusCode, 404);
  assert.deepEqual(told[0]?.actor, { via: 'http', name: 'billing.token', address: '127.0.0.1' });
  assert.deepEqual([told[0]?.result, told[0]?.before, told[0]?.after], ['refused', null, null]);
  assert.equal(told[0]?.reason, answer.json<{ detail: string }>().detail);
  assert.ok(!JSON.stringify(told).includes('right'));
});

test('what is not admitted, and what only reads, is not in it', async () => {
  const { app, told } = api({ token: 'right' });
  const headers = { authorization: 'Bearer right' };
  assert.equal((await app.inject(suspend)).statusCode, 401);
  assert.equal((await app.inject({ url: '/api/v1/sessions', headers })).statusCode, 200);
  assert.equal((await app.inject({ ...suspend, headers, payload: {} })).statusCode, 400);
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/nothing', headers })).statusCode, 404);
  assert.deepEqual(told, []);
});

test('draining tells the state of the BNG before and after', async () => {
  const { app, told } = api({ isLocal: true });
  await app.inject({ method: 'POST', url: '/api/v1/drain', payload: { draining: true } });
  assert.deepEqual([told[0]?.before, told[0]?.after], [{ draining: false }, { draining: true }]);
});

const ENTRY: AuditEntry = {
  actor: { via: 'signal', name: 'SIGHUP', address: null },
  action: 'reload',
  order: {},
  before: null,
  after: null,
  result: 'done',
  reason: null,
};

test('a file of its own is for its owner only, and is made again after it was renamed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'confdoc-audit-'));
  try {
    const to = join(folder, 'log', 'audit.log');
    const failures: string[] = [];
    const audit = openAuditLog({ to, wallMs: () => 0, onFailure: (reason) => failures.push(reason) });
    assert.equal(statSync(to).mode & 0o777, 0o600);
    audit(ENTRY);
    renameSync(to, `${to}.1`);
    audit(ENTRY);
    const line = { time: '1970-01-01T00:00:00.000Z', event: 'audit', ...ENTRY };
    for (const path of [to, `${to}.1`]) assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), line);
    rmSync(join(folder, 'log'), { recursive: true });
    audit(ENTRY);
    assert.equal(failures.length, 1);
    assert.throws(() => openAuditLog({ to: folder, wallMs: () => 0, onFailure: () => undefined }), {
      code: 'BNG_ERR_CONFIG',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a stream gets the same lines, and the log cuts out what has the name of a secret', () => {
  const written: string[] = [];
  const sink = { write: (text: string): void => void written.push(text) };
  const streams = { stdout: sink, stderr: { write: assert.fail } };
  openAuditLog({ to: 'stdout', wallMs: () => 0, onFailure: assert.fail, streams })(ENTRY);
  assert.equal((JSON.parse(written[0]!) as { event: string }).event, 'audit');
  openLog('info', sink).info({ token: 'hush', server: { secret: 'hush', host: 'a' } });
  assert.ok(!written[1]!.includes('hush'));
  assert.match(written[1]!, /"host":"a"/);
});
