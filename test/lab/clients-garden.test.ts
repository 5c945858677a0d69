/** Three real DHCP clients on three kinds of line get, renew and lose a lease of the walled garden. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { DhcpClientKind } from '../../src/lab/dhcp-client.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { parseIpv4, prefixContains } from '../../src/model/ipv4.js';
import { formatMac } from '../../src/model/mac.js';
import type { Tagging } from '../../src/olt/protocol.js';
import { DhcpWatch } from '../support/lab-dhcp-watch.js';
import { GARDEN, House, leaseIn, REFUSED_MS, until } from '../support/lab-house.js';

const CLIENTS: readonly DhcpClientKind[] = ['udhcpc', 'dhclient', 'dhcpcd'];
const TAGGINGS: readonly Tagging[] = ['untagged', 'single', 'qinq'];
const LINES = TAGGINGS.flatMap((tagging, t) =>
  CLIENTS.map((client, c) => {
    const n = t * CLIENTS.length + c + 1;
    return { n, client, tagging, ontSerial: `${client}-${tagging}`, port: `1/1/${n}` };
  }),
);
/** udhcpc renews after 15 s at the earliest, and dhcpcd believes in no lease below 20 s, whatever they are told. */
const LEASE_SECONDS = 20;
const BLOCKED_MS = 700;
const PORTAL = '10.255.0.1';
const EVERYBODY = '255.255.255.255';

describe('DHCP clients in the walled garden', { timeout: 120_000 }, () => {
  let house: House;
  const watches = new Map<string, DhcpWatch>();
  const ont = (serial: string): OntHost => house.lab.ont(serial);
  const watch = (serial: string): DhcpWatch => watches.get(serial)!;

  before(async () => {
    house = await House.start({ prefix: 'l1a', leaseTimes: { wgar: `${LEASE_SECONDS}s` } });
    const hosts = await house.plugAll(
      LINES.map(({ ontSerial, port, client, tagging }) => ({ ontSerial, port, client, tagging })),
    );
    await Promise.all(
      hosts.map(async (host) => watches.set(host.ontSerial, await DhcpWatch.open(host, house.lab))),
    );
  });
  after(() => house?.close());

  describe('each', { concurrency: LINES.length }, () => {
    for (const { ontSerial, tagging, port } of LINES) {
      it(`${ontSerial} gets a lease with the garden's router, mask, resolvers and server, on its own line`, async () => {
        const host = ont(ontSerial);
        const lease = await leaseIn(host, GARDEN);
        assert.equal(lease.router, '10.255.0.1');
        assert.equal(lease.prefixLength, 16);
        assert.deepEqual(lease.dns, ['8.8.8.8', '8.8.4.4']);
        assert.equal(lease.serverId, '10.255.0.1');
        assert.equal(lease.leaseSeconds, LEASE_SECONDS);
        assert.equal((await host.address())?.address, lease.address);
        const session = await house.session(ontSerial);
        assert.equal(session?.state, 'wgar');
        assert.equal(session.lease_phase, 'bound');
        assert.equal(session.address, lease.address);
        assert.equal(session.circuit_id, `agg-01|${port}`);
        assert.equal(session.attachment?.mac, formatMac(host.mac));
        assert.equal(session.attachment.s_vlan, tagging === 'untagged' ? 0 : 100);
        assert.equal(session.attachment.c_vlan !== 0, tagging === 'qinq');
      });
    }
  });

  it('no two lines share an address', () => {
    const addresses = house.lab.onts.map((host) => host.lease?.address);
    assert.equal(new Set(addresses).size, LINES.length, addresses.join(' '));
  });

  describe('TCP', { concurrency: LINES.length }, () => {
    for (const { ontSerial } of LINES) {
      it(`${ontSerial} moves data to and from the portal and the allowed destination, and nothing else`, async () => {
        const host = ont(ontSerial);
        const [portal, hijacked, allowed, down, up, https] = await Promise.all([
          host.httpGet(`http://${PORTAL}/`),
          host.httpGet(`http://${CORE_ADDRESSES.internet}/`),
          host.httpGet(`http://${CORE_ADDRESSES.gardenAllowed}/`),
          host.download(`http://${CORE_ADDRESSES.gardenAllowed}/bytes/200000`, 10_000),
          host.upload(`http://${CORE_ADDRESSES.gardenAllowed}/upload`, 200_000, 10_000),
          host.tcpConnect(CORE_ADDRESSES.internet, 443, REFUSED_MS),
        ]);
        assert.ok(portal.ok && portal.body.includes('not activated yet'), JSON.stringify(portal));
        assert.ok(hijacked.ok && !hijacked.body.includes('server internet'), JSON.stringify(hijacked));
        assert.ok(allowed.ok && allowed.body.includes('server garden-allowed'), JSON.stringify(allowed));
        assert.ok(down.ok && down.bytes === 200_000, JSON.stringify(down));
        assert.ok(up.ok && up.bytes === 200_000, JSON.stringify(up));
        assert.equal(https, 'refused');
      });
    }
  });

  describe('renewal', { concurrency: LINES.length }, () => {
    for (const { ontSerial, client } of LINES) {
      it(`${ontSerial} renews by unicast before its lease ends, and the end moves`, async () => {
        const host = ont(ontSerial);
        const old = await house.session(ontSerial);
        const { address } = host.lease!;
        const requests = watch(ontSerial).sent.length;
        const from = host.leaseEvents.length;
        const event = await host.waitForLeaseEvent(LEASE_SECONDS * 1000, () => true, from);
        assert.equal(event?.event, 'renewed');
        assert.equal(event.address, address);
        const session = await house.session(ontSerial);
        assert.equal(session?.id, old?.id);
        assert.ok(Date.parse(session!.lease_expires_at!) > Date.parse(old!.lease_expires_at!));
        const sent = await watch(ontSerial).since(requests);
        assert.deepEqual(sent[0], { message: 'Request', source: address, destination: PORTAL });
        // udhcpc opens its socket after it has sent: a quick ACK meets a closed port, and it asks everybody a second later.
        if (client === 'udhcpc' && sent.length === 2) assert.equal(sent[1]?.destination, EVERYBODY);
        else assert.equal(sent.length, 1, JSON.stringify(sent));
      });
    }
  });

  describe('INIT-REBOOT', { concurrency: 3 }, () => {
    for (const tagging of TAGGINGS) {
      it(`dhclient-${tagging} restarts with its lease file and is told its address again, without a DISCOVER`, async () => {
        const host = ont(`dhclient-${tagging}`);
        const { address } = host.lease!;
        const from = host.leaseEvents.length;
        const requests = watch(host.ontSerial).sent.length;
        await host.askAgain();
        const event = await host.waitForLeaseEvent(10_000, () => true, from);
        assert.equal(event?.event, 'bound');
        assert.equal(event.address, address);
        const [first] = await watch(host.ontSerial).since(requests);
        assert.deepEqual(first, { message: 'Request', source: '0.0.0.0', destination: EVERYBODY });
      });
    }
  });

  describe('at the end of a lease', { concurrency: LINES.length }, () => {
    for (const { ontSerial, tagging } of LINES.filter((line) => line.tagging !== 'qinq')) {
      it(`${ontSerial} rebinds by broadcast when no unicast gets through, and keeps its address`, async () => {
        const host = ont(ontSerial);
        const rules = [
          'add table ip deaf',
          'add chain ip deaf out { type filter hook output priority 0; }',
          `add rule ip deaf out ip daddr ${PORTAL} udp dport 67 drop`,
        ];
        const { exitCode, stderr } = await host.run(['nft', rules.join('; ')]);
        assert.equal(exitCode, 0, stderr);
        const from = host.leaseEvents.length;
        const requests = watch(ontSerial).sent.length;
        const { address } = host.lease!;
        const event = await host.waitForLeaseEvent(LEASE_SECONDS * 1000, () => true, from);
        assert.equal(event?.event, 'renewed', tagging);
        assert.equal(event.address, address);
        const sent = await watch(ontSerial).since(requests);
        assert.ok(
          sent.every(({ message }) => message === 'Request'),
          JSON.stringify(sent),
        );
        assert.ok(
          sent.every(({ destination }) => destination === EVERYBODY),
          JSON.stringify(sent),
        );
        await host.run(['nft', 'delete', 'table', 'ip', 'deaf']);
      });
    }
    for (const client of CLIENTS) {
      it(`${client}-qinq stops without a word: when the lease runs out the session ends and its address is dropped`, async () => {
        const host = ont(`${client}-qinq`);
        const { address } = host.lease!;
        await host.stop();
        const old = await house.session(host.ontSerial);
        const expiresAtMs = Date.parse(old!.lease_expires_at!);
        const next = await house.untilSession(
          host.ontSerial,
          'is another session without a lease',
          ({ id, lease_phase: phase }) => id !== old?.id && phase === 'none',
          (LEASE_SECONDS + 5) * 1000,
        );
        assert.ok(Date.now() >= expiresAtMs, 'the session ended before its lease');
        assert.equal(await house.session(old!.id), null);
        assert.ok(!(await house.gardenMembers()).includes(address));
        assert.equal(next.attachment, null);
        await assertNothingPasses(host, address);
      });
    }
  });

  describe('release', { concurrency: 3 }, () => {
    for (const client of CLIENTS) {
      it(`${client}-single releases its lease: it leaves the dataplane, and its address is dropped`, async () => {
        const host = ont(`${client}-single`);
        const { address } = host.lease!;
        assert.ok((await house.gardenMembers()).includes(address));
        await host.release();
        const isFree = ({ lease_phase: phase }: { lease_phase: string }): boolean => phase === 'none';
        await house.untilSession(host.ontSerial, 'is without a lease', isFree);
        assert.ok(!(await house.gardenMembers()).includes(address));
        await until('tcpdump tells of the RELEASE', 5_000, () =>
          watch(host.ontSerial).sent.some(({ message }) => message === 'Release') ? true : null,
        );
        await assertNothingPasses(host, address);
      });
    }
  });

  /** With the address put back on its interface, the equipment is heard by nobody. */
  async function assertNothingPasses(host: OntHost, address: string): Promise<void> {
    assert.ok(prefixContains(GARDEN, parseIpv4(address)));
    const configure = [
      'ip addr flush dev eth0',
      `ip addr add ${address}/16 dev eth0`,
      `ip route replace default via ${PORTAL} dev eth0 onlink`,
    ];
    assert.equal((await host.run(['sh', '-ec', configure.join('; ')])).exitCode, 0);
    const before = await house.bng.get('/api/v1/drops');
    const outcomes = await Promise.all([
      host.tcpConnect(PORTAL, 80, BLOCKED_MS),
      host.tcpConnect(CORE_ADDRESSES.gardenAllowed, 80, BLOCKED_MS),
      host.ping(PORTAL, { timeoutMs: BLOCKED_MS }),
    ]);
    assert.deepEqual(outcomes.slice(0, 2).includes('connected'), false, JSON.stringify(outcomes));
    assert.equal(outcomes[2].received, 0);
    assert.notDeepEqual((await house.bng.get('/api/v1/drops')).body, before.body);
  }
});
