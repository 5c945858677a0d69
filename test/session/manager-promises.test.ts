/**
 * Leases that the dataplane answers for by itself: promised only while the session would answer the same, extended by what
 * the dataplane tells of, and gone before anything else happens to the session.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { AnsweredLease, LeasePromise } from '../../src/dataplane/port.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { tagsOf } from '../support/arp-peer.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, orderFor } from '../support/inner-bng.js';

const LEASE_MS = GARDEN.leaseSeconds * 1000;

let bng: InnerBng;
let client: DhcpClient;
afterEach(() => assert.deepEqual(bng.bugs, []));

function at(of: DhcpClient = client): {
  ifindex: number;
  sVlan: number;
  cVlan: number;
  mac: DhcpClient['mac'];
} {
  return { ifindex: 3, sVlan: 0, cVlan: 0, mac: of.mac };
}

function promised(): LeasePromise | null {
  return bng.dataplane.promised(at());
}

/** What XDP tells of when it has acknowledged the lease that was promised. */
function acknowledged(of: LeasePromise, atMs = bng.clock.monotonicMs()): AnsweredLease {
  const { address, attachment, leaseSeconds } = of;
  return { answer: 'ack', address, attachment, leaseSeconds, atMs };
}

function expiresMs(): number {
  const { leaseExpiresWallMs } = bng.manager.operator.sessionByOnt('ONT1')!;
  return leaseExpiresWallMs! - bng.clock.wallMs() + bng.clock.monotonicMs();
}

function renewals(): number {
  return bng.lifecycle.filter(({ type }) => type === 'lease-renewed').length;
}

beforeEach(() => {
  bng = new InnerBng();
  client = bng.ont('ONT1');
});

describe('a promise', () => {
  it('is made with the first ACK and says what the session would', async () => {
    await client.discover();
    assert.equal(promised(), null);
    const ack = await client.lease();
    const lease = promised();
    assert.ok(lease !== null);
    const { option82, ...rest } = lease;
    assert.deepEqual(rest, {
      address: ack.message.yiaddr,
      attachment: lease.attachment,
      poolName: 'wgar',
      leaseSeconds: GARDEN.leaseSeconds,
      expiresAtMs: bng.clock.monotonicMs() + LEASE_MS,
      endsAtMs: null,
    });
    assert.deepEqual(Buffer.from(option82), Buffer.from(ack.message.options.get(82)!));
  });

  it('waits, as the ACK does, until accounting cannot lose the start', async () => {
    let resolve: (value: unknown) => void = () => assert.fail('accounting was not asked');
    bng.accountingStored = new Promise((done) => (resolve = done));
    const offer = await client.discover();
    assert.equal(await client.select(offer!.message.yiaddr, GARDEN.gateway), null);
    assert.equal(promised(), null);
    resolve(null);
    await settled();
    assert.ok(promised() !== null);
  });

  it('moves its end with a renewal that user space has answered', async () => {
    const { yiaddr } = (await client.lease()).message;
    await bng.clock.advance(1000);
    await client.renew(yiaddr);
    assert.equal(promised()?.expiresAtMs, bng.clock.monotonicMs() + LEASE_MS);
  });

  it('follows the option 82 that the messages bear', async () => {
    const { yiaddr } = (await client.lease()).message;
    await bng.station({ mac: client.mac }).renew(yiaddr);
    assert.equal(promised()?.option82.length, 0);
    await client.renew(yiaddr);
    assert.notEqual(promised()?.option82.length, 0);
  });

  it('knows when the AAA server ends the session, also when that is ordered on the way', async () => {
    const { yiaddr } = (await client.lease()).message;
    const begunMs = bng.clock.monotonicMs();
    await bng.clock.advance(1000);
    const order = { sessionTimeoutSeconds: 300 };
    await bng.manager.authorization.changeAuthorization({ framedAddress: yiaddr }, order);
    assert.equal(promised()?.endsAtMs, begunMs + 300_000);
  });

  it('goes with a RELEASE', async () => {
    const { yiaddr } = (await client.lease()).message;
    await client.say('DHCPRELEASE', { ciaddr: yiaddr });
    assert.equal(promised(), null);
  });

  it('goes with a DECLINE', async () => {
    const { yiaddr } = (await client.lease()).message;
    await client.say('DHCPDECLINE', { requestedAddress: yiaddr });
    assert.equal(promised(), null);
  });

  it('goes when the lease runs out', async () => {
    await client.lease();
    await bng.clock.advance(LEASE_MS);
    assert.equal(promised(), null);
  });

  it('goes before the access node is asked, so that no renewal of a lease that is to move is answered', async () => {
    await bng.detect('ONT1');
    await client.lease();
    let seen: LeasePromise | null | undefined;
    bng.accessNodeSays = () => {
      seen = promised();
      return { ok: true };
    };
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal(seen, null);
    assert.equal(promised(), null);
  });

  it('comes back when the order was refused', async () => {
    await bng.detect('ONT1');
    await client.lease();
    bng.accessNodeSays = () => ({ ok: false, reason: 'no' });
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.ok(promised() !== null);
  });

  it('goes before the address is taken out of the dataplane', async () => {
    await client.lease();
    await bng.manager.operator.terminate('ONT1');
    assert.equal(promised(), null);
  });

  it('moves with the station', async () => {
    const { yiaddr } = (await client.lease()).message;
    const elsewhere = bng.ont('ONT1', { tags: tagsOf(9) });
    await elsewhere.rebind(yiaddr);
    assert.equal(promised(), null);
    assert.equal(bng.dataplane.promised({ ...at(elsewhere), sVlan: 9 })?.address, yiaddr);
  });

  it('is not made where two sessions share a line', async () => {
    await client.lease();
    await bng.ont('ONT2').discover();
    assert.equal(promised(), null);
  });
});

describe('an answer of the dataplane', () => {
  it('extends the lease to what the client was told', async () => {
    await client.lease();
    const lease = promised()!;
    await bng.clock.advance(5000);
    bng.dataplane.answer(acknowledged(lease, bng.clock.monotonicMs() - 10));
    await settled();
    assert.equal(expiresMs(), bng.clock.monotonicMs() - 10 + LEASE_MS);
    assert.equal(renewals(), 1);
    assert.deepEqual(bng.decided.at(-1), ['ack', 'wgar']);
  });

  it('keeps a lease alive for as long as its client renews', async () => {
    await client.lease();
    for (let n = 0; n < 5; n++) {
      await bng.clock.advance(LEASE_MS / 2);
      bng.dataplane.answer(acknowledged(promised()!));
      await settled();
    }
    assert.equal(bng.manager.operator.sessionByOnt('ONT1')?.leasePhase, 'bound');
    await bng.clock.advance(LEASE_MS);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1'), null);
  });

  it('is not promised anew: the dataplane knows', async () => {
    await client.lease();
    const before = promised();
    await bng.clock.advance(5000);
    bng.dataplane.answer(acknowledged(before!));
    await settled();
    assert.equal(promised(), before);
  });

  it('shortens nothing when it comes late, and counts once when it comes twice', async () => {
    const { yiaddr } = (await client.lease()).message;
    const lease = promised()!;
    await bng.clock.advance(5000);
    const early = acknowledged(lease);
    await bng.clock.advance(5000);
    await client.renew(yiaddr);
    const until = expiresMs();
    bng.dataplane.answer(early);
    await settled();
    assert.equal(expiresMs(), until);
    bng.dataplane.answer(acknowledged(lease));
    bng.dataplane.answer(acknowledged(lease));
    await settled();
    assert.equal(expiresMs(), until);
    assert.equal(renewals(), 1);
  });

  it('changes nothing after the end of the session', async () => {
    await client.lease();
    const lease = promised()!;
    await bng.manager.operator.terminate('ONT1');
    const told = bng.lifecycle.length;
    bng.dataplane.answer(acknowledged(lease));
    await settled();
    assert.equal(bng.lifecycle.length, told);
    assert.equal(bng.manager.operator.sessionByOnt('ONT1'), null);
    assert.deepEqual(bng.decided.at(-1), ['ack', null]);
  });

  it('changes nothing for whoever has the address next', async () => {
    await client.lease();
    const lease = promised()!;
    await bng.manager.operator.terminate('ONT1');
    const next = bng.ont('ONT1', { mac: 0x02_00_00_00_00_02 as DhcpClient['mac'] });
    const { yiaddr } = (await next.lease()).message;
    assert.equal(yiaddr, lease.address);
    const until = expiresMs();
    bng.dataplane.answer(acknowledged(lease, bng.clock.monotonicMs() + 1000));
    await settled();
    assert.equal(expiresMs(), until);
  });

  it('that was given just before an order holds for the lease that the client still has', async () => {
    await bng.detect('ONT1');
    await client.lease();
    const lease = promised()!;
    await bng.clock.advance(LEASE_MS / 2);
    const answer = acknowledged(lease);
    await bng.manager.operator.activate(orderFor('ONT1'));
    bng.dataplane.answer(answer);
    await bng.clock.advance(LEASE_MS - 1);
    assert.ok(bng.dataplane.installed(lease.address) !== null);
    await bng.clock.advance(1);
    assert.equal(bng.dataplane.installed(lease.address), null);
  });

  it('to a DISCOVER is counted and changes nothing', async () => {
    await client.lease();
    const until = expiresMs();
    await bng.clock.advance(5000);
    bng.dataplane.answer({ ...acknowledged(promised()!), answer: 'offer' });
    await settled();
    assert.equal(expiresMs(), until);
    assert.deepEqual(bng.decided.at(-1), ['offer', 'wgar']);
    assert.equal(kindOf(await client.discover()), 'DHCPOFFER');
  });

  it('is heard when the server takes no more messages: the client counts on it', async () => {
    await client.lease();
    const lease = promised()!;
    await bng.server.close();
    await bng.clock.advance(5000);
    bng.dataplane.answer(acknowledged(lease));
    await settled();
    assert.equal(expiresMs(), bng.clock.monotonicMs() + LEASE_MS);
  });
});
