/** The port's answers from RADIUS answers: attributes asked and granted, policy, what operators assigned. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { AuthenticationRequest, AuthenticationResult } from '../../src/aaa/port.js';
import type { RadiusAuthenticatorOptions } from '../../src/aaa/radius-authenticator.js';
import { RadiusAuthenticator } from '../../src/aaa/radius-authenticator.js';
import { parseUserNameFormat } from '../../src/aaa/radius-user-name.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';
import { plainTerms } from '../../src/model/session-terms.js';
import { NAS } from '../support/accounting-world.js';
import { gardenProfile } from '../support/inner-bng.js';
import type { PeerAnswer } from '../support/radius-peer.js';
import { attributeOf } from '../support/radius-peer.js';
import type { Rig } from './radius-client-rig.js';
import { rig, SILENT, until } from './radius-client-rig.js';

const REQUEST: AuthenticationRequest = {
  subscriberId: 'ont:ALCL0001',
  ontSerial: 'ALCL0001',
  line: {
    ifindex: 4,
    sVlan: 100,
    cVlan: 7,
    mac: parseMac('02:00:00:aa:bb:cc'),
    circuitId: Buffer.from('olt 1/1/1'),
    remoteId: Buffer.from('ALCL0001'),
  },
};

const text = (value: string): Buffer => Buffer.from(value);
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
/** A Vendor-Specific value with one sub-attribute (RFC 2865 §5.26). */
const vendor = (id: number, type: number, value: Buffer): [number, Buffer] => [
  26,
  Buffer.concat([u32(id), Buffer.of(type, value.length + 2), value]),
];

interface Bench extends Rig {
  readonly authenticator: RadiusAuthenticator;
}

async function bench(
  t: TestContext,
  answer: PeerAnswer | null,
  options: Partial<RadiusAuthenticatorOptions> = {},
): Promise<Bench> {
  const made = await rig(t, [answer === null ? SILENT : (request, peer) => peer.answer(request, answer)], {
    timers: { maxTransmissions: 1 },
  });
  const authenticator = new RadiusAuthenticator({
    client: made.client,
    nas: NAS,
    userName: parseUserNameFormat('ont-serial'),
    defaultPool: 'wgar',
    garden: gardenProfile,
    profiles: new Map([
      [
        'gold',
        {
          serviceId: 'gold',
          poolName: 'isp-business',
          downloadBitsPerSecond: 7_000,
          uploadBitsPerSecond: 3_000,
        },
      ],
    ]),
    onReject: 'garden',
    onTimeout: 'silence',
    ...options,
  });
  return { ...made, authenticator };
}

async function granted(t: TestContext, attributes: NonNullable<PeerAnswer['attributes']>) {
  const { authenticator } = await bench(t, { code: 2, attributes });
  const result = await authenticator.authenticate(REQUEST);
  assert.ok(result.kind === 'accepted', JSON.stringify(result));
  return { ...result, statistics: authenticator.statistics() };
}

test('an Access-Request says who asks, for which line, with an empty password', async (t) => {
  const { authenticator, peers } = await bench(t, { code: 2 });
  await authenticator.authenticate(REQUEST);
  const [request] = peers[0]!.requests;
  const seen = request!.attributes.map(([type, value]) => [type, value.toString('latin1')]);
  const hidden = attributeOf(request!, 2);
  assert.deepEqual(seen, [
    [80, attributeOf(request!, 80)!.toString('latin1')],
    [1, 'ALCL0001'],
    [32, 'bng-1'],
    [4, '\xc0\x00\x02\x01'],
    [6, '\0\0\0\x02'],
    [61, '\0\0\0\x0f'],
    [87, 'access0:100.7'],
    [31, '02-00-00-AA-BB-CC'],
    [26, '\0\0\x0d\xe9\x01\x0bolt 1/1/1'],
    [26, '\0\0\x0d\xe9\x02\x0aALCL0001'],
    [26, '\0\0\x7e\xd9\x01\x0eont:ALCL0001'],
    [2, hidden!.toString('latin1')],
  ]);
  assert.equal(hidden!.length, 16);
});

test('a line that only the access node told of is asked for with what it told', async (t) => {
  const { authenticator, peers } = await bench(t, { code: 2 });
  const circuitId = text('olt 1/1/1');
  const unseen = { ...REQUEST, line: null, announced: { circuitId } };
  assert.equal((await authenticator.authenticate(unseen)).kind, 'accepted');
  const types = peers[0]!.requests[0]!.attributes.map(([type]) => type);
  assert.deepEqual(
    types.filter((type) => type !== 80 && type !== 2),
    [1, 32, 4, 6, 61, 26, 26],
  );
  assert.equal(attributeOf(peers[0]!.requests[0]!, 26)!.toString('latin1'), '\0\0\x0d\xe9\x01\x0bolt 1/1/1');
  assert.equal(parseUserNameFormat('circuit-id')(unseen), 'olt 1/1/1');
  const announced = {
    circuitId,
    remoteId: text('ALCL0001'),
    tags: { sVlan: 100, cVlan: 7 },
    mac: parseMac('02:00:00:aa:bb:0c'),
  };
  await authenticator.authenticate({ ...unseen, announced });
  const told = peers[0]!.requests[1]!.attributes;
  assert.deepEqual(
    told
      .filter(([type]) => [87, 31, 26].includes(type))
      .map(([type, value]) => [type, value.toString('latin1')]),
    [
      [87, 'access0:100.7'],
      [31, '02-00-00-AA-BB-0C'],
      [26, '\0\0\x0d\xe9\x01\x0bolt 1/1/1'],
      [26, '\0\0\x0d\xe9\x02\x0aALCL0001'],
      [26, '\0\0\x7e\xd9\x01\x0eont:ALCL0001'],
    ],
  );
  const named = { ...unseen, announced };
  assert.deepEqual(
    ['remote-id', 'mac'].map((format) => parseUserNameFormat(format)(named)),
    ['ALCL0001', '02-00-00-AA-BB-0C'],
  );
});

test('a User-Name that needs the first frame of the line waits for it, whatever a reject would mean', async (t) => {
  const userName = parseUserNameFormat('mac');
  const { authenticator, peers } = await bench(t, { code: 2 }, { userName, onReject: 'garden' });
  const early = await authenticator.authenticate({
    ...REQUEST,
    line: null,
    announced: { circuitId: text('olt 1/1/1') },
  });
  assert.equal(early.kind, 'unreachable');
  assert.deepEqual(peers[0]!.requests, []);
  assert.equal((await authenticator.authenticate(REQUEST)).kind, 'accepted');
});

test('identifiers that fit no attribute are left out rather than cut', async (t) => {
  const { authenticator, peers } = await bench(t, { code: 2 });
  const line = { ...REQUEST.line!, circuitId: Buffer.alloc(248, 'x'), remoteId: Buffer.alloc(0) };
  await authenticator.authenticate({ ...REQUEST, subscriberId: 'x'.repeat(300), line });
  assert.equal(attributeOf(peers[0]!.requests[0]!, 26), undefined);
  assert.equal((await authenticator.authenticate({ ...REQUEST, line: null })).kind, 'accepted');
  assert.equal(attributeOf(peers[0]!.requests[1]!, 31), undefined);
});

for (const [format, name] of [
  ['ont-serial', 'ALCL0001'],
  ['circuit-id', 'olt 1/1/1'],
  ['remote-id', 'ALCL0001'],
  ['mac', '02-00-00-AA-BB-CC'],
  ['{remote-id}@isp', 'ALCL0001@isp'],
  ['x{mac}-{ont-serial}', 'x02-00-00-AA-BB-CC-ALCL0001'],
] as const) {
  test(`the User-Name format ${format} gives ${name}`, () => {
    assert.equal(parseUserNameFormat(format)(REQUEST), name);
    assert.equal(parseUserNameFormat(format)({ ...REQUEST, ontSerial: null, line: null }), null);
  });
}

test('an identifier that is no text is written in hexadecimal, and none looks like another', () => {
  const name = (circuitId: Uint8Array): string | null =>
    parseUserNameFormat('circuit-id')({ ...REQUEST, line: { ...REQUEST.line!, circuitId } });
  assert.equal(name(Buffer.of(0, 255)), '0x00ff');
  assert.equal(name(text('0x00ff')), '0x307830306666');
  assert.equal(name(Buffer.of()), null);
});

test('a User-Name format without a known name in braces is refused', () => {
  for (const format of ['', 'serial', '{serial}', 'isp', '{mac', 'mac}', '{mac}}', '{}']) {
    assert.throws(() => parseUserNameFormat(format), { code: 'BNG_ERR_VALUE' }, format);
  }
});

test('an accept without a word grants the default pool without limits', async (t) => {
  const { profile, terms, resumeTo } = await granted(t, []);
  assert.deepEqual(profile, gardenProfile);
  assert.deepEqual(terms, plainTerms('ALCL0001'));
  assert.equal(resumeTo, null);
});

test('every attribute of an accept is taken over', async (t) => {
  const { profile, terms, statistics } = await granted(t, [
    [1, text('customer-7')],
    [6, u32(2)],
    [88, text('isp-residential')],
    [8, Buffer.of(10, 0, 0, 77)],
    [27, u32(86_400)],
    [28, u32(900)],
    [85, u32(600)],
    [25, Buffer.of(0, 1, 255)],
    [25, text('second')],
    vendor(14122, 7, u32(20_000_000)),
    vendor(14122, 8, u32(100_000_000)),
    [12, u32(1500)],
    vendor(9, 1, text('ip:x=y')),
  ]);
  assert.deepEqual(profile, {
    serviceId: 'isp-residential',
    poolName: 'isp-residential',
    walled: false,
    downloadBitsPerSecond: 100_000_000,
    uploadBitsPerSecond: 20_000_000,
  });
  assert.deepEqual(terms, {
    userName: 'customer-7',
    fixedAddress: parseIpv4('10.0.0.77'),
    sessionTimeoutSeconds: 86_400,
    idleTimeoutSeconds: 900,
    interimIntervalSeconds: 600,
    classes: [Uint8Array.of(0, 1, 255), Uint8Array.from(text('second'))],
  });
  assert.equal(statistics.unknownAttributes, 2);
});

test('rates: our own attribute in kbit/s wins over WISPr, that over the named profile', async (t) => {
  const { profile } = await granted(t, [
    [11, text('gold')],
    vendor(14122, 7, u32(20_000)),
    vendor(14122, 8, u32(100_000)),
    vendor(32473, 2, u32(5_000_000)),
  ]);
  assert.deepEqual(profile, {
    serviceId: 'gold',
    poolName: 'isp-business',
    walled: false,
    downloadBitsPerSecond: 5_000_000_000,
    uploadBitsPerSecond: 20_000,
  });
  const named = await granted(t, [
    [11, text('gold')],
    [88, text('isp-residential')],
  ]);
  assert.deepEqual(
    [named.profile.poolName, named.profile.downloadBitsPerSecond, named.profile.uploadBitsPerSecond],
    ['isp-residential', 7_000, 3_000],
  );
});

test('an interim interval below 60 s is taken as 60 s and counted; 0 leaves it, as it leaves timeouts', async (t) => {
  const raised = await granted(t, [[85, u32(10)]]);
  assert.deepEqual([raised.terms.interimIntervalSeconds, raised.statistics.raisedInterims], [60, 1]);
  const none = await granted(t, [
    [85, u32(0)],
    [27, u32(0)],
    [28, u32(0)],
  ]);
  assert.deepEqual(none.terms, plainTerms('ALCL0001'));
});

test('Framed-IP-Address 255.255.255.254 and .255 give no fixed address (RFC 2865 §5.8)', async (t) => {
  for (const last of [254, 255]) {
    const { terms } = await granted(t, [[8, Buffer.of(255, 255, 255, last)]]);
    assert.equal(terms.fixedAddress, null);
  }
});

for (const [name, attribute, reason] of [
  ['a route', [22, text('192.0.2.0/24')], /Framed-Route is not supported: 192\.0\.2\.0\/24/],
  ['an unknown Filter-Id', [11, text('silver')], /Filter-Id names no profile .*silver/],
  ['another Service-Type', [6, u32(1)], /Service-Type 1 is not supported/],
] as const) {
  test(`an accept with ${name} is refused clearly, whatever policy says`, async (t) => {
    const { authenticator } = await bench(t, { code: 2, attributes: [[...attribute]] });
    const result = await authenticator.authenticate(REQUEST);
    assert.ok(result.kind === 'rejected');
    assert.match(result.reason, reason);
    assert.equal(authenticator.statistics().unsupported, 1);
  });
}

const BY_POLICY: Readonly<Record<'garden' | 'silence' | 'refuse', AuthenticationResult['kind']>> = {
  garden: 'accepted',
  silence: 'unreachable',
  refuse: 'rejected',
};
const BAD_ANSWERS: readonly (readonly [string, PeerAnswer])[] = [
  ['Access-Reject', { code: 3, attributes: [[18, text('unknown\nline')]] }],
  ['Access-Challenge', { code: 11 }],
  ['accept with an attribute of the wrong length', { code: 2, attributes: [[27, Buffer.of(1)]] }],
  [
    'accept with bad framing in a known vendor',
    { code: 2, attributes: [[26, Buffer.of(0, 0, 126, 217, 2, 9)]] },
  ],
];
for (const policy of ['garden', 'silence', 'refuse'] as const) {
  for (const [name, answer] of BAD_ANSWERS) {
    test(`with onReject ${policy}, an ${name} is ${BY_POLICY[policy]}`, async (t) => {
      const { authenticator } = await bench(t, answer, { onReject: policy });
      const result = await authenticator.authenticate(REQUEST);
      assert.equal(result.kind, BY_POLICY[policy]);
      if (result.kind === 'accepted') assert.deepEqual(result.profile, gardenProfile);
      else if (answer.code === 3) assert.equal(result.reason, 's0: unknown line');
    });
  }

  test(`with onTimeout ${policy}, silence is ${BY_POLICY[policy]}`, async (t) => {
    const { authenticator, clock, peers } = await bench(t, null, { onTimeout: policy });
    const result = authenticator.authenticate(REQUEST);
    await until(() => peers[0]!.requests.length === 1, 'the request');
    clock.advance(2_000);
    assert.equal((await result).kind, BY_POLICY[policy]);
    assert.equal(authenticator.statistics().timeouts, 1);
  });
}

test('without what the User-Name is made of nothing is asked, and onReject decides', async (t) => {
  const { authenticator, peers } = await bench(t, { code: 2 }, { onReject: 'refuse' });
  const result = await authenticator.authenticate({ ...REQUEST, ontSerial: null });
  assert.equal(result.kind, 'rejected');
  assert.equal(peers[0]!.requests.length, 0);
});

const ASSIGNED: ServiceProfile = {
  serviceId: 'fibre-100',
  poolName: 'isp-residential',
  walled: false,
  downloadBitsPerSecond: 100_000_000,
  uploadBitsPerSecond: 20_000_000,
};

test('what was assigned wins over pool, rates and fixed address of the server, not over Class and timers', async (t) => {
  const { authenticator } = await bench(t, {
    code: 2,
    attributes: [
      [88, text('wgar')],
      [8, Buffer.of(10, 255, 0, 9)],
      [25, text('class')],
      [27, u32(3_600)],
    ],
  });
  authenticator.assign(REQUEST.subscriberId, ASSIGNED, null);
  const result = await authenticator.authenticate(REQUEST);
  assert.ok(result.kind === 'accepted');
  assert.deepEqual([result.profile, result.resumeTo], [ASSIGNED, null]);
  const { fixedAddress, sessionTimeoutSeconds, classes } = result.terms;
  assert.deepEqual([fixedAddress, sessionTimeoutSeconds, classes.length], [null, 3_600, 1]);
  authenticator.forget(REQUEST.subscriberId);
  const after = await authenticator.authenticate(REQUEST);
  assert.ok(after.kind === 'accepted' && after.profile.walled);
});

test('what was assigned holds through a reject and an outage', async (t) => {
  const { authenticator, clock, peers } = await bench(t, { code: 3 }, { onReject: 'refuse' });
  authenticator.assign(REQUEST.subscriberId, gardenProfile, ASSIGNED);
  const rejected = await authenticator.authenticate(REQUEST);
  assert.ok(rejected.kind === 'accepted');
  assert.deepEqual([rejected.profile, rejected.resumeTo], [gardenProfile, ASSIGNED]);
  peers[0]!.script = SILENT;
  const silent = authenticator.authenticate(REQUEST);
  await until(() => peers[0]!.requests.length === 2, 'the request');
  clock.advance(2_000);
  assert.equal((await silent).kind, 'accepted');
});

test('once the server grants the same, its own later answers hold again', async (t) => {
  const same: PeerAnswer = {
    code: 2,
    attributes: [
      [88, text(ASSIGNED.poolName)],
      vendor(32473, 2, u32(100_000)),
      vendor(32473, 3, u32(20_000)),
    ],
  };
  const { authenticator, peers } = await bench(t, same);
  authenticator.assign(REQUEST.subscriberId, ASSIGNED, null);
  const first = await authenticator.authenticate(REQUEST);
  assert.ok(first.kind === 'accepted' && first.profile === ASSIGNED);
  peers[0]!.script = (request, peer) => peer.answer(request, { code: 2 });
  const later = await authenticator.authenticate(REQUEST);
  assert.ok(later.kind === 'accepted' && later.profile.walled);
});
