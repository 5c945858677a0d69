/** The real `bng run`, killed and started again: the session list is the same, renewals are answered, traffic passes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import type { ApiSession } from '../support/lab-house.js';
import { GARDEN, House, leaseIn, ordered, REFUSED_MS, RESIDENTIAL, until } from '../support/lab-house.js';

const { internet } = CORE_ADDRESSES;
const GARDENER = 'GARDEN000001';
const RESIDENT = 'RESIDE000001';
const SUSPENDED = 'SUSPEN000001';
const SERIALS = [GARDENER, RESIDENT, SUSPENDED];

describe('a BNG that is killed and started again', { timeout: 120_000 * patience }, () => {
  let house: House;
  const ont = (serial: string): OntHost => house.lab.ont(serial);
  const sessions = async (): Promise<(ApiSession | null)[]> =>
    Promise.all(SERIALS.map((serial) => house.session(serial)));
  const renewals = (serial: string): number =>
    ont(serial).leaseEvents.filter(({ event }) => event === 'renewed').length;

  before(async () => {
    // Short leases in the garden: its clients renew while the test looks.
    house = await House.start({ prefix: 'rsc', leaseTimes: { wgar: '20s' } });
    const plug = (ontSerial: string, n: number) =>
      house.lab.plug({ ontSerial, port: `1/1/${n}`, tagging: 'qinq', cVlan: n, client: 'dhclient' });
    await Promise.all(SERIALS.map((serial, n) => plug(serial, n + 1)));
    await Promise.all(SERIALS.map((serial) => leaseIn(ont(serial), GARDEN)));
    for (const serial of [RESIDENT, SUSPENDED]) ordered(await house.activate(serial));
    await Promise.all([RESIDENT, SUSPENDED].map((serial) => leaseIn(ont(serial), RESIDENTIAL)));
    ordered(await house.order('suspend', SUSPENDED));
    await leaseIn(ont(SUSPENDED), GARDEN);
  });
  after(() => house?.close());

  async function same(then: () => Promise<void>): Promise<void> {
    const old = await sessions();
    await then();
    const now = await sessions();
    // Leases may have been renewed meanwhile.
    const lasting = (session: ApiSession | null) => ({ ...session, lease_expires_at: null });
    assert.deepEqual(now.map(lasting), old.map(lasting));
    const page = await ont(RESIDENT).httpGet(`http://${internet}/`);
    assert.ok(
      page.ok && page.body.includes(`client ${ont(RESIDENT).lease?.address}\n`),
      JSON.stringify(page),
    );
    for (const serial of [GARDENER, SUSPENDED]) {
      assert.equal(
        await ont(serial).tcpConnect(internet, 443, REFUSED_MS),
        'refused',
        'nothing leaks out of the garden',
      );
    }
    const members = [GARDENER, SUSPENDED].map((serial) => ont(serial).lease?.address);
    assert.deepEqual((await house.gardenMembers()).toSorted(), members.toSorted());
    const before = renewals(GARDENER);
    await until('a renewal is answered', 15_000, () => (renewals(GARDENER) > before ? true : null));
  }

  it('has the same sessions, forwards for them without their asking, and answers renewals', () =>
    same(async () => {
      await house.bng.process.kill();
      await house.restartBng();
    }));

  it('stopped in order and started again it is the same', () =>
    same(async () => {
      await house.bng.process.stop();
      assert.deepEqual(house.bng.process.exit, { exitCode: 0, signal: null });
      await house.restartBng();
    }));

  it('an order goes on where it was: the suspended one comes back to its service', async () => {
    ordered(await house.order('resume', SUSPENDED));
    await leaseIn(ont(SUSPENDED), RESIDENTIAL);
    const page = await ont(SUSPENDED).httpGet(`http://${internet}/`);
    assert.ok(page.ok && page.body.includes('client '), JSON.stringify(page));
  });

  it('a teardown leaves no session', async () => {
    const ids = (await sessions()).map((session) => session?.id);
    await house.bng.process.stop();
    const { exitCode, stderr } = await house.bng.teardown();
    assert.equal(exitCode, 0, stderr);
    await house.restartBng();
    for (const session of await sessions()) assert.ok(!ids.includes(session?.id), JSON.stringify(session));
  });
});
