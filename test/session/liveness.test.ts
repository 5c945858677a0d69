/** Whether the stations of leases are still there, and what their silence means. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { LivenessSettings } from '../../src/session/liveness.js';
import { ArpPeer, tagsOf } from '../support/arp-peer.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, poolOf } from '../support/inner-bng.js';

const LIVENESS: LivenessSettings = {
  action: 'report',
  intervalMs: 10_000,
  tries: 2,
  waitMs: 200,
  perSecond: 100,
};
const TAGS = tagsOf(100, 7);

let bng: InnerBng;
let arp: ArpPeer;
afterEach(() => assert.deepEqual(bng.bugs, []));

function begin(liveness: Partial<LivenessSettings>): void {
  bng = new InnerBng({
    pools: [GARDEN, poolOf('isp', '10.0.0.0/16')],
    lines: { settings: { liveness: { ...LIVENESS, ...liveness } } },
  });
  arp = new ArpPeer(bng.dataplane);
}

const troubles = (): readonly string[] =>
  bng.lifecycle.flatMap((event) => (event.type === 'trouble' ? [event.reason] : []));

/** Time passes in steps of a tick; `answering` stations answer what they are asked. Gives how many questions there were. */
async function passes(ms: number, answering: readonly DhcpClient[] = []): Promise<number> {
  let questions = 0;
  for (let passed = 0; passed < ms; passed += 100) {
    await bng.clock.advance(100);
    for (const { targetIp, to } of arp.asked()) {
      questions += 1;
      const client = answering.find(({ mac }) => mac === to);
      if (client !== undefined) arp.answers({ address: targetIp, mac: client.mac, tags: TAGS });
    }
    await settled();
  }
  return questions;
}

async function leased(): Promise<{ readonly client: DhcpClient; readonly address: Ipv4 }> {
  const client = bng.ont('ONT1', { tags: TAGS });
  return { client, address: (await client.lease()).message.yiaddr };
}

describe('the liveness of stations', () => {
  it('off: nobody is asked, and no timer runs', async () => {
    begin({ action: 'off' });
    const timers = bng.clock.pendingTimers;
    assert.equal(timers, 0);
    await leased();
    assert.equal(await passes(60_000), 0);
  });

  it('is asked of the station alone, on its line, from no address, once in an interval', async () => {
    begin({});
    const { client, address } = await leased();
    await bng.clock.advance(100);
    const [question, ...more] = arp.asked();
    assert.deepEqual(more, []);
    assert.deepEqual(
      [question?.to, question?.targetIp, question?.senderIp, question?.vlans],
      [client.mac, address, 0, [100, 7]],
    );
    arp.answers({ address, mac: client.mac, tags: TAGS });
    assert.equal(await passes(9_000, [client]), 0);
    assert.equal(await passes(20_000, [client]), 2);
    assert.equal(bng.manager.lineFigures().liveness.answered, 3);
    assert.deepEqual(troubles(), []);
  });

  it('who has sent something since the last look is not asked', async () => {
    begin({});
    const { client, address } = await leased();
    await passes(1_000, [client]);
    let packets = 0n;
    for (let round = 0; round < 3; round += 1) {
      packets += 1n;
      bng.dataplane.setTraffic(address, {
        upstreamPackets: packets,
        upstreamBytes: packets * 100n,
        downstreamPackets: 0n,
        downstreamBytes: 0n,
      });
      assert.equal(await passes(10_000), 0);
    }
    assert.equal(bng.manager.lineFigures().liveness.active, 3);
  });

  it('report: silence is told of once, as is its end, and the lease goes on', async () => {
    begin({ action: 'report' });
    const { client, address } = await leased();
    assert.equal(await passes(25_000), 6, 'two questions in each of three looks');
    assert.deepEqual(troubles(), [
      '02:00:00:00:00:01, which has 10.255.0.' + (address & 0xff) + ', does not answer',
    ]);
    await passes(10_000, [client]);
    assert.match(troubles()[1] ?? '', /answers again$/);
    assert.notEqual(bng.dataplane.installed(address), null);
    assert.equal(bng.manager.lineFigures().liveness.silent, 3);
  });

  it('close: the session of a silent station ends, out of the dataplane, with its Stop', async () => {
    begin({ action: 'close' });
    const { address } = await leased();
    await passes(1_000);
    assert.equal(bng.dataplane.installed(address), null);
    assert.deepEqual(bng.accounted.at(-1)?.final?.cause, 'Lost-Carrier');
    assert.equal(bng.allocated('wgar'), 0);
  });

  it('close: who renews while it is asked is there', async () => {
    begin({ action: 'close' });
    const { client, address } = await leased();
    await passes(200);
    await client.renew(address);
    await passes(1_000);
    assert.notEqual(bng.dataplane.installed(address), null);
  });

  it('asks no more than so many a second, whatever the interval', async () => {
    begin({ perSecond: 20, tries: 1, intervalMs: 1_000 });
    for (let n = 1; n <= 100; n += 1) {
      await bng.ont(`ONT${n}`, { mac: (0x02_00_00_00_01_00 + n) as Mac, tags: TAGS }).lease();
    }
    arp.asked();
    for (let second = 0; second < 4; second += 1) assert.ok((await passes(1_000)) <= 21);
    await passes(2_000);
    assert.equal(troubles().length, 100, 'all of them in their turn');
  });

  it('is set anew by a reload', async () => {
    begin({ action: 'off' });
    await leased();
    const { effort, newMac } = { effort: { tries: 1, waitMs: 100 }, newMac: 'probe' as const };
    bng.manager.useLines({ newMac, effort, liveness: { ...LIVENESS, action: 'close' } });
    await passes(1_000);
    assert.deepEqual(await bng.dataplane.dump(), []);
    bng.manager.useLines({ newMac, effort, liveness: { ...LIVENESS, action: 'off' } });
    assert.equal(await passes(20_000), 0);
  });
});
