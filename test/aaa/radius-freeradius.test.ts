/** The client and the authenticator against Debian's FreeRADIUS: what it understood, and what we made of its answers. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { RadiusAuthenticator } from '../../src/aaa/radius-authenticator.js';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import type { RadiusNotice } from '../../src/aaa/radius-link.js';
import { parseUserNameFormat } from '../../src/aaa/radius-user-name.js';
import { systemClock } from '../../src/model/system-clock.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { AcctStatusType, AcctTerminateCause } from '../../src/wire/radius-values.js';
import { NAS } from '../support/accounting-world.js';
import type { FreeRadiusOptions } from '../support/freeradius.js';
import { FreeRadius, hasFreeRadius } from '../support/freeradius.js';
import { gardenProfile } from '../support/inner-bng.js';

const USERS = `PLAIN Auth-Type := Accept

POOL Auth-Type := Accept
  Framed-Pool = "isp-residential",
  WISPr-Bandwidth-Max-Down = 100000000,
  WISPr-Bandwidth-Max-Up = 20000000

FULL Auth-Type := Accept
  User-Name = "customer-7",
  Service-Type = Framed-User,
  Framed-Pool = "isp-business",
  Framed-IP-Address = 10.16.0.77,
  Session-Timeout = 86400,
  Idle-Timeout = 900,
  Acct-Interim-Interval = 30,
  Class = 0x0001ff,
  Class += "second",
  Filter-Id = "gold",
  Bng-Download-Rate = 5000000,
  Bng-Upload-Rate = 1000,
  Cisco-AVPair = "ip:x=y",
  Framed-MTU = 1500

ROUTE Auth-Type := Accept
  Framed-Route = "192.0.2.0/24 10.0.0.1 1"
`;
const skip = hasFreeRadius ? false : 'the package freeradius is not installed';

async function bench(
  t: TestContext,
  options: Partial<FreeRadiusOptions> & { readonly required?: boolean; readonly secret?: string } = {},
) {
  const server = await FreeRadius.start({
    users: USERS,
    ...(options.messageAuthenticator === undefined
      ? {}
      : { messageAuthenticator: options.messageAuthenticator }),
  });
  const notices: RadiusNotice[] = [];
  const client = (port: number): RadiusClient =>
    new RadiusClient({
      servers: [
        {
          name: 'freeradius',
          host: '127.0.0.1',
          port,
          secret: new RadiusSecret(options.secret ?? server.secret),
          requireMessageAuthenticator: options.required ?? true,
        },
      ],
      clock: systemClock,
      timers: { initialRetransmitMs: 300, maxTransmissions: 2 },
      notice: (notice) => notices.push(notice),
    });
  const auth = client(server.authPort);
  const acct = client(server.acctPort);
  const authenticator = new RadiusAuthenticator({
    client: auth,
    nas: NAS,
    userName: parseUserNameFormat('ont-serial'),
    defaultPool: 'wgar',
    garden: gardenProfile,
    profiles: new Map([
      ['gold', { serviceId: 'gold', poolName: null, downloadBitsPerSecond: 1, uploadBitsPerSecond: 1 }],
    ]),
    onReject: 'refuse',
    onTimeout: 'silence',
  });
  t.after(async () => {
    auth.close();
    acct.close();
    await server.close();
  });
  const ask = (ontSerial: string) =>
    authenticator.authenticate({
      subscriberId: `ont:${ontSerial}`,
      ontSerial,
      line: {
        ifindex: 4,
        sVlan: 100,
        cVlan: 7,
        mac: parseMac('02:00:00:aa:bb:cc'),
        circuitId: Buffer.from('olt 1/1/1'),
        remoteId: Buffer.of(0, 255, 65),
      },
    });
  return { server, auth, acct, authenticator, ask, notices };
}

test('FreeRADIUS accepts, rejects, and grants pool, rates, address, timers, Class and profile', {
  skip,
}, async (t) => {
  const { server, auth, authenticator, ask } = await bench(t);
  const plain = await ask('PLAIN');
  assert.ok(plain.kind === 'accepted' && plain.profile.poolName === 'wgar');
  const rejected = await ask('NOBODY');
  assert.deepEqual(rejected, { kind: 'rejected', reason: 'rejected by freeradius' });
  const pool = await ask('POOL');
  assert.ok(pool.kind === 'accepted');
  assert.deepEqual(pool.profile, {
    serviceId: 'isp-residential',
    poolName: 'isp-residential',
    walled: false,
    downloadBitsPerSecond: 100_000_000,
    uploadBitsPerSecond: 20_000_000,
  });
  const full = await ask('FULL');
  assert.ok(full.kind === 'accepted');
  assert.deepEqual(full.profile, {
    serviceId: 'gold',
    poolName: 'isp-business',
    walled: false,
    downloadBitsPerSecond: 5_000_000_000,
    uploadBitsPerSecond: 1_000_000,
  });
  assert.deepEqual(full.terms, {
    userName: 'customer-7',
    fixedAddress: parseIpv4('10.16.0.77'),
    sessionTimeoutSeconds: 86_400,
    idleTimeoutSeconds: 900,
    interimIntervalSeconds: 60,
    classes: [Uint8Array.of(0, 1, 255), Uint8Array.from(Buffer.from('second'))],
  });
  const route = await ask('ROUTE');
  assert.ok(route.kind === 'rejected');
  assert.match(route.reason, /Framed-Route is not supported/);
  assert.deepEqual(authenticator.statistics(), {
    accepted: 3,
    rejected: 1,
    timeouts: 0,
    malformed: 0,
    unsupported: 1,
    unknownAttributes: 2,
    raisedInterims: 1,
  });
  const [figures] = auth.statistics().servers;
  assert.deepEqual([figures?.outcomes['access-accept'], figures?.outcomes['access-reject']], [4, 1]);
  assert.equal(server.accessRequests().length, 5);
});

test('FreeRADIUS reads every attribute of an Access-Request as it was meant', { skip }, async (t) => {
  const { server, ask } = await bench(t);
  await ask('PLAIN');
  const [request] = server.accessRequests();
  const shown = new Map(request);
  assert.match(shown.get('Message-Authenticator') ?? '', /^0x[0-9a-f]{32}$/);
  const expected = {
    'User-Name': '"PLAIN"',
    'User-Password': '""',
    'NAS-Identifier': '"bng-1"',
    'NAS-IP-Address': '192.0.2.1',
    'Service-Type': 'Framed-User',
    'NAS-Port-Type': 'Ethernet',
    'NAS-Port-Id': '"access0:100.7"',
    'Calling-Station-Id': '"02-00-00-AA-BB-CC"',
    'ADSL-Agent-Circuit-Id': '0x6f6c7420312f312f31',
    'ADSL-Agent-Remote-Id': '0x00ff41',
    'Bng-Subscriber-Id': '"ont:PLAIN"',
  };
  assert.deepEqual(
    Object.fromEntries(Object.keys(expected).map((name) => [name, shown.get(name)])),
    expected,
  );
});

test('answers of FreeRADIUS without Message-Authenticator are ignored, saying how to make it add one', {
  skip,
}, async (t) => {
  const { ask, auth, notices } = await bench(t, { messageAuthenticator: false });
  assert.deepEqual(await ask('PLAIN'), { kind: 'unreachable', reason: 'no RADIUS server answered' });
  assert.ok((auth.statistics().servers[0]?.ignored['missing-message-authenticator'] ?? 0) >= 1);
  assert.match(JSON.stringify(notices), /update reply \{ Message-Authenticator := 0x00 \}/);
});

test('they are taken where none is required', { skip }, async (t) => {
  const { ask } = await bench(t, { messageAuthenticator: false, required: false });
  assert.equal((await ask('PLAIN')).kind, 'accepted');
  assert.equal((await ask('NOBODY')).kind, 'rejected');
});

test('with another secret FreeRADIUS does not answer, which is a timeout', { skip }, async (t) => {
  const { ask, server } = await bench(t, { secret: 'another' });
  assert.equal((await ask('PLAIN')).kind, 'unreachable');
  assert.match(server.log(), /invalid Message-Authenticator|Shared secret is incorrect/i);
});

test('FreeRADIUS takes an Accounting-Request, 64-bit octets, Class and terminate cause included', {
  skip,
}, async (t) => {
  const { acct, server } = await bench(t);
  const octets = 0x1_0000_0005n;
  const attributes = new RadiusAttributesBuilder()
    .add(Attribute.AcctStatusType, AcctStatusType.Stop)
    .add(Attribute.AcctSessionId, 's-1')
    .add(Attribute.UserName, 'customer-7')
    .add(Attribute.FramedIpAddress, parseIpv4('10.16.0.77'))
    .octets64(Attribute.AcctInputOctets, Attribute.AcctInputGigawords, octets)
    .octets64(Attribute.AcctOutputOctets, Attribute.AcctOutputGigawords, 7n)
    .add(Attribute.AcctTerminateCause, AcctTerminateCause['Idle-Timeout'])
    .addEach(Attribute.Class, [Uint8Array.of(0, 1, 255), Buffer.from('second')])
    .add(Attribute.EventTimestamp, 1_700_000_000)
    .build();
  const happenedWallMs = Date.now() - 90_500;
  const result = await acct.exchange({ kind: 'accounting', attributes, happenedWallMs });
  assert.ok(result.kind === 'response' && result.outcome === 'accounting-response');
  const [record] = server.accounting();
  const shown = new Map(record);
  assert.equal(shown.get('Acct-Status-Type'), 'Stop');
  assert.equal(shown.get('Acct-Input-Octets'), '5');
  assert.equal(shown.get('Acct-Input-Gigawords'), '1');
  assert.equal(shown.get('Acct-Output-Octets'), '7');
  assert.equal(shown.get('Acct-Terminate-Cause'), 'Idle-Timeout');
  assert.equal(shown.get('Acct-Delay-Time'), '90');
  const classes = record!.filter(([name]) => name === 'Class').map(([, value]) => value);
  assert.deepEqual(classes, ['0x0001ff', '0x7365636f6e64']);
});

test('a killed FreeRADIUS is dead, and answers again after it was started again', { skip }, async (t) => {
  const { ask, server, auth } = await bench(t);
  assert.equal((await ask('PLAIN')).kind, 'accepted');
  await server.kill();
  assert.equal((await ask('PLAIN')).kind, 'unreachable');
  assert.equal(auth.statistics().servers[0]?.state, 'dead');
  await server.resume();
  assert.equal((await ask('PLAIN')).kind, 'accepted');
  assert.equal(auth.statistics().servers[0]?.state, 'alive');
});
