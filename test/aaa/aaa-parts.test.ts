/** What openAaa joins together: authentication, the store, the accounting queue and two servers that speak bytes. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { openAaa } from '../../src/aaa-parts.js';
import { parseConfig } from '../../src/config/parse-config.js';
import {
  accountingSession,
  openStore,
  temporaryFolder,
  traffic,
  until,
} from '../support/accounting-world.js';
import { attributeOf, RadiusPeer } from '../support/radius-peer.js';
import { MINIMAL } from '../config/minimal-yaml.js';
import { SECRET, SILENT } from './radius-client-rig.js';

const CLASS = Buffer.from([1, 0, 255]);
const ACCT_INTERIM_INTERVAL = 85;
const CLASS_TYPE = 25;

test('what the server grants is in its records, and its answer to a question ends the waiting of accounting', async (t) => {
  const folder = temporaryFolder(t);
  const accept = {
    code: 2,
    attributes: [
      [CLASS_TYPE, CLASS],
      [ACCT_INTERIM_INTERVAL, Buffer.of(0, 0, 2, 88)],
    ],
  } as const;
  const auth = await RadiusPeer.start({
    secret: SECRET,
    script: (request, peer) => peer.answer(request, accept),
  });
  const acct = await RadiusPeer.start({ secret: SECRET, script: SILENT });
  t.after(() => Promise.all([auth.close(), acct.close()]));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, SECRET, { mode: 0o600 });
  const config = parseConfig(`${MINIMAL.replace('mode: local', 'mode: radius')}
accounting: { mode: radius }
radius:
  nasIdentifier: bng
  interimInterval: 7m
  servers: [{ host: 127.0.0.1, authPort: ${auth.port}, acctPort: ${acct.port}, secretFile: ${secretFile} }]
  timers: { initialRetransmit: 100ms, tries: 1, failoverAfter: 1, deadline: 200ms }
`);
  assert.ok(config.ok, JSON.stringify(config));
  const store = await openStore(folder);
  const surroundings = {
    logger: pino({ enabled: false }),
    store,
    bootId: 'boot',
    interfaceName: () => 'access0',
  };
  const aaa = await openAaa(config.config, surroundings);
  t.after(async () => {
    await aaa.close();
    await store.close();
  });
  const session = accountingSession('ONT1', Date.now());
  const { line, subscriberId, ontSerial } = session;

  const granted = await aaa.authenticator.authenticate({ line, subscriberId, ontSerial });
  assert.ok(granted.kind === 'accepted', granted.kind);
  assert.deepEqual([granted.terms.interimIntervalSeconds, aaa.accounting.interimIntervalSeconds], [600, 420]);
  aaa.accounting.start({ ...session, terms: granted.terms });
  // Three tries in vain: it would try again after 1, 2 and then 4 seconds.
  await until(() => aaa.inspection.queue?.figures().retried === 3, 10_000, 'three tries in vain');
  acct.script = (request, peer) => peer.answer(request, { code: 5, messageAuthenticator: false });
  await aaa.authenticator.authenticate({ line, subscriberId, ontSerial });
  await until(() => aaa.inspection.queue?.figures().delivered === 1, 3_500, 'delivery without further pause');
  aaa.accounting.stop(
    { ...session, terms: granted.terms },
    { traffic: traffic(5_000n), durationMs: 1_000, cause: 'User-Request' },
  );
  await until(() => aaa.inspection.queue?.figures().delivered === 2, 5_000, 'the Stop');
  for (const request of [acct.requests[0], acct.requests.at(-1)]) {
    assert.ok(request !== undefined);
    assert.deepEqual(attributeOf(request, CLASS_TYPE), CLASS);
    assert.deepEqual(attributeOf(request, 1), Buffer.from('ONT1'));
  }
});
