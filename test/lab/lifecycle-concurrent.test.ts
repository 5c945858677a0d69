/** Twenty subscribers are activated in the same instant. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { patience } from '../../src/lab/patience.js';
import { BUSINESS, GARDEN, House, leaseIn, ordered, RESIDENTIAL } from '../support/lab-house.js';

const COUNT = 20;
const DEADLINE_MS = 40_000;
const SERIALS = Array.from({ length: COUNT }, (_, i) => `MANY${String(i + 1).padStart(8, '0')}`);
const isBusiness = (index: number): boolean => index % 4 === 3;

describe('twenty concurrent activations', { timeout: 150_000 }, () => {
  let house: House;

  before(async () => {
    house = await House.start({ prefix: 'l1e' });
    const hosts = await house.plugAll(
      SERIALS.map((ontSerial, i) => ({
        ontSerial,
        port: `1/1/${i + 1}`,
        tagging: 'qinq',
        cVlan: i + 1,
        client: 'udhcpc',
      })),
    );
    await Promise.all(hosts.map((host) => leaseIn(host, GARDEN, DEADLINE_MS)));
  });
  after(() => house?.close());

  it('each gets an ISP address of its own and reaches the internet with it', async (t) => {
    const times = await Promise.all(
      SERIALS.map(async (ontSerial, index) => {
        const began = performance.now();
        const business = { pool: 'isp-business', service_id: 'business-500' };
        ordered(await house.activate(ontSerial, isBusiness(index) ? business : {}));
        const orderedMs = performance.now() - began;
        await leaseIn(house.lab.ont(ontSerial), isBusiness(index) ? BUSINESS : RESIDENTIAL, DEADLINE_MS);
        return { orderedMs, leasedMs: performance.now() - began };
      }),
    );
    for (const key of ['orderedMs', 'leasedMs'] as const) {
      const sorted = times.map((time) => Math.round(time[key])).sort((a, b) => a - b);
      t.diagnostic(`${key}: ${sorted.join(' ')}; median ${sorted[COUNT / 2]}`);
    }
    const addresses = house.lab.onts.map((host) => host.lease?.address);
    assert.equal(new Set(addresses).size, COUNT, addresses.join(' '));
    await Promise.all(
      house.lab.onts.map(async (host) => {
        const page = await host.httpGet(`http://${CORE_ADDRESSES.internet}/`, 10_000 * patience);
        assert.ok(page.ok && page.body.includes(`client ${host.lease?.address}\n`), JSON.stringify(page));
        const session = await house.session(host.ontSerial);
        assert.deepEqual([session?.state, session?.address], ['active', host.lease?.address]);
      }),
    );
  });

  it('the garden is empty, and every count agrees', async () => {
    assert.deepEqual(await house.gardenMembers(), []);
    const business = SERIALS.filter((_, index) => isBusiness(index)).length;
    assert.equal(await house.allocated('wgar'), 0);
    assert.equal(await house.allocated('isp-business'), business);
    assert.equal(await house.allocated('isp-residential'), COUNT - business);
    const metrics = await house.bng.metrics();
    assert.equal(metrics.get('bng_sessions_total{state="active"}'), COUNT);
    assert.equal(metrics.get('bng_activations_total{result="success"}'), COUNT);
    assert.equal(metrics.get('bng_activation_duration_seconds_count'), COUNT);
  });
});
