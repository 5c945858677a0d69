/** Three real DHCP clients in the lab, against a gateway of few words. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DhcpClientKind } from '../../src/lab/dhcp-client.js';
import { Lab } from '../../src/lab/lab.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { dhcpOf, FakeGateway } from './lab-fake-gateway.js';
import { WireTap } from './lab-wire-tap.js';

const KINDS: readonly DhcpClientKind[] = ['udhcpc', 'dhclient', 'dhcpcd'];
const DEADLINE_MS = 20_000;

describe('DHCP clients of the lab', { timeout: 150_000 }, () => {
  let lab: Lab;
  let trunk: WireTap;
  let gateway: FakeGateway;

  before(async () => {
    lab = await Lab.create({ prefix: 'lbc' });
    trunk = await WireTap.open(lab.namespaces.bng, 'access0');
    gateway = new FakeGateway(trunk);
    await Promise.all(
      KINDS.map((client, i) =>
        lab.plug({ ontSerial: client, port: `1/1/${i + 1}`, tagging: 'qinq', client }),
      ),
    );
  });
  after(async () => {
    await trunk?.close();
    await lab?.close();
  });

  for (const kind of KINDS) {
    it(`${kind} gets a lease, sets address and route, and tells what it got`, async () => {
      const ont = lab.ont(kind);
      const lease = await ont.waitForLease(DEADLINE_MS);
      assert.ok(lease !== null, 'no lease');
      assert.equal(lease.event, 'bound');
      assert.equal(lease.prefixLength, 24);
      assert.equal(lease.router, '10.0.0.1');
      assert.deepEqual(lease.dns, ['10.0.0.1']);
      assert.equal(lease.leaseSeconds, 3600);
      assert.equal(lease.serverId, '10.0.0.1');
      assert.ok(Math.abs(Date.now() - lease.time) < 60_000, `odd time ${lease.time}`);
      assert.deepEqual(await ont.address(), { address: lease.address, prefixLength: 24 });
      assert.match((await ont.run(['ip', 'route'])).stdout, /default via 10\.0\.0\.1/);
    });

    it(`${kind} asks again when its link comes back, and starts over after a NAK`, async () => {
      const ont = lab.ont(kind);
      const old = ont.lease!;
      const events = ont.leaseEvents.length;
      const from = trunk.frames.length;
      gateway.refused.add(kind);
      await lab.askOlt('reconfigure', { ontSerial: kind, sVlan: 200, qosDownloadBps: 0, qosUploadBps: 0 });
      const request = await trunk.waitFor('REQUEST', dhcpOf('DHCPREQUEST', kind), from);
      const asked = request.message.options.requestedAddress ?? request.message.ciaddr;
      assert.equal(formatIpv4(asked), old.address);
      await trunk.waitFor('DISCOVER', dhcpOf('DHCPDISCOVER', kind), from, DEADLINE_MS);
      const next = await ont.waitForLeaseEvent(DEADLINE_MS, (event) => event.event === 'bound', events);
      assert.ok(next !== null, `no lease after the NAK, events ${JSON.stringify(ont.leaseEvents)}`);
      assert.ok((await ont.waitForCarrierLosses(1, 1_000)) && ont.carrierLosses === 1);
    });

    it(`${kind} gives its lease back when told to`, async () => {
      const ont = lab.ont(kind);
      const held = ont.lease!;
      const from = trunk.frames.length;
      await ont.release();
      const { message } = await trunk.waitFor('RELEASE', dhcpOf('DHCPRELEASE', kind), from);
      assert.equal(formatIpv4(message.ciaddr), held.address);
      assert.ok(
        await ont.waitForLeaseEvent(
          DEADLINE_MS,
          (event) => event.event === 'lost',
          ont.leaseEvents.indexOf(held),
        ),
      );
      assert.equal(ont.lease, null);
    });
  }

  it('no client touches the resolv.conf of the machine', async () => {
    const { readFileSync } = await import('node:fs');
    assert.ok(!readFileSync('/etc/resolv.conf', 'utf8').includes('10.0.0.1'));
  });
});
