/** The life of a subscriber from fibre to fibre: garden, activation, suspension, resumption, termination, unplugging. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { patience } from '../../src/lab/patience.js';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { TransferOutcome } from '../../src/lab/namespace-probe.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import {
  BUSINESS,
  GARDEN,
  House,
  leaseIn,
  ordered,
  REFUSED_MS,
  RESIDENTIAL,
  until,
} from '../support/lab-house.js';

const LINE = {
  ontSerial: 'FLOW00000001',
  port: '1/1/1',
  tagging: 'qinq',
  cVlan: 7,
  client: 'dhclient',
} as const;
const SERIAL = LINE.ontSerial;
const BLOCKED_MS = 700;
const { internet } = CORE_ADDRESSES;
const ENDLESS = 10 ** 11;

describe('the life of a subscriber', { timeout: 120_000 * patience }, () => {
  let house: House;
  let host: OntHost;
  let gardenAddress: string;
  let ispAddress: string;

  before(async () => {
    house = await House.start({ prefix: 'l1c' });
    host = await house.lab.plug(LINE);
    gardenAddress = (await leaseIn(host, GARDEN)).address;
  });
  after(() => house?.close());

  async function assertWalled(words: string): Promise<void> {
    const [portal, https, ping] = await Promise.all([
      host.httpGet(`http://${internet}/`),
      host.tcpConnect(internet, 443, REFUSED_MS),
      host.ping(internet, { timeoutMs: BLOCKED_MS }),
    ]);
    assert.ok(portal.ok && portal.body.includes(words), JSON.stringify(portal));
    assert.equal(https, 'refused');
    assert.equal(ping.received, 0);
    assert.deepEqual(await house.gardenMembers(), [gardenAddress]);
  }

  async function assertOpen(): Promise<void> {
    const page = await host.httpGet(`http://${internet}/`);
    assert.ok(page.ok && page.body.includes(`client ${host.lease?.address}\n`), JSON.stringify(page));
    assert.equal(await host.tcpConnect(internet, 443), 'connected');
    assert.deepEqual(await house.gardenMembers(), []);
  }

  it('begins in the walled garden', async () => {
    assert.equal((await house.session(SERIAL))?.state, 'wgar');
    await assertWalled('Your line is not activated yet');
  });

  it('orders that a garden member is not ready for are refused with 409 and the present state', async () => {
    for (const order of ['suspend', 'resume'] as const) {
      const { status, body } = await house.order(order, SERIAL);
      assert.equal(status, 409, JSON.stringify(body));
      assert.equal(body['state'], 'wgar');
      assert.equal(body['type'], 'urn:bng:problem:conflict');
    }
    assert.equal((await house.session(SERIAL))?.state, 'wgar');
  });

  it('an ONT that nobody has seen is 404 for every order, and for reading', async () => {
    const answers = [
      await house.activate('NOBODY'),
      await house.order('suspend', 'NOBODY'),
      await house.order('resume', 'NOBODY'),
      await house.order('terminate', 'NOBODY'),
    ];
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body['type']]),
      answers.map(() => [404, 'urn:bng:problem:unknown-ont']),
    );
    assert.equal(await house.session('NOBODY'), null);
  });

  it('an unknown pool, and the garden as a pool, are 400 and name the field', async () => {
    for (const pool of ['no-such-pool', 'wgar']) {
      const { status, body } = await house.activate(SERIAL, { pool });
      assert.equal(status, 400, JSON.stringify(body));
      assert.equal(body['field'], 'pool');
    }
    assert.equal((await house.session(SERIAL))?.state, 'wgar');
  });

  it('activation moves it to the ISP pool and opens the internet', async () => {
    const answer = ordered(await house.activate(SERIAL));
    assert.deepEqual(
      [answer.ont_serial, answer.old_state, answer.new_state, answer.old_ip],
      [SERIAL, 'wgar', 'activating', gardenAddress],
    );
    ispAddress = (await leaseIn(host, RESIDENTIAL)).address;
    const session = await house.untilSession(SERIAL, 'is active', ({ state }) => state === 'active');
    assert.deepEqual(
      [session.address, session.pool, session.service_id, session.walled],
      [ispAddress, 'isp-residential', 'home-100', false],
    );
    await assertOpen();
  });

  it('the same activation again changes nothing and succeeds; another service is 409', async () => {
    const before = await house.session(SERIAL);
    const losses = host.carrierLosses;
    const answer = ordered(await house.activate(SERIAL));
    assert.deepEqual([answer.old_state, answer.new_state], ['active', 'active']);
    const other = await house.activate(SERIAL, { pool: 'isp-business', service_id: 'business-500' });
    assert.equal(other.status, 409, JSON.stringify(other.body));
    assert.equal(other.body['state'], 'active');
    const resumed = ordered(await house.order('resume', SERIAL));
    assert.equal(resumed.new_state, 'active');
    // The end of the lease is told by the wall clock, which may waver by a millisecond.
    assert.deepEqual(
      { ...(await house.session(SERIAL)), lease_expires_at: before?.lease_expires_at },
      before,
    );
    assert.equal(host.carrierLosses, losses);
  });

  describe('suspension', () => {
    let down: Promise<TransferOutcome>;
    let up: Promise<TransferOutcome>;

    it('is ordered while data flows both ways', async () => {
      down = host.download(`http://${internet}/bytes/${ENDLESS}`, 20_000);
      up = host.upload(`http://${internet}/upload`, ENDLESS, 20_000);
      const traffic = async (): Promise<{ up: number; down: number }> => {
        const { body } = await house.bng.get(`/api/v1/sessions/${SERIAL}`);
        const counted = body['traffic'] as Record<string, string>;
        return { up: Number(counted['upstream_bytes']), down: Number(counted['downstream_bytes']) };
      };
      const before = await traffic();
      await until('a megabyte each way', 6_000, async () => {
        const now = await traffic();
        return now.up > before.up + 1e6 && now.down > before.down + 1e6 ? true : null;
      });
      const answer = ordered(await house.order('suspend', SERIAL));
      assert.deepEqual(
        [answer.old_state, answer.new_state, answer.old_ip],
        ['active', 'suspended', ispAddress],
      );
    });

    it('puts it back into the garden, with the address it had there', async () => {
      assert.equal((await leaseIn(host, GARDEN)).address, gardenAddress);
      const session = await house.session(SERIAL);
      assert.deepEqual([session?.state, session?.walled, session?.held_address], ['suspended', true, null]);
      await assertWalled('Your line is suspended');
    });

    it('cut the connections that were established, in both directions', async () => {
      const [downOutcome, upOutcome] = await Promise.all([down, up]);
      for (const outcome of [downOutcome, upOutcome]) {
        // Port 80 leads to the portal now, which knows nothing of the connection and may say so.
        const cut = !outcome.ok && (outcome.stalled || outcome.reason.includes('reset by peer'));
        assert.ok(cut, JSON.stringify(outcome));
      }
    });

    it('again changes nothing and succeeds; activating a suspended subscriber is 409', async () => {
      const answer = ordered(await house.order('suspend', SERIAL));
      assert.deepEqual([answer.old_state, answer.new_state], ['suspended', 'suspended']);
      const refused = await house.activate(SERIAL);
      assert.equal(refused.status, 409);
      assert.equal(refused.body['state'], 'suspended');
    });
  });

  it('resumption gives back the service and the very address', async () => {
    const answer = ordered(await house.order('resume', SERIAL));
    assert.equal(answer.old_state, 'suspended');
    assert.equal((await leaseIn(host, RESIDENTIAL)).address, ispAddress);
    const session = await house.untilSession(SERIAL, 'is active', ({ state }) => state === 'active');
    assert.equal(session.service_id, 'home-100');
    await assertOpen();
  });

  it('termination ends the session: nothing passes until the line begins anew in the garden', async () => {
    const old = await house.session(SERIAL);
    const answer = ordered(await house.order('terminate', SERIAL));
    assert.deepEqual(
      [answer.old_state, answer.new_state, answer.old_ip],
      ['active', 'terminated', ispAddress],
    );
    assert.equal(await house.session(old!.id), null);
    assert.equal(await host.tcpConnect(internet, 443, BLOCKED_MS), 'timeout');
    assert.equal(await house.allocated('isp-residential'), 0);
    await host.askAgain();
    assert.equal((await leaseIn(host, GARDEN)).address, gardenAddress);
    const session = await house.untilSession(SERIAL, 'is in the garden', ({ state }) => state === 'wgar');
    assert.notEqual(session.id, old?.id);
    await assertWalled('Your line is not activated yet');
  });

  it('after termination another service may be ordered', async () => {
    ordered(await house.activate(SERIAL, { pool: 'isp-business', service_id: 'business-500' }));
    await leaseIn(host, BUSINESS);
    await assertOpen();
    ordered(await house.order('terminate', SERIAL));
    await host.askAgain();
    await leaseIn(host, GARDEN);
  });

  it('an ONT that is unplugged is gone: session, address, and everything in the dataplane', async () => {
    const old = await house.session(SERIAL);
    assert.deepEqual(await house.gardenMembers(), [gardenAddress]);
    await house.lab.unplug(SERIAL);
    await until('the session ends', 5_000, async () =>
      (await house.session(SERIAL)) === null ? true : null,
    );
    assert.equal(await house.session(old!.id), null);
    assert.equal(await house.session(gardenAddress), null);
    assert.equal(await house.allocated('wgar'), 0);
    assert.deepEqual(await house.gardenMembers(), []);
    const metrics = await house.bng.metrics();
    assert.equal(metrics.get('bng_sessions_total{state="wgar"}'), 0);
    const { body } = await house.bng.get('/api/v1/sessions');
    assert.deepEqual(body['sessions'], []);
  });

  it('plugged in again it gets the same address in the garden', async () => {
    host = await house.lab.plug(LINE);
    assert.equal((await leaseIn(host, GARDEN)).address, gardenAddress);
    assert.equal((await house.session(SERIAL))?.state, 'wgar');
    await assertWalled('Your line is not activated yet');
  });
});
