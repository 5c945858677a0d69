/** The real `bng run` whose store's disk is full: who has service keeps it, nobody new begins, and a kill -9 loses nothing. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exec, execOrThrow } from '../../src/lab/exec.js';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import type { ApiSession } from '../support/lab-house.js';
import { GARDEN, House, leaseIn, until } from '../support/lab-house.js';

const FIRST = 'FULLDISK0001';
const SECOND = 'FULLDISK0002';
const NEWCOMER_WAITS_MS = 4_000;

describe('a disk that is full under the store', { timeout: 120_000 * patience }, () => {
  let house: House;
  let folder = '';
  const ballast = (): string => join(folder, 'ballast');
  const renewals = (host: OntHost): number =>
    host.leaseEvents.filter(({ event }) => event === 'renewed').length;
  const plug = (ontSerial: string, n: number) =>
    house.lab.plug({ ontSerial, port: `1/1/${n}`, tagging: 'qinq', cVlan: n, client: 'dhclient' });
  const lasting = (session: ApiSession | null) => ({ ...session, lease_expires_at: null });

  async function store(): Promise<{ readonly degraded: boolean; readonly detail: string }> {
    const { body } = await house.bng.get('/readyz');
    const checks = body['checks'] as readonly { name: string; degraded?: boolean; detail: string }[];
    const found = checks.find(({ name }) => name === 'store');
    assert.ok(found !== undefined, JSON.stringify(body));
    return { degraded: found.degraded === true, detail: found.detail };
  }

  async function isServed(host: OntHost): Promise<void> {
    const page = await host.httpGet(`http://${CORE_ADDRESSES.gardenAllowed}/`);
    assert.ok(page.ok, JSON.stringify(page));
  }

  async function renews(host: OntHost): Promise<void> {
    const seen = renewals(host);
    await until('a renewal is answered', 20_000, () => (renewals(host) > seen ? true : null));
  }

  before(async () => {
    house = await House.start({
      prefix: 'full',
      leaseTimes: { wgar: '12s' },
      configure: async (lab) => {
        folder = join(lab.paths.directory, 'small');
        mkdirSync(folder);
        await execOrThrow(['mount', '-t', 'tmpfs', '-o', 'size=3m', 'small', folder]);
        lab.onClose(async () => void (await exec(['umount', '--lazy', folder])));
        return { store: { path: folder } };
      },
    });
  });
  after(() => house?.close());

  it('is an alarm and refuses new sessions; who has one is served, and renews', async () => {
    const first = await plug(FIRST, 1);
    await leaseIn(first, GARDEN);
    await exec(['dd', 'if=/dev/zero', `of=${ballast()}`, 'bs=4k', 'status=none']);
    await until('the alarm', 30_000, async () => ((await store()).degraded ? true : null));
    assert.match((await store()).detail, /takes nothing, no new sessions \(full\)/);
    const second = await plug(SECOND, 2);
    assert.equal(await second.waitForLease(NEWCOMER_WAITS_MS), null, 'nobody new');
    await renews(first);
    await isServed(first);
    const metrics = await house.bng.metrics();
    assert.equal(metrics.get('bng_store_failing'), 1);
  });

  it('a kill -9 and a start on the full disk lose nothing of who has service', async () => {
    const was = await house.session(FIRST);
    await house.bng.process.kill();
    await house.restartBng();
    assert.deepEqual(lasting(await house.session(FIRST)), lasting(was));
    await renews(house.lab.ont(FIRST));
    await isServed(house.lab.ont(FIRST));
    assert.equal(house.lab.ont(SECOND).lease, null);
  });

  it('with room again the alarm ends, new sessions begin, and all outlive a kill -9', async () => {
    rmSync(ballast());
    await leaseIn(house.lab.ont(SECOND), GARDEN);
    await until('the end of the alarm', 20_000, async () => ((await store()).degraded ? null : true));
    const was = await Promise.all([FIRST, SECOND].map((serial) => house.session(serial)));
    await house.bng.process.kill();
    await house.restartBng();
    const now = await Promise.all([FIRST, SECOND].map((serial) => house.session(serial)));
    assert.deepEqual(now.map(lasting), was.map(lasting));
    await Promise.all([FIRST, SECOND].map((serial) => isServed(house.lab.ont(serial))));
  });
});
