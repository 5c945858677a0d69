/** The only AAA server is killed for a minute in the middle of traffic: who has service keeps it, every Start and Stop comes once. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import { hasFreeRadius } from '../../src/lab/radius-server.js';
import { GARDEN, leaseIn, ordered, RESIDENTIAL, until } from '../support/lab-house.js';
import { octetsOf, RadiusHouse, valueOf } from '../support/radius-house.js';

const MINUTE_MS = 60_000;
/** In the garden; their leases end within the minute unless they are renewed. */
const STEADY = ['STEADY01', 'STEADY02'];
const STREAMS = ['STREAM01', 'STREAM02'];
const LEAVERS = ['LEAVER01', 'LEAVER02'];
const NEWCOMERS = ['NEWCOM01', 'NEWCOM02'];
const EVERYBODY = [...STEADY, ...STREAMS, ...LEAVERS, ...NEWCOMERS];
const USERS = EVERYBODY.map((serial) => {
  const pool = STREAMS.includes(serial) ? '\n  Framed-Pool = "isp-residential"' : '';
  return `${serial} Auth-Type := Accept${pool}\n`;
}).join('\n');
/** A queue that waits for a server tries every five seconds. */
const RECOVERY_MS = 10_000;

describe('a minute without RADIUS', { timeout: 240_000 * patience, skip: !hasFreeRadius }, () => {
  let radius: RadiusHouse;
  let port = 0;

  async function plug(ontSerial: string): Promise<OntHost> {
    port += 1;
    const client = STEADY.includes(ontSerial) ? 'dhclient' : 'udhcpc';
    return radius.house.lab.plug({ ontSerial, port: `1/1/${port}`, tagging: 'qinq', cVlan: port, client });
  }
  const ont = (serial: string): OntHost => radius.house.lab.ont(serial);
  const renewals = (serial: string): number =>
    ont(serial).leaseEvents.filter(({ event }) => event === 'renewed').length;

  before(async () => {
    radius = await RadiusHouse.start({
      prefix: 'rmi',
      users: USERS,
      leaseTimes: { wgar: '20s' },
      auth: { onTimeout: 'garden' },
      radius: { interimInterval: '5s' },
    });
    const there = [...STEADY, ...STREAMS, ...LEAVERS];
    await Promise.all(there.map(plug));
    await Promise.all(
      there.map((serial) => leaseIn(ont(serial), STREAMS.includes(serial) ? RESIDENTIAL : GARDEN)),
    );
    await Promise.all(there.map((serial) => radius.record(serial, 'Start')));
  });
  after(() => radius?.close());

  it('traffic and renewals go on, sessions end and begin', async () => {
    const { internet } = CORE_ADDRESSES;
    const earlier = new Map(STEADY.map((serial) => [serial, renewals(serial)]));
    // From before the server dies until after it is back.
    const streams = STREAMS.map((serial) =>
      ont(serial).run(['ping', '-n', '-q', '-i', '0.05', '-w', '64', internet], 90_000),
    );
    await radius.server.kill();
    const began = performance.now();
    await Promise.all(LEAVERS.map((serial) => radius.house.lab.unplug(serial)));
    await Promise.all(NEWCOMERS.map(plug));
    await Promise.all(NEWCOMERS.map((serial) => leaseIn(ont(serial), GARDEN)));
    // One comes and goes while nobody books it.
    await radius.house.lab.unplug(NEWCOMERS[1]!);
    await until('the minute is over', 2 * MINUTE_MS, () =>
      performance.now() - began >= MINUTE_MS ? true : null,
    );
    assert.deepEqual(
      [
        ...LEAVERS.map((serial) => radius.records(serial, 'Stop')),
        ...NEWCOMERS.map((s) => radius.records(s)),
      ],
      [[], [], [], []],
    );
    for (const serial of STEADY) {
      // A lease of 20 s is renewed at least every 15.
      assert.ok(renewals(serial) - earlier.get(serial)! >= 3, `${serial}: ${renewals(serial)} renewals`);
      assert.equal(ont(serial).leaseEvents.filter(({ event }) => event === 'bound').length, 1, serial);
    }
    await radius.server.resume();
    for (const stream of await Promise.all(streams)) {
      const [, sent, received] = /([0-9]+) packets transmitted, ([0-9]+) received/.exec(stream.stdout) ?? [];
      assert.ok(Number(sent) > 500 && sent === received, stream.stdout);
    }
  });

  it('soon after the server is back, it has every Start and Stop, each once and dated when it happened', async () => {
    const wanted: readonly (readonly [serials: readonly string[], status: string])[] = [
      [EVERYBODY, 'Start'],
      [[...LEAVERS, NEWCOMERS[1]!], 'Stop'],
    ];
    await until('what had waited', RECOVERY_MS, () =>
      wanted.every(([serials, status]) => serials.every((s) => radius.records(s, status).length > 0))
        ? true
        : null,
    );
    for (const serial of LEAVERS) {
      const [stop] = radius.records(serial, 'Stop');
      const delay = Number(valueOf(stop!, 'Acct-Delay-Time'));
      assert.ok(delay >= 50, `${serial}: ${delay} s`);
      const happened = Date.parse(valueOf(stop!, 'Event-Timestamp')) / 1000;
      assert.ok(Math.abs(Number(valueOf(stop!, 'Timestamp')) - happened - delay) <= 1, JSON.stringify(stop));
      assert.equal(valueOf(stop!, 'Acct-Terminate-Cause'), 'Lost-Carrier');
    }
  });

  it('at the end each session has one Start, one Stop, and counters that only grew', async () => {
    // Who is still there is ended: a stop of the BNG alone ends no session.
    for (const serial of EVERYBODY) {
      if ((await radius.house.session(serial)) !== null)
        ordered(await radius.house.order('terminate', serial));
    }
    await until('everybody has a Stop', RECOVERY_MS, () =>
      EVERYBODY.every((serial) => radius.records(serial, 'Stop').length > 0) ? true : null,
    );
    for (const serial of EVERYBODY) {
      // Equipment that is still there asks again once its session is ended: that is another session.
      const all = radius.records(serial);
      const [first] = all;
      const id = valueOf(first!, 'Acct-Session-Id');
      const records = all.filter((record) => valueOf(record, 'Acct-Session-Id') === id);
      const kinds = records.map((record) => valueOf(record, 'Acct-Status-Type').charAt(0)).join('');
      assert.match(kinds, /^SI*S$/, serial);
      const octets = records.slice(1).map((record) => octetsOf(record, 'Output'));
      assert.deepEqual(
        octets,
        octets.toSorted((a, b) => a - b),
        serial,
      );
    }
    for (const serial of STREAMS) {
      const stop = radius.records(serial, 'Stop')[0]!;
      // More than a minute of echoes: 84 octets each.
      assert.ok(octetsOf(stop, 'Output') > 500 * 84, JSON.stringify(stop));
    }
    assert.doesNotMatch(radius.server.log(), /error|invalid|discard/i);
  });
});
