/** Activation and suspension move three real DHCP clients on three kinds of line from pool to pool. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { DhcpClientKind } from '../../src/lab/dhcp-client.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import type { Tagging } from '../../src/olt/protocol.js';
import { DhcpWatch } from '../support/lab-dhcp-watch.js';
import {
  GARDEN,
  House,
  leaseIn,
  MOVE_DEADLINE_MS,
  ordered,
  RESIDENTIAL,
  until,
} from '../support/lab-house.js';

const CLIENTS: readonly DhcpClientKind[] = ['udhcpc', 'dhclient', 'dhcpcd'];
const TAGGINGS: readonly Tagging[] = ['untagged', 'single', 'qinq'];
const LINES = TAGGINGS.flatMap((tagging, t) =>
  CLIENTS.map((client, c) => {
    const n = t * CLIENTS.length + c + 1;
    return { client, tagging, ontSerial: `${client}-${tagging}`, port: `1/1/${n}` };
  }),
);
const BLOCKED_MS = 700;
/** What each client does first when its link comes back with a lease at hand. */
const FIRST_QUESTION: Readonly<Record<DhcpClientKind, RegExp>> = {
  udhcpc: /^Request from an address$/,
  dhclient: /^Request from nowhere$/,
  dhcpcd: /^Request from (nowhere|an address)$/,
};

describe('moving DHCP clients', { timeout: 120_000 }, () => {
  let house: House;
  const watches = new Map<string, DhcpWatch>();
  const ont = (serial: string): OntHost => house.lab.ont(serial);

  before(async () => {
    house = await House.start({ prefix: 'l1b' });
    const hosts = await house.plugAll(LINES);
    await Promise.all(
      hosts.map(async (host) => {
        watches.set(host.ontSerial, await DhcpWatch.open(host, house.lab));
        await leaseIn(host, GARDEN);
      }),
    );
  });
  after(() => house?.close());

  describe('activation', { concurrency: LINES.length }, () => {
    for (const { ontSerial, client, tagging } of LINES) {
      it(`${ontSerial} asks for its old address, is refused, and moves to an ISP address on its own`, async () => {
        const host = ont(ontSerial);
        const old = host.lease!;
        const requests = watches.get(ontSerial)!.sent.length;
        const losses = host.carrierLosses;
        const answer = ordered(await house.activate(ontSerial));
        assert.equal(answer.old_state, 'wgar');
        assert.equal(answer.old_ip, old.address);
        assert.ok(await host.waitForCarrierLosses(losses + 1, MOVE_DEADLINE_MS), 'its link never bounced');
        const lease = await leaseIn(host, RESIDENTIAL);
        assert.equal(lease.event, 'bound');
        assert.equal(lease.prefixLength, 12);
        assert.equal(lease.router, '10.0.0.1');
        assert.equal(lease.serverId, '10.0.0.1');
        assert.deepEqual(lease.dns, ['1.1.1.1', '1.0.0.1']);
        assert.equal(lease.leaseSeconds, 86_400);
        assert.equal((await host.address())?.address, lease.address);
        const session = await house.session(ontSerial);
        assert.equal(session?.state, 'active');
        assert.equal(session.held_address, null);
        assert.equal(session.attachment?.s_vlan, tagging === 'untagged' ? 0 : 200);
        assert.ok(!(await house.gardenMembers()).includes(old.address));
        const sent = await until('tcpdump tells of DISCOVER and REQUEST', 5_000, () => {
          const since = watches.get(ontSerial)!.sent.slice(requests);
          if (since.length < 3 || since.at(-1)?.message !== 'Request') return null;
          return since.map(
            (one) => `${one.message} from ${one.source === '0.0.0.0' ? 'nowhere' : 'an address'}`,
          );
        });
        assert.match(sent[0] ?? '', FIRST_QUESTION[client]);
        assert.deepEqual(sent.slice(-2), ['Discover from nowhere', 'Request from nowhere']);
      });
    }
  });

  describe('the internet', { concurrency: LINES.length }, () => {
    for (const { ontSerial } of LINES) {
      it(`${ontSerial} moves data to and from the internet with its own address`, async () => {
        const host = ont(ontSerial);
        const [page, https, ping, down, up] = await Promise.all([
          host.httpGet(`http://${CORE_ADDRESSES.internet}/`),
          host.tcpConnect(CORE_ADDRESSES.internet, 443),
          host.ping(CORE_ADDRESSES.internet),
          host.download(`http://${CORE_ADDRESSES.internet}/bytes/500000`, 10_000),
          host.upload(`http://${CORE_ADDRESSES.internet}/upload`, 500_000, 10_000),
        ]);
        assert.ok(page.ok && page.body.includes('server internet'), JSON.stringify(page));
        assert.ok(page.body.includes(`client ${host.lease!.address}\n`), page.body);
        assert.equal(https, 'connected');
        assert.equal(ping.received, 1);
        assert.ok(down.ok && down.bytes === 500_000, JSON.stringify(down));
        assert.ok(up.ok && up.bytes === 500_000, JSON.stringify(up));
      });
    }
  });

  it('nobody is left in the garden, and its addresses are free', async () => {
    assert.deepEqual(await house.gardenMembers(), []);
    assert.equal(await house.allocated('wgar'), 0);
    assert.equal(await house.allocated('isp-residential'), LINES.length);
    assert.equal(new Set(house.lab.onts.map((host) => host.lease?.address)).size, LINES.length);
  });

  describe('suspension', { concurrency: CLIENTS.length }, () => {
    for (const client of CLIENTS) {
      it(`${client}-qinq moves back to its address in the garden, which is all it reaches then`, async () => {
        const host = ont(`${client}-qinq`);
        const first = host.leaseEvents.find(({ event }) => event === 'bound');
        ordered(await house.order('suspend', host.ontSerial));
        const lease = await leaseIn(host, GARDEN);
        assert.equal(lease.address, first?.address);
        assert.equal((await house.session(host.ontSerial))?.state, 'suspended');
        const [portal, https] = await Promise.all([
          host.httpGet(`http://${CORE_ADDRESSES.internet}/`),
          host.tcpConnect(CORE_ADDRESSES.internet, 443, BLOCKED_MS),
        ]);
        assert.ok(portal.ok && portal.body.includes('Your line is suspended'), JSON.stringify(portal));
        assert.equal(https, 'timeout');
      });
    }
  });

  it('a suspended subscriber whose client does not move has its connections cut at once, both ways', async () => {
    const host = ont('udhcpc-single');
    const { address } = host.lease!;
    // It keeps its address and its connections, and asks for nothing any more.
    await host.stop();
    const transfers = Promise.all([
      host.download(`http://${CORE_ADDRESSES.internet}/bytes/${10 ** 11}`, 30_000),
      host.upload(`http://${CORE_ADDRESSES.internet}/upload`, 10 ** 11, 30_000),
    ]);
    const bytes = async (): Promise<number[]> => {
      const { body } = await house.bng.get(`/api/v1/sessions/${host.ontSerial}`);
      const traffic = body['traffic'] as Record<string, string>;
      return [Number(traffic['upstream_bytes']), Number(traffic['downstream_bytes'])];
    };
    const [up = 0, down = 0] = await bytes();
    await until('a megabyte each way', 10_000, async () => {
      const [nowUp = 0, nowDown = 0] = await bytes();
      return nowUp > up + 1e6 && nowDown > down + 1e6 ? true : null;
    });
    ordered(await house.order('suspend', host.ontSerial));
    const cutAt = await house.verdicts();
    const dropped = await house.drops('garden');
    await until('both ends send again in vain', 10_000, async () =>
      (await house.drops('garden')) >= dropped + 4 ? true : null,
    );
    const later = await house.verdicts();
    assert.deepEqual(
      [later['forward_up'], later['forward_down']],
      [cutAt['forward_up'], cutAt['forward_down']],
    );
    for (const outcome of await transfers) {
      // Cut either way: nothing comes any more, or the stack says that the connection is gone.
      const isReset = !outcome.ok && outcome.reason.includes('reset');
      assert.ok(!outcome.ok && (outcome.stalled || isReset), JSON.stringify(outcome));
    }
    const session = await house.session(host.ontSerial);
    assert.deepEqual([session?.state, session?.held_address], ['suspended', address]);
  });
});
