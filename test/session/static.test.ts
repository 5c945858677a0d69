/** Subscribers with an address of their own, who never ask for it: their sessions begin with the ONT or with their first packet. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { LocalAuthenticator, type LocalRecord } from '../../src/aaa/local-authenticator.js';
import { parsePrefix } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { plainTerms } from '../../src/model/session-terms.js';
import { ArpPeer, tagsOf } from '../support/arp-peer.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, ip, poolOf } from '../support/inner-bng.js';

const OWN = ip('10.0.0.200');
const STATION = 0x02_00_00_00_00_01 as Mac;
const OTHER = 0x02_00_00_00_00_02 as Mac;
const LINE = [200, 7] as const;
const ISP = poolOf('isp', '10.0.0.0/24', { exclude: [{ first: ip('10.0.0.192'), last: ip('10.0.0.255') }] });
const RECORD: LocalRecord = {
  ontSerial: 'ONT1',
  address: OWN,
  poolName: 'isp',
  serviceId: 'office',
  downloadBitsPerSecond: 5e7,
  uploadBitsPerSecond: 5e7,
};

let bng: InnerBng;
let arp: ArpPeer;
afterEach(() => assert.deepEqual(bng.bugs, []));

function begin(record: Partial<LocalRecord> = {}): void {
  bng = new InnerBng({
    pools: [GARDEN, ISP],
    authenticator: new LocalAuthenticator({
      records: [{ ...RECORD, ...record }],
      defaultPool: 'wgar',
      gardenPool: 'wgar',
    }),
    lines: { statics: [parsePrefix('10.0.0.192/26')], accessPorts: [3], settings: { newMac: 'replace' } },
  });
  arp = new ArpPeer(bng.dataplane);
}

async function detected(tags: readonly [number, number] = LINE): Promise<void> {
  const [sVlan, cVlan] = tags;
  const circuitId = Buffer.from('agg-01|1/1/1');
  bng.manager.onts.ontDetected({ ontSerial: 'ONT1', circuitId, tags: { sVlan, cVlan } });
  await settled();
}

async function speaks(mac: Mac = STATION, tags: readonly number[] = LINE, address = OWN): Promise<void> {
  arp.answers({ address, mac, tags: tagsOf(...tags) });
  await settled();
}

const session = (): ReturnType<InnerBng['manager']['operator']['sessionByOnt']> =>
  bng.manager.operator.sessionByOnt('ONT1');
const installed = (): ReturnType<InnerBng['dataplane']['installed']> => bng.dataplane.installed(OWN);

describe('a static subscriber', () => {
  it('is looked for by ARP on the tags of its ONT, until it is found', async () => {
    begin();
    await detected();
    const asked = (): readonly unknown[] =>
      arp.asked().map(({ targetIp, vlans, to }) => [targetIp, vlans, to]);
    const question = [OWN, [200, 7], 0xff_ff_ff_ff_ff_ff];
    assert.deepEqual(asked(), [question]);
    for (let second = 0; second < 10; second += 1) await bng.clock.advance(1_000);
    assert.deepEqual(asked(), [question, question]);
    await speaks();
    for (let second = 0; second < 20; second += 1) await bng.clock.advance(1_000);
    assert.deepEqual(asked(), []);
    assert.equal(bng.clock.pendingTimers > 0, true, 'only the accounting of its lease goes on');
  });

  it('is bound where it is sighted: source guard, rates, accounting, and a lease without an end', async () => {
    begin();
    await detected();
    await speaks();
    assert.deepEqual([session()?.state, session()?.leasePhase, session()?.address], ['active', 'bound', OWN]);
    assert.equal(session()?.leaseExpiresWallMs, null);
    const entry = installed();
    assert.deepEqual(
      [entry?.attachment.mac, entry?.attachment.sVlan, entry?.attachment.cVlan, entry?.walled],
      [STATION, 200, 7, false],
    );
    assert.equal(entry?.downloadBitsPerSecond, 5e7);
    assert.deepEqual(
      bng.accounted.map(({ kind, session: { address }, installed: was }) => [kind, address, was]),
      [['start', OWN, true]],
    );
    assert.equal(bng.dataplane.promised({ ifindex: 3, sVlan: 200, cVlan: 7, mac: STATION }), null);
    await bng.clock.advance(100 * 86_400_000);
    assert.notEqual(installed(), null);
  });

  it('that another line claims is refused and counted, whoever was there first', async () => {
    begin();
    await detected();
    await speaks(OTHER, [200, 8]);
    assert.equal(installed(), null);
    assert.equal(bng.manager.lineFigures().refused['static-elsewhere'], 1);
    await speaks();
    await speaks(OTHER, [200, 8]);
    assert.equal(installed()?.attachment.mac, STATION);
  });

  it('an address that is not the line’s, or not static, is nothing', async () => {
    begin();
    await detected();
    await speaks(STATION, LINE, ip('10.0.0.201'));
    await speaks(STATION, LINE, ip('10.0.0.20'));
    assert.deepEqual(await bng.dataplane.dump(), []);
    assert.equal([...bng.manager.operator.sessions()].length, 1);
  });

  it('with a MAC in its record: no other station gets it', async () => {
    begin({ mac: STATION });
    await detected();
    await speaks(OTHER);
    assert.equal(installed(), null);
    await speaks(STATION);
    assert.equal(installed()?.attachment.mac, STATION);
  });

  it('follows its line to other tags', async () => {
    begin();
    await detected();
    await speaks();
    bng.manager.onts.ontMoved({
      ontSerial: 'ONT1',
      circuitId: Buffer.from('agg-01|1/1/1'),
      tags: { sVlan: 300, cVlan: 7 },
    });
    await speaks(STATION, [300, 7]);
    assert.equal(installed()?.attachment.sVlan, 300);
    assert.equal(bng.accounted.length, 1);
  });

  it('a new MAC with the same address takes over after the old session is closed', async () => {
    begin();
    await detected();
    await speaks();
    const before = session()?.id;
    await speaks(OTHER);
    assert.equal(installed()?.attachment.mac, OTHER);
    assert.notEqual(session()?.id, before);
    assert.deepEqual(
      bng.accounted.map(({ kind }) => kind),
      ['start', 'stop', 'start'],
    );
  });

  it('whose ONT goes away ends with Lost-Carrier, and comes back with it', async () => {
    begin();
    await detected();
    await speaks();
    bng.manager.onts.ontDisconnected('ONT1');
    await settled();
    assert.equal(installed(), null);
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Lost-Carrier');
    await detected();
    await speaks();
    assert.notEqual(installed(), null);
  });

  it('that asks by DHCP all the same gets the same address, for as long', async () => {
    begin();
    await detected();
    const client = bng.ont('ONT1', { mac: STATION, tags: tagsOf(...LINE) });
    assert.equal((await client.lease()).message.yiaddr, OWN);
    await bng.clock.advance(100 * 86_400_000);
    assert.notEqual(installed(), null);
    assert.equal(kindOf(await client.renew(OWN, ISP.gateway)), 'DHCPACK');
  });
});

describe('a static subscriber whom nobody has authenticated yet', () => {
  it('is asked for again when it is sighted, by the ONT that is at its tags', async () => {
    let isAway = true;
    bng = new InnerBng({
      pools: [GARDEN, ISP],
      authenticator: {
        authenticate: async ({ line }) => {
          if (isAway) return { kind: 'unreachable', reason: 'no server' };
          assert.deepEqual(line?.circuitId, Buffer.from('agg-01|1/1/1'));
          const terms = { ...plainTerms('office'), fixedAddress: OWN };
          return { kind: 'accepted', profile: { ...RECORD, walled: false }, resumeTo: null, terms };
        },
        assign: () => undefined,
        forget: () => undefined,
      },
      lines: { statics: [parsePrefix('10.0.0.192/26')], accessPorts: [3] },
    });
    arp = new ArpPeer(bng.dataplane);
    await detected();
    isAway = false;
    await speaks();
    assert.equal(installed()?.attachment.mac, STATION);
    assert.equal([...bng.manager.operator.sessions()].length, 1);
  });
});

describe('the suspension of a static subscriber', () => {
  it('walls it in place, and its resumption opens it again: same address, same lease', async () => {
    begin();
    await detected();
    await speaks();
    const suspended = await bng.manager.operator.suspend('ONT1', 'unpaid');
    assert.ok(suspended.ok);
    assert.deepEqual(
      [session()?.state, session()?.address, session()?.heldAddress],
      ['suspended', OWN, null],
    );
    assert.equal(installed()?.walled, true);
    assert.equal(bng.allocated('wgar'), 0, 'nothing is taken from the garden for who cannot move');
    const resumed = await bng.manager.operator.resume('ONT1');
    assert.ok(resumed.ok);
    assert.deepEqual([session()?.state, installed()?.walled], ['active', false]);
    assert.equal(installed()?.downloadBitsPerSecond, 5e7);
    assert.equal(bng.accounted.length, 1);
  });

  it('outlives its session, and holds for one that has not been seen yet', async () => {
    begin();
    await detected();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    assert.equal(session()?.state, 'suspended');
    await speaks();
    assert.equal(installed()?.walled, true);
    bng.manager.onts.ontDisconnected('ONT1');
    await settled();
    await detected();
    await speaks();
    assert.deepEqual([session()?.state, installed()?.walled], ['suspended', true]);
    await bng.manager.operator.resume('ONT1');
    assert.deepEqual([session()?.state, installed()?.walled], ['active', false]);
  });
});

describe('a static subscriber without an access node', () => {
  it('begins with its first packet: AAA is asked, and only its own address counts', async () => {
    const asked: string[] = [];
    bng = new InnerBng({
      trustOption82: false,
      pools: [GARDEN, ISP],
      authenticator: {
        authenticate: async ({ subscriberId }) => {
          asked.push(subscriberId);
          const profile = { ...RECORD, walled: false };
          return {
            kind: 'accepted',
            profile,
            resumeTo: null,
            terms: { ...plainTerms(subscriberId), fixedAddress: OWN },
          };
        },
        assign: () => undefined,
        forget: () => undefined,
      },
      lines: { statics: [parsePrefix('10.0.0.192/26')] },
    });
    arp = new ArpPeer(bng.dataplane);
    await speaks();
    assert.equal(asked.length, 1);
    assert.deepEqual([installed()?.attachment.mac, installed()?.attachment.cVlan], [STATION, 7]);
    await speaks(OTHER, [200, 9]);
    assert.equal(asked.length, 1, 'whose it is is known');
    assert.equal(bng.manager.lineFigures().refused['static-elsewhere'], 1);
  });
});

describe('orders of the AAA server for a static subscriber', () => {
  it('the garden’s pool walls it in place, its own pool opens it again, another is refused', async () => {
    begin();
    await detected();
    await speaks();
    const change = (poolName?: string): Promise<string> =>
      bng.manager.authorization
        .changeAuthorization(
          { framedAddress: OWN },
          poolName === undefined ? { uploadBitsPerSecond: 1e6 } : { poolName },
        )
        .then((outcome) => (outcome.ok ? 'ok' : outcome.kind));
    assert.equal(await change('wgar'), 'ok');
    assert.deepEqual([session()?.state, installed()?.walled, session()?.address], ['suspended', true, OWN]);
    assert.equal(await change(), 'ok');
    assert.deepEqual(
      [session()?.state, installed()?.walled],
      ['suspended', true],
      'rates alone open nothing',
    );
    assert.equal(await change('isp'), 'ok');
    assert.deepEqual([session()?.state, installed()?.walled], ['active', false]);
    assert.equal(installed()?.downloadBitsPerSecond, 5e7);
    assert.notEqual(await change('tiny'), 'ok');
  });
});
