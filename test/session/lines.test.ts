/** Access lines: begun by their first packet, limited, and who has one when another station comes. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { NewMacRule } from '../../src/session/line-options.js';
import { ArpPeer, tagsOf } from '../support/arp-peer.js';
import { kindOf, type DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng, orderFor } from '../support/inner-bng.js';

const OLD = 0x02_00_00_00_00_01 as Mac;
const NEW = 0x02_00_00_00_00_02 as Mac;
const THIRD = 0x02_00_00_00_00_03 as Mac;
const TRAFFIC = { upstreamPackets: 3n, upstreamBytes: 300n, downstreamPackets: 4n, downstreamBytes: 4000n };
/** Three questions of half a second. */
const SILENCE_MS = 1_500;

let bng: InnerBng;
let arp: ArpPeer;
afterEach(() => assert.deepEqual(bng.bugs, []));

function begin(options: ConstructorParameters<typeof InnerBng>[0]): void {
  bng = new InnerBng(options);
  arp = new ArpPeer(bng.dataplane);
}

/** On a line that no access node speaks of. */
const on = (tags: readonly number[], mac: Mac = OLD): DhcpClient =>
  bng.station({ mac, tags: tagsOf(...tags) });
const troubles = (): readonly string[] =>
  bng.lifecycle.flatMap((event) => (event.type === 'trouble' ? [event.reason] : []));
const addressOf = (client: DhcpClient): Promise<Ipv4> => client.lease().then(({ message }) => message.yiaddr);

/** A DISCOVER whose answer may need time: what is offered in the end. */
async function asks(client: DhcpClient, ms = SILENCE_MS): Promise<readonly Ipv4[]> {
  client.heard();
  client.punt(client.frame('DHCPDISCOVER'));
  for (let passed = 0; passed < ms; passed += 500) await bng.clock.advance(500);
  await settled();
  return client.heard().map(({ message }) => message.yiaddr);
}

/** Stations that answer each question for their address, as it comes. */
async function whileAnswering(
  stations: readonly { readonly address: Ipv4; readonly mac: Mac; readonly tags: readonly number[] }[],
  act: () => Promise<unknown>,
): Promise<void> {
  const acting = act();
  for (let turn = 0; turn < 8; turn += 1) {
    for (const { targetIp, vlans } of arp.asked()) {
      const asked = stations.find(
        ({ address, tags }) => address === targetIp && tags.join() === vlans.join(),
      );
      if (asked !== undefined) arp.answers({ ...asked, tags: tagsOf(...asked.tags) });
    }
    await settled();
  }
  await acting;
}

describe('a line without an access node is begun by its first packet', () => {
  for (const [model, first, second] of [
    ['1:1: a VLAN for each subscriber', [100, 7], [100, 8]],
    ['N:1: one VLAN for many', [100], [100]],
  ] as const) {
    it(`${model}`, async () => {
      begin({ trustOption82: false });
      const a = await addressOf(on(first, OLD));
      const b = await addressOf(on(second, NEW));
      assert.notEqual(a, b);
      const sessions = [...bng.manager.operator.sessions()];
      assert.deepEqual(
        sessions.map(({ ontSerial, attachment, address }) => [ontSerial, attachment?.mac, address]),
        [
          [null, OLD, a],
          [null, NEW, b],
        ],
      );
      for (const address of [a, b]) assert.notEqual(bng.dataplane.installed(address), null);
    });
  }
});

describe('the limit of sessions', () => {
  it('N:1: so many on one VLAN, the next is refused, counted and told of once, and others go on', async () => {
    begin({ trustOption82: false, lines: { sessionLimit: 2 } });
    const first = on([100], OLD);
    const address = await addressOf(first);
    await addressOf(on([100], NEW));
    const third = on([100], THIRD);
    assert.equal(await third.discover(), null);
    assert.equal(await third.discover(), null);
    assert.deepEqual(bng.manager.lineFigures().refused, { 'line-sessions': 2, 'line-macs': 0, 'new-mac': 0 });
    assert.deepEqual(troubles(), [
      '100 02:00:00:00:00:03 was refused: the line has as many sessions as it may',
    ]);
    assert.equal(bng.allocated('wgar'), 2);
    assert.equal(kindOf(await first.renew(address)), 'DHCPACK');
    await addressOf(on([101], THIRD));
  });

  it('N:1: who has left makes room', async () => {
    begin({ trustOption82: false, lines: { sessionLimit: 2 } });
    const first = on([100], OLD);
    const ciaddr = await addressOf(first);
    await addressOf(on([100], NEW));
    await first.say('DHCPRELEASE', { ciaddr, serverId: GARDEN.gateway });
    await bng.clock.advance(120_000);
    await addressOf(on([100], THIRD));
    assert.equal(bng.manager.lineFigures().refused['line-sessions'], 0);
  });

  it('counts every session of the VLAN, also those that an access node names', async () => {
    begin({ lines: { sessionLimit: 2 } });
    for (const [serial, mac] of [
      ['ONT1', OLD],
      ['ONT2', NEW],
    ] as const) {
      await bng.detect(serial);
      await bng.ont(serial, { mac, tags: tagsOf(100) }).lease();
    }
    await bng.detect('ONT3');
    assert.equal(await bng.ont('ONT3', { mac: THIRD, tags: tagsOf(100) }).discover(), null);
    assert.equal(kindOf(await bng.ont('ONT3', { mac: THIRD, tags: tagsOf(101) }).lease()), 'DHCPACK');
  });

  it('1:1: the one place is taken over by a new MAC when the station before it has gone', async () => {
    begin({ trustOption82: false, lines: { sessionLimit: 1 } });
    const address = await addressOf(on([100, 7]));
    bng.dataplane.setTraffic(address, TRAFFIC);
    assert.equal((await asks(on([100, 7], NEW))).length, 1);
    const stop = bng.accounted.at(-1);
    assert.deepEqual(
      [stop?.kind, stop?.final?.cause, stop?.final?.traffic],
      ['stop', 'Lost-Carrier', TRAFFIC],
    );
    assert.equal(bng.dataplane.installed(address), null);
    assert.equal([...bng.manager.operator.sessions()].length, 1);
  });

  it('1:1: a station that is just being set up is not thrown out, one that never came back is', async () => {
    begin({ trustOption82: false, lines: { sessionLimit: 1 } });
    await on([100, 7]).discover();
    assert.deepEqual(await asks(on([100, 7], NEW)), []);
    await bng.clock.advance(10_000);
    assert.equal((await asks(on([100, 7], NEW))).length, 1);
  });
});

describe('the limit of MACs', () => {
  it('counts those that have asked lately, and forgets one five minutes after it was heard, unless it has a lease', async () => {
    begin({ lines: { macLimit: 2, settings: { newMac: 'replace' } } });
    const ont = (mac: Mac): DhcpClient => bng.ont('ONT1', { mac });
    await ont(OLD).lease();
    await ont(NEW).lease();
    assert.equal(await ont(THIRD).discover(), null);
    assert.equal(bng.manager.lineFigures().refused['line-macs'], 1);
    await bng.clock.advance(300_000);
    assert.equal(kindOf(await ont(THIRD).lease()), 'DHCPACK');
  });

  it('is that of one line: another has its own', async () => {
    begin({ trustOption82: false, lines: { macLimit: 1, settings: { newMac: 'refuse' } } });
    await on([100]).lease();
    assert.equal(await on([100], NEW).discover(), null);
    assert.equal(kindOf(await on([101], NEW).lease()), 'DHCPACK');
  });

  it('of one: a new MAC takes the place when the one before it has gone', async () => {
    begin({ trustOption82: false, lines: { macLimit: 1 } });
    await on([100]).lease();
    assert.equal((await asks(on([100], NEW))).length, 1);
    assert.equal(bng.manager.lineFigures().takeovers['new-mac'], 1);
  });
});

describe('a new MAC on a line that has one (CPE swap)', () => {
  const ont = (mac: Mac): DhcpClient => bng.ont('ONT1', { mac, tags: tagsOf(100, 7) });
  const beginWith = (newMac: NewMacRule): Promise<void> => {
    begin({ lines: { settings: { newMac } } });
    return bng.detect('ONT1');
  };

  it('gets a session of its own after the old one is closed: asked three times, removed, reported, freed', async () => {
    await beginWith('probe');
    const address = await addressOf(ont(OLD));
    const before = bng.manager.operator.sessionByOnt('ONT1');
    bng.dataplane.setTraffic(address, TRAFFIC);
    bng.reconfigured.length = 0;
    const offered = await asks(ont(NEW));
    assert.deepEqual(
      arp.asked().map(({ targetIp, to, vlans }) => [targetIp, to, vlans]),
      Array.from({ length: 3 }, () => [address, OLD, [100, 7]]),
    );
    const stop = bng.accounted.at(-1);
    assert.deepEqual(
      [stop?.kind, stop?.session.line.mac, stop?.final?.cause, stop?.final?.traffic],
      ['stop', OLD, 'Lost-Carrier', TRAFFIC],
    );
    assert.deepEqual(
      [stop?.installed, stop?.allocated],
      [false, 1],
      'removed before it is reported, freed after',
    );
    assert.deepEqual(offered, [address], 'the line has the same place on the ring');
    await ont(NEW).lease();
    const now = bng.manager.operator.sessionByOnt('ONT1');
    assert.notEqual(now?.id, before?.id);
    assert.equal(bng.dataplane.installed(address)?.attachment.mac, NEW);
    const started = bng.accounted.at(-1);
    assert.deepEqual([started?.kind, started?.session.line.mac], ['start', NEW]);
    assert.notEqual(started?.session.accountingId, stop?.session.accountingId);
    assert.deepEqual(
      bng.reconfigured.map(({ bounce }) => bounce),
      [false],
      'the newcomer holds no lease that was lost',
    );
  });

  it('stays out while the old one answers, is counted, and the old lease goes on', async () => {
    await beginWith('probe');
    const address = await addressOf(ont(OLD));
    await whileAnswering([{ address, mac: OLD, tags: [100, 7] }], () => asks(ont(NEW), 500));
    assert.equal(bng.manager.lineFigures().refused['new-mac'], 1);
    assert.deepEqual(troubles(), ['100.7 02:00:00:00:00:02 was refused: another station has the line']);
    assert.equal(bng.dataplane.installed(address)?.attachment.mac, OLD);
    assert.equal(kindOf(await ont(OLD).renew(address)), 'DHCPACK');
  });

  it('is not fooled by a neighbour that answers in the name of the old one', async () => {
    await beginWith('probe');
    const address = await addressOf(ont(OLD));
    const asking = asks(ont(NEW));
    await settled();
    arp.answers({ address, mac: THIRD, tags: tagsOf(100, 7) }, OLD);
    assert.deepEqual(await asking, [address]);
  });

  it('stays out when the old one renews while it is being asked', async () => {
    await beginWith('probe');
    const address = await addressOf(ont(OLD));
    const newcomer = ont(NEW);
    newcomer.punt(newcomer.frame('DHCPDISCOVER'));
    await bng.clock.advance(700);
    assert.equal(kindOf(await ont(OLD).renew(address)), 'DHCPACK');
    await bng.clock.advance(SILENCE_MS);
    assert.equal(bng.dataplane.installed(address)?.attachment.mac, OLD);
    assert.equal(bng.manager.lineFigures().refused['new-mac'], 1);
  });

  it('is let in at once after a RELEASE', async () => {
    await beginWith('probe');
    const address = await addressOf(ont(OLD));
    await ont(OLD).say('DHCPRELEASE', { ciaddr: address, serverId: GARDEN.gateway });
    assert.equal(await addressOf(ont(NEW)), address);
    assert.deepEqual(arp.asked(), []);
  });

  it('newMac replace: takes over at once, newMac refuse: never', async () => {
    await beginWith('replace');
    const address = await addressOf(ont(OLD));
    assert.equal(await addressOf(ont(NEW)), address);
    assert.equal(bng.accounted.find(({ kind }) => kind === 'stop')?.final?.cause, 'NAS-Request');
    assert.deepEqual(arp.asked(), []);
    bng.manager.useLines({ ...settingsWith('refuse') });
    assert.equal(await ont(OLD).discover(), null);
    assert.equal(bng.dataplane.installed(address)?.attachment.mac, NEW);
  });

  it('what the subscriber was activated for is the newcomer’s, whichever lease the old one still had', async () => {
    await beginWith('probe');
    const garden = await addressOf(ont(OLD));
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal(bng.stateOf('ONT1'), 'activating');
    const [offered] = await asks(ont(NEW));
    assert.notEqual(offered, garden);
    await ont(NEW).lease();
    assert.equal(bng.stateOf('ONT1'), 'active');
    assert.equal(bng.allocated('wgar'), 0);
    assert.equal((await bng.dataplane.dump()).length, 1);
  });

  it('that the dataplane keeps from closing is silence, and the next DISCOVER tries again', async () => {
    await beginWith('replace');
    const address = await addressOf(ont(OLD));
    bng.dataplane.refuseNext('busy');
    assert.equal(await ont(NEW).discover(), null);
    assert.equal(bng.dataplane.installed(address)?.attachment.mac, OLD);
    assert.equal(kindOf(await ont(NEW).lease()), 'DHCPACK');
  });
});

function settingsWith(newMac: NewMacRule): Parameters<InnerBng['manager']['useLines']>[0] {
  const liveness = { action: 'off', intervalMs: 1000, tries: 1, waitMs: 500, perSecond: 10 } as const;
  return { newMac, effort: { tries: 3, waitMs: 500 }, liveness };
}

describe('one MAC on two lines', () => {
  const lines = [
    [100, 7],
    [100, 8],
  ] as const;

  it('is kept apart: two sessions, two addresses, and what one does is not the other’s', async () => {
    begin({ trustOption82: false });
    const [a, b] = [await addressOf(on(lines[0])), await addressOf(on(lines[1]))];
    assert.notEqual(a, b);
    assert.equal(bng.dataplane.installed(a)?.attachment.cVlan, 7);
    assert.equal(bng.dataplane.installed(b)?.attachment.cVlan, 8);
    // RFC 2131 §4.3.2: the other line's address is not this line's.
    assert.equal(kindOf(await on(lines[1]).reboot(a)), 'DHCPNAK');
    await on(lines[1]).say('DHCPRELEASE', { ciaddr: a, serverId: GARDEN.gateway });
    assert.notEqual(bng.dataplane.installed(a), null);
    await on(lines[1]).say('DHCPRELEASE', { ciaddr: b, serverId: GARDEN.gateway });
    assert.equal(bng.dataplane.installed(b), null);
    assert.equal(kindOf(await on(lines[0]).renew(a)), 'DHCPACK');
    assert.deepEqual(arp.asked(), [], 'nobody is asked without movedMac');
  });

  it('movedMac probe: the lease on the line that it has left ends, with its Stop', async () => {
    begin({ trustOption82: false, lines: { movedMac: 'probe' } });
    const a = await addressOf(on(lines[0]));
    const b = await addressOf(on(lines[1]));
    for (let passed = 0; passed < SILENCE_MS; passed += 500) await bng.clock.advance(500);
    assert.equal(bng.dataplane.installed(a), null);
    assert.notEqual(bng.dataplane.installed(b), null);
    const stop = bng.accounted.at(-1);
    assert.deepEqual([stop?.kind, stop?.session.address, stop?.final?.cause], ['stop', a, 'Lost-Carrier']);
    assert.equal(bng.manager.lineFigures().takeovers['moved-mac'], 1);
    assert.deepEqual(
      arp.asked().map(({ vlans }) => vlans),
      Array.from({ length: 3 }, () => [100, 7]),
    );
  });

  it('movedMac probe: where both answer there are two of them, and both stay', async () => {
    begin({ trustOption82: false, lines: { movedMac: 'probe' } });
    const a = await addressOf(on(lines[0]));
    await on(lines[1]).lease();
    await whileAnswering([{ address: a, mac: OLD, tags: lines[0] }], () => settled());
    await bng.clock.advance(SILENCE_MS);
    assert.notEqual(bng.dataplane.installed(a), null);
    assert.equal((await bng.dataplane.dump()).length, 2);
  });
});
