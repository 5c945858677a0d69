/** Authentication and the allocation that comes with it: before DHCP, once, and given back when nobody is there to use it. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { AuthenticationRequest, AuthenticationResult, Authenticator } from '../../src/aaa/port.js';
import { plainTerms } from '../../src/model/session-terms.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';
import { parseMac } from '../../src/model/mac.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, gardenProfile, ip, orderFor } from '../support/inner-bng.js';

const ACCEPTED: AuthenticationResult = {
  kind: 'accepted',
  profile: gardenProfile,
  resumeTo: null,
  terms: plainTerms('ONT1'),
};

/** An AAA server that answers when the test says so. */
class SlowAaa implements Authenticator {
  readonly asked: AuthenticationRequest[] = [];
  readonly #waiting: ((result: AuthenticationResult) => void)[] = [];
  /** Set: questions are answered at once. */
  immediate: AuthenticationResult | null = null;

  authenticate(request: AuthenticationRequest): Promise<AuthenticationResult> {
    this.asked.push(request);
    if (this.immediate !== null) return Promise.resolve(this.immediate);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Answers the oldest open question, without waiting for what follows. */
  say(result: AuthenticationResult): void {
    const resolve = this.#waiting.shift();
    assert.ok(resolve !== undefined, 'somebody must have asked');
    resolve(result);
  }

  assign(_subscriberId: string, _profile: ServiceProfile): void {}
  forget(): void {}
}

let bng: InnerBng;
afterEach(() => assert.deepEqual(bng.bugs, []));

function slow(): SlowAaa {
  const aaa = new SlowAaa();
  bng = new InnerBng({ authenticator: aaa });
  return aaa;
}

describe('authentication', () => {
  it('happens once however often the client repeats itself, and the last message is answered', async () => {
    const aaa = slow();
    const client = bng.ont('ONT1');
    const frames = [0, 1, 2].map(() => client.frame('DHCPDISCOVER'));
    for (const frame of frames) client.punt(frame);
    await settled();
    assert.equal(aaa.asked.length, 1);
    assert.deepEqual(bng.dataplane.transmitted, []);
    aaa.say(ACCEPTED);
    await settled();
    const heard = client.heard();
    assert.deepEqual(heard.map(kindOf), ['DHCPOFFER']);
    const xidOf = (frame: Uint8Array): number => Buffer.from(frame).readUInt32BE(14 + 28 + 4);
    assert.equal(heard[0]?.message.xid, xidOf(frames[2]!));
    assert.equal(aaa.asked.length, 1);
    assert.deepEqual(
      bng.decided.map(([kind]) => kind),
      ['silence', 'silence', 'offer'],
    );
  });

  it('is part of the time that an answer takes', async () => {
    const aaa = slow();
    bng.ont('ONT1').punt(bng.ont('ONT1').frame('DHCPDISCOVER'));
    await settled();
    await bng.clock.advance(40);
    aaa.say(ACCEPTED);
    await settled();
    assert.deepEqual(bng.answered, [['offer', 40]]);
  });

  it('knows the subscriber, the ONT and the line', async () => {
    const aaa = slow();
    await bng.ont('ONT1', { ifindex: 5 }).discover();
    const [request] = aaa.asked;
    assert.equal(request?.subscriberId, 'ont:ONT1');
    assert.equal(request?.ontSerial, 'ONT1');
    assert.equal(request?.line?.ifindex, 5);
    assert.equal(Buffer.from(request?.line?.remoteId ?? []).toString(), 'ONT1');
  });

  for (const kind of ['rejected', 'unreachable'] as const) {
    it(`${kind}: silence and no address; the next message of the client tries again`, async () => {
      const aaa = slow();
      const client = bng.ont('ONT1');
      assert.equal(await client.discover(), null);
      aaa.say({ kind, reason: 'no' });
      await settled();
      assert.deepEqual(client.heard(), []);
      assert.equal(bng.stateOf('ONT1'), 'discovered');
      assert.equal(bng.allocated('wgar'), 0);
      assert.ok(bng.lifecycle.some((event) => event.type === 'trouble' && event.reason === `${kind}: no`));
      aaa.immediate = ACCEPTED;
      assert.equal(kindOf(await client.discover()), 'DHCPOFFER');
      assert.equal(aaa.asked.length, 2);
    });
  }

  it('that comes after the session ended leaves no address behind', async () => {
    const aaa = slow();
    await bng.detect('ONT1');
    bng.manager.onts.ontDisconnected('ONT1');
    aaa.say(ACCEPTED);
    await settled();
    assert.equal(bng.stateOf('ONT1'), null);
    assert.equal(bng.allocated('wgar'), 0);
  });

  it('that comes while the session is ending takes no address from the session that follows it', async () => {
    const aaa = slow();
    await bng.detect('ONT1');
    const client = bng.ont('ONT1');
    aaa.immediate = ACCEPTED;
    aaa.say(ACCEPTED);
    client.punt(client.frame('DHCPDISCOVER'));
    bng.manager.onts.ontDisconnected('ONT1');
    bng.manager.onts.ontDetected({ ontSerial: 'ONT1', circuitId: Buffer.from('agg-01|1/1/1') });
    await settled();
    assert.equal(bng.stateOf('ONT1'), 'wgar');
    assert.equal(bng.allocated('wgar'), 1);
  });

  it('orders on a line that is not authenticated are a conflict; a termination ends it', async () => {
    slow();
    bng.manager.onts.ontDetected({ ontSerial: 'ONT1', circuitId: Buffer.from('c') });
    for (const result of [
      await bng.manager.operator.activate(orderFor('ONT1')),
      await bng.manager.operator.suspend('ONT1', 'unpaid'),
      await bng.manager.operator.resume('ONT1'),
    ]) {
      assert.equal(result.ok ? 'ok' : result.kind, 'conflict');
    }
    assert.equal((await bng.manager.operator.terminate('ONT1')).ok, true);
  });
});

describe('allocation', () => {
  it('is made when the access node reports the ONT, before any DHCP, and DHCP reads it', async () => {
    bng = new InnerBng();
    await bng.detect('ONT1');
    const { address, state, leasePhase } = bng.manager.operator.sessionByOnt('ONT1')!;
    assert.deepEqual([state, leasePhase], ['wgar', 'none']);
    assert.equal(bng.allocated('wgar'), 1);
    assert.equal((await bng.ont('ONT1').lease()).message.yiaddr, address);
    assert.equal(bng.allocated('wgar'), 1);
  });

  it('gives the same address after termination and return, also to another BNG', async () => {
    const addresses: (number | undefined)[] = [];
    for (const serials of [
      ['ONT1', 'ONT2'],
      ['ONT2', 'ONT1'],
    ]) {
      bng = new InnerBng();
      for (const serial of serials) await bng.detect(serial);
      const client = bng.ont('ONT1');
      addresses.push((await client.lease()).message.yiaddr);
      await bng.manager.operator.terminate('ONT1');
      await settled();
      addresses.push((await client.lease()).message.yiaddr);
    }
    assert.equal(new Set(addresses).size, 1);
  });

  it('of an exhausted pool: silence, and an address for the next who asks once one is free', async () => {
    bng = new InnerBng({ defaultPool: 'tiny' });
    const one = bng.ont('ONT1');
    const two = bng.ont('ONT2', { mac: parseMac('02:00:00:00:00:02') });
    await one.lease();
    assert.equal(await two.discover(), null);
    assert.equal(bng.stateOf('ONT2'), 'discovered');
    await bng.manager.operator.terminate('ONT1');
    assert.equal(kindOf(await two.discover()), 'DHCPOFFER');
  });

  it('for a full session table: silence', async () => {
    bng = new InnerBng({ maxSessions: 1 });
    await bng.ont('ONT1').lease();
    assert.equal(await bng.ont('ONT2', { mac: parseMac('02:00:00:00:00:02') }).discover(), null);
    assert.equal([...bng.manager.operator.sessions()].length, 1);
  });

  it('that nobody takes on an unknown line goes back after two minutes, whatever the client said', async () => {
    bng = new InnerBng();
    const talks: ((mac: ReturnType<typeof parseMac>) => Promise<unknown>)[] = [
      (mac) => bng.station({ mac }).discover(),
      (mac) => bng.station({ mac }).reboot(ip('10.255.0.250')),
      (mac) => bng.station({ mac }).renew(ip('192.0.2.1'), GARDEN.gateway),
    ];
    for (const [index, talk] of talks.entries()) await talk(parseMac(`02:00:00:00:01:0${index}`));
    assert.equal(bng.allocated('wgar'), talks.length);
    await bng.clock.advance(119_999);
    assert.equal(bng.allocated('wgar'), talks.length);
    await bng.clock.advance(1);
    assert.equal(bng.allocated('wgar'), 0);
    assert.deepEqual([...bng.manager.operator.sessions()], []);
  });

  it('of an ONT that the access node reports stays, offered or not', async () => {
    bng = new InnerBng();
    await bng.detect('ONT1');
    await bng.ont('ONT1').discover();
    await bng.clock.advance(3_600_000);
    assert.equal(bng.allocated('wgar'), 1);
  });
});
