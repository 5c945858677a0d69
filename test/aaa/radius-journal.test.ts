/** What is remembered of the exchanges of each subscriber: as text, without secrets, and within bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RadiusJournal } from '../../src/aaa/radius-journal.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import type { RadiusAttributes } from '../../src/wire/radius-attributes.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { RadiusCode } from '../../src/wire/radius-packet.js';
import { AcctTerminateCause, ServiceType } from '../../src/wire/radius-values.js';
import { FakeClock } from '../support/fake-clock.js';

const MIB = 1 << 20;

function request(userName: string): RadiusAttributes {
  return new RadiusAttributesBuilder()
    .add(Attribute.UserName, userName)
    .add(Attribute.ServiceType, ServiceType.Framed)
    .build();
}

test('the last exchange of each kind is told as text, in the order of the wire', async () => {
  const clock = new FakeClock();
  const journal = new RadiusJournal({ clock });
  const beganMs = journal.nowMs();
  await clock.advance(12);
  const response = new RadiusAttributesBuilder()
    .add(Attribute.FramedPool, 'isp')
    .add(Attribute.FramedIpAddress, parseIpv4('10.0.0.9'))
    .add(Attribute.Class, Uint8Array.of(0, 255))
    .add(Attribute.BngDownloadRate, 1_000)
    .build();
  const accepted = { code: RadiusCode['Access-Accept'], attributes: response };
  const asked = { code: RadiusCode['Access-Request'], attributes: request('first') };
  journal.note('authentication', 'ont:A', { beganMs, peer: null, request: asked, response: null });
  const again = { code: asked.code, attributes: request('second') };
  journal.note('authentication', 'ont:A', {
    beganMs,
    peer: 'radius:1812',
    request: again,
    response: accepted,
  });
  const stop = new RadiusAttributesBuilder()
    .add(Attribute.AcctTerminateCause, AcctTerminateCause['User-Request'])
    .add(Attribute.EventTimestamp, 0)
    .build();
  const stopped = { code: RadiusCode['Accounting-Request'], attributes: stop };
  journal.note('accounting', 'ont:A', { beganMs, peer: null, request: stopped, response: null });
  assert.deepEqual(journal.last('ont:A', 'session-1'), [
    {
      kind: 'authentication',
      wallMs: clock.wallMs(),
      tookMs: 12,
      peer: 'radius:1812',
      request: {
        code: 'Access-Request',
        attributes: [
          { name: 'User-Name', value: 'second' },
          { name: 'Service-Type', value: 'Framed' },
        ],
      },
      response: {
        code: 'Access-Accept',
        attributes: [
          { name: 'Framed-Pool', value: 'isp' },
          { name: 'Framed-IP-Address', value: '10.0.0.9' },
          { name: 'Class', value: '0x00ff' },
          { name: 'Bng-Download-Rate', value: '1000' },
        ],
      },
    },
    {
      kind: 'accounting',
      wallMs: clock.wallMs(),
      tookMs: 12,
      peer: null,
      request: {
        code: 'Accounting-Request',
        attributes: [
          { name: 'Acct-Terminate-Cause', value: 'User-Request' },
          { name: 'Event-Timestamp', value: '1970-01-01T00:00:00.000Z' },
        ],
      },
      response: null,
    },
  ]);
  assert.deepEqual(journal.last('ont:B', 'session-2'), []);
});

test('passwords, keys and digests are not told, and of unknown attributes only the length', () => {
  const journal = new RadiusJournal({ clock: new FakeClock() });
  const secret = Buffer.from('hunter2');
  const builder = new RadiusAttributesBuilder();
  for (const type of [2, 3, 69, 79, 80, 200]) builder.raw(type, secret);
  // MS-MPPE-Send-Key (RFC 2548 §2.4.2): a vendor that the dictionary does not know.
  builder.raw(26, Buffer.concat([Buffer.from([0, 0, 1, 55, 16, 9]), secret]));
  builder.raw(6, Buffer.from([1]));
  const attributes = builder.build();
  const packet = { code: RadiusCode['Access-Accept'], attributes };
  journal.note('authentication', 'ont:A', { beganMs: 0, peer: 'x', request: packet, response: packet });
  const [told] = journal.last('ont:A', '');
  assert.deepEqual(told?.response?.attributes, [
    { name: 'attribute 200', value: '7 bytes' },
    { name: 'vendor 311', value: '13 bytes' },
    { name: 'Service-Type', value: '1 bytes' },
  ]);
  assert.deepEqual(told?.request.attributes, told?.response?.attributes);
});

test('orders are remembered by session', () => {
  const journal = new RadiusJournal({ clock: new FakeClock() });
  const packet = { code: RadiusCode['Disconnect-Request'], attributes: request('a') };
  journal.note('order', 'session-1', { beganMs: 0, peer: '192.0.2.9', request: packet, response: null });
  assert.deepEqual(
    journal.last('ont:A', 'session-1').map(({ kind, peer }) => [kind, peer]),
    [['order', '192.0.2.9']],
  );
});

test('what was noted longest ago is forgotten first, and memory ends at what is allowed', () => {
  const keptBytes = { authentication: 2 * MIB, accounting: MIB, order: MIB };
  const journal = new RadiusJournal({ clock: new FakeClock(), keptBytes });
  const count = 40_000;
  const key = (i: number): string => `ont:${i}`;
  for (let i = 0; i < count; i++) {
    const packet = { code: RadiusCode['Access-Request'], attributes: request(key(i).padEnd(50)) };
    journal.note('authentication', key(i), { beganMs: 0, peer: null, request: packet, response: null });
  }
  const known = Array.from({ length: count }, (_, i) => journal.last(key(i), '').length === 1);
  const first = known.indexOf(true);
  assert.ok(first > 0, 'the first are forgotten');
  assert.ok(known.slice(first).every(Boolean), 'the last are all there');
  // 20 bytes of head, 52 of User-Name, 6 of Service-Type; one block may have just begun.
  const most = Math.floor((2 * MIB) / 78);
  assert.ok(count - first <= most && count - first >= most / 2, `${count - first} of at most ${most}`);
  assert.match(journal.last(key(count - 1), '')[0]?.request.attributes[0]?.value ?? '', /^ont:39999 +$/);
});
