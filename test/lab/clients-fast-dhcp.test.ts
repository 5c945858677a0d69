/**
 * Real clients whose renewals XDP answers: first leases by user space, a hundred renewals without it, leases that live on in
 * its table, the NAK of a move, and the switch that turns it off.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from '../../src/lab/patience.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { labConfig } from '../../src/lab/lab-bng.js';
import { GARDEN, House, leaseIn, RESIDENTIAL, until } from '../support/lab-house.js';

const ONTS = [
  { ontSerial: 'FAST00000001', port: '1/1/1', tagging: 'qinq', cVlan: 7, client: 'udhcpc' },
  { ontSerial: 'FAST00000002', port: '1/1/2', tagging: 'single', client: 'dhclient' },
  { ontSerial: 'FAST00000003', port: '1/1/3', tagging: 'qinq', cVlan: 9, client: 'dhcpcd' },
] as const;
/** Clients renew at half of it by themselves; dhcpcd looks for other holders of its address for 5 s first. An emulated CPU is later than 12 s. */
const LEASE_SECONDS = process.env['BNG_EMULATED'] === '1' ? 60 : 12;
const RENEWALS = 100;
const ANSWER_MS = 5_000;
/** A station that asks more often than 20 times a second is not answered. */
const PACE_MS = 55;

describe('real clients and the fast DHCP path', { timeout: 150_000 * patience }, () => {
  let house: House;
  let hosts: OntHost[];

  before(async () => {
    house = await House.start({ prefix: 'lfd', leaseTimes: { wgar: `${LEASE_SECONDS}s` } });
    hosts = await house.plugAll(ONTS);
    await Promise.all(hosts.map((host) => leaseIn(host, GARDEN)));
  });
  after(() => house?.close());

  async function counted(): Promise<{ answered: number; punted: number }> {
    const verdicts = await house.verdicts();
    return { answered: Number(verdicts['dhcp_reply']), punted: Number(verdicts['punt']) };
  }

  function hostOf(client: (typeof ONTS)[number]['client']): OntHost {
    const host = hosts[ONTS.findIndex((ont) => ont.client === client)];
    assert.ok(host !== undefined);
    return host;
  }

  /** Has the client ask again, and waits until it says that it was answered. */
  async function askAgain(host: OntHost): Promise<void> {
    const from = host.leaseEvents.length;
    await host.askAgain();
    const event = await host.waitForLeaseEvent(ANSWER_MS * patience, () => true, from);
    assert.ok(event?.event === 'renewed' || event?.event === 'bound', JSON.stringify(event));
  }

  it(`udhcpc: ${RENEWALS} renewals are answered in XDP, and none comes to user space`, async () => {
    const host = hostOf('udhcpc');
    const { address } = host.lease!;
    const start = await counted();
    for (let n = 0; n < RENEWALS; n++) {
      await askAgain(host);
      await sleep(PACE_MS);
    }
    const end = await counted();
    assert.ok(end.answered - start.answered >= RENEWALS, JSON.stringify({ start, end }));
    // The two other clients renew meanwhile, and are answered in XDP too.
    assert.equal(end.punted, start.punted);
    assert.equal(host.lease?.address, address);
  });

  it('dhclient comes back with its lease (INIT-REBOOT) and is answered in XDP', async () => {
    const start = await counted();
    for (let n = 0; n < 5; n++) await askAgain(hostOf('dhclient'));
    const end = await counted();
    assert.ok(end.answered - start.answered >= 5, JSON.stringify({ start, end }));
    assert.equal(end.punted, start.punted);
  });

  it('a lease that only XDP has renewed lives on in the session, and its end moves', async () => {
    // Longer than a lease: without what XDP tells of, every session would be over by now.
    await Promise.all(
      hosts.map(async (host, i) => {
        const { ontSerial } = ONTS[i]!;
        const first = await house.session(ontSerial);
        assert.equal(first?.lease_phase, 'bound');
        const begun = Date.parse(first.lease_expires_at!);
        await until(`${ontSerial} has renewed twice`, 3 * LEASE_SECONDS * 1000, async () => {
          // It takes every lease for one of two minutes at least, and would lose this one.
          if (host === hostOf('udhcpc')) await askAgain(host);
          const now = await house.session(ontSerial);
          assert.equal(now?.id, first.id);
          return Date.parse(now.lease_expires_at!) > begun + LEASE_SECONDS * 1000 ? true : null;
        });
        assert.equal(host.leaseEvents.at(-1)?.event, 'renewed');
      }),
    );
  });

  it('renewals are counted as requests of their pool', async () => {
    const metrics = await house.bng.metrics();
    const { answered } = await counted();
    assert.ok((metrics.get('bng_dhcp_requests_total{pool="wgar"}') ?? 0) >= answered);
  });

  it('a change of pool: the old lease is refused by user space, the new one is renewed in XDP', async () => {
    const nakked = ['udhcpc', 'dhcpcd'] as const;
    const from = hosts.map((host) => host.leaseEvents.length);
    for (const { ontSerial } of ONTS) assert.equal((await house.activate(ontSerial)).status, 200);
    await Promise.all(hosts.map((host) => leaseIn(host, RESIDENTIAL)));
    for (const client of nakked) {
      const host = hostOf(client);
      const events = host.leaseEvents.slice(from[hosts.indexOf(host)]);
      assert.ok(
        events.some(({ event }) => event === 'nak'),
        `${client}: ${JSON.stringify(events)}`,
      );
    }
    const start = await counted();
    for (let n = 0; n < 5; n++) await askAgain(hostOf('udhcpc'));
    const end = await counted();
    assert.ok(end.answered - start.answered >= 5, JSON.stringify({ start, end }));
    assert.equal(end.punted, start.punted);
  });

  it('switched off by one line, everything is answered by user space', async () => {
    await house.bng.process.stop();
    const { access } = labConfig(house.lab, '') as { access: Record<string, unknown> };
    await house.restartBng({ access: { ...access, fastDhcp: false } });
    const host = hostOf('udhcpc');
    // The session and its lease are those of before, and so are the counters of the kernel.
    const start = await counted();
    for (let n = 0; n < 3; n++) await askAgain(host);
    const end = await counted();
    assert.equal(end.answered, start.answered);
    assert.ok(end.punted - start.punted >= 3, JSON.stringify({ start, end }));
  });
});
