/** The operator's orders from end to end: activation, suspension, resumption, termination, with the client's part. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { logLifecycle } from '../../src/lifecycle-log.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { prefixContains } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf, serverIdOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, HOME, InnerBng, gardenProfile, orderFor } from '../support/inner-bng.js';

const TRAFFIC = { upstreamPackets: 1n, upstreamBytes: 10n, downstreamPackets: 2n, downstreamBytes: 20n };

let bng: InnerBng;
let client: DhcpClient;
/** The garden address that the client has before each test. */
let old: Ipv4;

beforeEach(async () => {
  bng = new InnerBng();
  await bng.detect('ONT1');
  client = bng.ont('ONT1');
  old = (await client.lease()).message.yiaddr;
});
afterEach(() => assert.deepEqual(bng.bugs, []));

/** The client asks for what it has, is told to move, and moves; gives the new address. */
async function move(from: Ipv4): Promise<Ipv4> {
  assert.equal(kindOf(await client.renew(from)), 'DHCPNAK');
  return (await client.lease()).message.yiaddr;
}

async function activated(): Promise<Ipv4> {
  assert.equal((await bng.manager.operator.activate(orderFor('ONT1'))).ok, true);
  return move(old);
}

describe('activation', () => {
  it('walks from the garden to the new pool: NAK for the old address, DISCOVER, ACK of the new one', async () => {
    assert.equal(bng.dataplane.installed(old)?.walled, true);
    bng.dataplane.setTraffic(old, TRAFFIC);
    const result = await bng.manager.operator.activate(orderFor('ONT1'));
    assert.ok(result.ok);
    assert.deepEqual([result.oldState, result.newState, result.oldAddress], ['wgar', 'activating', old]);
    const view = bng.manager.operator.sessionByOnt('ONT1')!;
    assert.deepEqual([view.heldAddress, view.leasePhase], [old, 'none']);
    assert.equal(bng.dataplane.installed(old)?.walled, true, 'the old lease stays until the client moves');
    assert.equal(bng.reconfigured.at(-1)?.profile.poolName, 'isp');

    const nak = await client.renew(old);
    assert.equal(kindOf(nak), 'DHCPNAK');
    assert.equal(serverIdOf(nak!), GARDEN.gateway);
    const offer = await client.discover();
    assert.ok(prefixContains(HOME.network, offer!.message.yiaddr));
    assert.equal(bng.stateOf('ONT1'), 'activating');
    const ack = await client.select(offer!.message.yiaddr, serverIdOf(offer!));
    assert.equal(kindOf(ack), 'DHCPACK');

    assert.equal(bng.stateOf('ONT1'), 'active');
    assert.equal(bng.dataplane.installed(old), null);
    const entry = bng.dataplane.installed(ack!.message.yiaddr);
    assert.deepEqual(
      [entry?.walled, entry?.downloadBitsPerSecond, entry?.uploadBitsPerSecond],
      [false, 1e8, 2e7],
    );
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [0, 1]);
    assert.deepEqual(
      bng.accounted.map(({ kind }) => kind),
      ['start', 'stop', 'start'],
    );
    const stop = bng.accounted[1]!;
    assert.deepEqual(stop.final?.traffic, TRAFFIC);
    assert.deepEqual([stop.installed, stop.allocated], [false, 1], 'removed, then reported, then freed');
    assert.deepEqual(
      bng.dataplane.calls.map(({ verb }) => verb),
      ['install', 'remove', 'install'],
    );
  });

  it('repeated is accepted and changes nothing; for another pool it is a conflict', async () => {
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal((await bng.manager.operator.activate(orderFor('ONT1'))).ok, true);
    await move(old);
    const calls = bng.dataplane.calls.length;
    assert.equal((await bng.manager.operator.activate(orderFor('ONT1'))).ok, true);
    const other = await bng.manager.operator.activate(orderFor('ONT1', 'tiny'));
    assert.deepEqual(other, {
      ok: false,
      kind: 'conflict',
      state: 'active',
      reason: 'a service of another pool is in place',
    });
    assert.equal(bng.dataplane.calls.length, calls);
  });

  it('of another service in the same pool changes the rates in place, with address and lease kept', async () => {
    await bng.manager.operator.activate(orderFor('ONT1'));
    const address = await move(old);
    const order = { ...orderFor('ONT1'), serviceId: 'gold', downloadBitsPerSecond: 9e8 };
    assert.equal((await bng.manager.operator.activate(order)).ok, true);
    assert.equal(bng.dataplane.installed(address)?.downloadBitsPerSecond, 9e8);
    const view = bng.manager.operator.sessionByOnt('ONT1');
    assert.deepEqual([view?.address, view?.state, view?.profile?.serviceId], [address, 'active', 'gold']);
  });

  it('before any DHCP gives the client its new address at once', async () => {
    await bng.detect('ONT2');
    assert.equal((await bng.manager.operator.activate(orderFor('ONT2'))).ok, true);
    const second = bng.ont('ONT2', { mac: (client.mac + 1) as Mac });
    assert.ok(prefixContains(HOME.network, (await second.lease()).message.yiaddr));
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [1, 1]);
  });

  it('outlives the session: the subscriber comes back active', async () => {
    const address = await activated();
    bng.manager.onts.ontDisconnected('ONT1');
    await settled();
    assert.equal(bng.allocated('isp'), 0);
    await bng.detect('ONT1');
    assert.equal(bng.stateOf('ONT1'), 'active');
    assert.equal((await client.lease()).message.yiaddr, address);
  });

  it('whose client never asks: the held lease runs out, and the new address waits for the ONT', async () => {
    await bng.manager.operator.activate(orderFor('ONT1'));
    await bng.clock.advance(600_000);
    assert.equal(bng.dataplane.installed(old), null);
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Lost-Carrier');
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [0, 1]);
    assert.equal(bng.stateOf('ONT1'), 'activating');
    await client.lease();
    assert.equal(bng.stateOf('ONT1'), 'active');
  });

  it('twenty at once: every one has its own new address, and no garden address is left', async () => {
    const clients = Array.from({ length: 20 }, (_, n) => ({
      serial: `ONT-${n}`,
      peer: bng.ont(`ONT-${n}`, { mac: (client.mac + 100 + n) as Mac }),
    }));
    for (const { serial } of clients) await bng.detect(serial);
    for (const { peer } of clients) peer.punt(peer.frame('DHCPDISCOVER'));
    await settled();
    for (const { peer } of clients) await peer.lease();
    const results = await Promise.all(
      clients.map(({ serial }) => bng.manager.operator.activate(orderFor(serial))),
    );
    assert.ok(results.every((result) => result.ok));
    const offers = new Map<DhcpClient, Ipv4>();
    for (const { peer } of clients) {
      peer.heard();
      peer.punt(peer.frame('DHCPDISCOVER'));
    }
    await settled();
    for (const { peer } of clients) offers.set(peer, peer.heard()[0]!.message.yiaddr);
    for (const [peer, address] of offers) {
      peer.heard();
      peer.punt(peer.frame('DHCPREQUEST', { requestedAddress: address, serverId: HOME.gateway }));
    }
    await settled();
    for (const { peer } of clients) assert.deepEqual(peer.heard().map(kindOf), ['DHCPACK']);
    assert.equal(new Set(offers.values()).size, 20);
    assert.equal(bng.manager.operator.stateCounts().active, 20);
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [1, 20]);
  });
});

describe('suspension', () => {
  it('walls the address that the client has at once, then moves it to the garden', async () => {
    const address = await activated();
    const suspended = await bng.manager.operator.suspend('ONT1', 'unpaid');
    assert.ok(suspended.ok);
    assert.deepEqual(
      [suspended.oldState, suspended.newState, suspended.oldAddress],
      ['active', 'suspended', address],
    );
    assert.equal(bng.dataplane.installed(address)?.walled, true);
    assert.equal(await move(address), old);
    assert.equal(bng.dataplane.installed(old)?.walled, true);
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [1, 0]);
    assert.equal(bng.reconfigured.at(-1)?.profile.poolName, gardenProfile.poolName);
  });

  it('walls before the access node has answered, and stays when the access node refuses', async () => {
    const address = await activated();
    let walledThen: boolean | undefined;
    bng.accessNodeSays = () => {
      walledThen = bng.dataplane.installed(address)?.walled;
      return { ok: false, reason: 'OLT is away' };
    };
    assert.equal((await bng.manager.operator.suspend('ONT1', 'unpaid')).ok, true);
    assert.equal(walledThen, true);
    assert.equal(bng.stateOf('ONT1'), 'suspended');
    assert.ok(bng.lifecycle.some((event) => event.type === 'trouble' && event.reason === 'OLT is away'));
  });

  it('resumed before the client moved: the same address, open again, and its lease goes on', async () => {
    const address = await activated();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    const accounted = bng.accounted.length;
    const resumed = await bng.manager.operator.resume('ONT1');
    assert.ok(resumed.ok);
    assert.deepEqual([resumed.oldState, resumed.newState], ['suspended', 'active']);
    assert.equal(bng.dataplane.installed(address)?.walled, false);
    assert.deepEqual([bng.allocated('wgar'), bng.allocated('isp')], [0, 1]);
    assert.equal(kindOf(await client.renew(address, HOME.gateway)), 'DHCPACK');
    assert.equal(bng.accounted.length, accounted, 'it was one lease all the time');
    await bng.clock.advance(HOME.leaseSeconds * 1000 - 1);
    assert.notEqual(bng.dataplane.installed(address), null);
    await bng.clock.advance(1);
    assert.equal(bng.dataplane.installed(address), null);
  });

  it('resumed after the client moved: the client moves back to its address', async () => {
    const address = await activated();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    const garden = await move(address);
    const resumed = await bng.manager.operator.resume('ONT1');
    assert.ok(resumed.ok);
    assert.equal(resumed.newState, 'activating');
    assert.equal(await move(garden), address);
    assert.equal(bng.stateOf('ONT1'), 'active');
    const entry = bng.dataplane.installed(address);
    assert.deepEqual([entry?.walled, entry?.downloadBitsPerSecond], [false, 1e8]);
  });

  it('of an activation under way leaves the client where it is, and resumes to the new service', async () => {
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal((await bng.manager.operator.suspend('ONT1', 'unpaid')).ok, true);
    assert.deepEqual([bng.stateOf('ONT1'), bng.allocated('isp')], ['suspended', 0]);
    assert.equal(kindOf(await client.renew(old)), 'DHCPACK');
    await bng.manager.operator.resume('ONT1');
    assert.ok(prefixContains(HOME.network, await move(old)));
  });

  it('outlives the session, and so does what to resume to', async () => {
    const address = await activated();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    bng.manager.onts.ontDisconnected('ONT1');
    await settled();
    await bng.detect('ONT1');
    assert.equal(bng.stateOf('ONT1'), 'suspended');
    const garden = (await client.lease()).message.yiaddr;
    assert.equal((await bng.manager.operator.resume('ONT1')).ok, true);
    assert.equal(await move(garden), address);
  });
});

describe('the reason of a suspension', () => {
  const reason = (): string | null | undefined => bng.manager.operator.sessionByOnt('ONT1')?.suspendedFor;

  it('is on the session while it is suspended, told with the change of state, and gone with the resumption', async () => {
    const address = await activated();
    assert.equal(reason(), null);
    await bng.manager.operator.suspend('ONT1', 'invoice 17 unpaid');
    assert.equal(reason(), 'invoice 17 unpaid');
    const told = bng.lifecycle.findLast((event) => event.type === 'state-changed');
    assert.deepEqual([told?.session.state, told?.session.suspendedFor], ['suspended', 'invoice 17 unpaid']);
    const lines: unknown[] = [];
    const log = { info: (line: unknown) => lines.push(line) } as unknown as Parameters<
      typeof logLifecycle
    >[0];
    logLifecycle(log)(told!);
    assert.equal((lines[0] as { reason: string }).reason, 'invoice 17 unpaid');
    const garden = await move(address);
    assert.equal(reason(), 'invoice 17 unpaid');
    await bng.manager.operator.resume('ONT1');
    assert.equal(reason(), null);
    await move(garden);
    assert.equal(reason(), null);
  });

  it('stays the first one when the order is repeated, and is a new one with a new suspension', async () => {
    await activated();
    await bng.manager.operator.suspend('ONT1', 'first');
    await bng.manager.operator.suspend('ONT1', 'again');
    assert.equal(reason(), 'first');
    await bng.manager.operator.resume('ONT1');
    await bng.manager.operator.suspend('ONT1', 'second');
    assert.equal(reason(), 'second');
  });

  it('outlives the session as the suspension does, and ends with a termination', async () => {
    await activated();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    bng.manager.onts.ontDisconnected('ONT1');
    await settled();
    await bng.detect('ONT1');
    assert.deepEqual([bng.stateOf('ONT1'), reason()], ['suspended', 'unpaid']);
    await bng.manager.operator.terminate('ONT1');
    await settled();
    assert.deepEqual([bng.stateOf('ONT1'), reason()], ['wgar', null]);
  });

  it('is not that of an earlier suspension when the AAA server moves the line into the garden', async () => {
    await activated();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    await bng.manager.operator.resume('ONT1');
    const userName = bng.accounted.at(-1)!.session.terms.userName;
    const outcome = await bng.manager.authorization.changeAuthorization({ userName }, { poolName: 'wgar' });
    assert.deepEqual([outcome.ok, bng.stateOf('ONT1'), reason()], [true, 'suspended', null]);
  });
});

describe('the end of a lease in wall time', () => {
  it('is the same at every reading although the two clocks jitter, moves with a renewal and follows a step', async () => {
    const wallMs = bng.clock.wallMs.bind(bng.clock);
    const read = (offsetMs: number): number | null | undefined => {
      bng.clock.wallMs = () => wallMs() + offsetMs;
      return bng.manager.operator.sessionByOnt('ONT1')?.leaseExpiresWallMs;
    };
    const first = read(0);
    assert.ok(typeof first === 'number');
    assert.deepEqual([read(1), read(-1), read(0.4), read(-0.6)], [first, first, first, first]);
    assert.equal(read(3_600_000), first + 3_600_000);
    assert.equal(read(0), first);
    await bng.clock.advance(60_000);
    assert.equal(read(1), first);
    read(0);
    await client.renew(old);
    assert.deepEqual([read(1), read(-1)], [first + 60_000, first + 60_000]);
  });
});

describe('termination', () => {
  it('ends with Admin-Reset and forgets the service: the ONT that is still there starts in the garden', async () => {
    const address = await activated();
    const result = await bng.manager.operator.terminate('ONT1');
    assert.ok(result.ok);
    assert.deepEqual(
      [result.oldState, result.newState, result.oldAddress],
      ['active', 'terminated', address],
    );
    await settled();
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Admin-Reset');
    assert.equal(bng.dataplane.installed(address), null);
    assert.deepEqual([bng.stateOf('ONT1'), bng.allocated('isp')], ['wgar', 0]);
    // Its equipment does not know: only a bounce of its link makes it ask again.
    assert.equal(bng.reconfigured.at(-1)?.bounce, true);
    assert.equal(await move(address), old);
  });
});
