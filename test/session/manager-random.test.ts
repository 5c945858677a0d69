/** Whatever happens to a thousand subscribers, in any order, the books of sessions, pools and dataplane agree. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuthorizationChange, SessionSelector } from '../../src/aaa/port.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4, formatPrefix, parsePrefix, prefixContains } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { SESSION_STATES } from '../../src/session/view.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { InnerBng, orderFor, poolOf } from '../support/inner-bng.js';
import { mutate, seededRandom } from '../support/mutate.js';

const GARDEN = parsePrefix('10.255.0.0/21');
const SUBSCRIBERS = 1000;
const STEPS = 150;
const BATCH = 60;

interface Subscriber {
  readonly serial: string;
  readonly client: DhcpClient;
}

/** The three books, compared. The quarantined are nobody's. */
function checkBooks(bng: InnerBng, installed: ReadonlySet<Ipv4>): void {
  const holders = new Map<Ipv4, string>();
  const mayBeInstalled = new Set<Ipv4>();
  const counted = Object.fromEntries(SESSION_STATES.map((state) => [state, 0]));
  for (const session of bng.manager.operator.sessions()) {
    counted[session.state] = (counted[session.state] ?? 0) + 1;
    for (const address of [session.address, session.heldAddress]) {
      if (address === null) continue;
      assert.equal(holders.get(address), undefined, `${formatIpv4(address)} is held twice`);
      holders.set(address, session.id);
    }
    if (session.leasePhase === 'bound') mayBeInstalled.add(session.address!);
    if (session.heldAddress !== null) mayBeInstalled.add(session.heldAddress);
    const found = session.address === null ? null : bng.manager.operator.sessionByAddress(session.address);
    assert.equal(found?.id, session.address === null ? undefined : session.id);
    for (const address of [session.address, session.heldAddress]) {
      const walled = address === null ? undefined : bng.dataplane.installed(address)?.walled;
      if (walled === undefined || address === null) continue;
      // On the way from one pool of the ISP to another the old lease stays open until the client moves.
      const mayBeOpen = session.state === 'active' || session.state === 'activating';
      if (!mayBeOpen || prefixContains(GARDEN, address)) assert.equal(walled, true, session.state);
      if (session.state === 'active') assert.equal(walled, false, 'active and walled');
    }
  }
  assert.deepEqual(installed, mayBeInstalled, 'installed is exactly what is bound or held');
  const allocated = bng.pools.usage().reduce((sum, pool) => sum + pool.allocated, 0);
  assert.equal(allocated, holders.size, 'allocated is exactly what sessions have');
  const { terminated: _ended, ...living } = bng.manager.operator.stateCounts();
  const { terminated: stillListed, ...expected } = counted;
  assert.deepEqual(living, expected);
  assert.equal(stillListed, 0);
}

async function act(
  bng: InnerBng,
  { serial, client }: Subscriber,
  random: (below: number) => number,
): Promise<void> {
  const { manager } = bng;
  const session = manager.operator.sessionByOnt(serial);
  const address = session?.heldAddress ?? session?.address ?? (0x0aff0009 as Ipv4);
  const granted = session?.address ?? address;
  const selectors: readonly SessionSelector[] = [
    { userName: serial },
    { framedAddress: address },
    { userName: serial, framedAddress: granted },
    { mac: client.mac },
  ];
  const selector = selectors[random(selectors.length)]!;
  const changes: readonly AuthorizationChange[] = [
    { downloadBitsPerSecond: random(1e9) },
    { poolName: 'isp' },
    { poolName: 'small', serviceId: 'small', uploadBitsPerSecond: 5 },
    { poolName: 'wgar' },
    { sessionTimeoutSeconds: 60 + random(600), idleTimeoutSeconds: 60 + random(600) },
    { poolName: 'isp', sessionTimeoutSeconds: null, idleTimeoutSeconds: null, interimIntervalSeconds: 60 },
  ];
  const deeds: readonly (() => unknown)[] = [
    () => manager.onts.ontDetected({ ontSerial: serial, circuitId: Buffer.from(serial) }),
    () => client.punt(client.frame('DHCPDISCOVER')),
    () => client.punt(client.frame('DHCPDISCOVER')),
    () => client.punt(client.frame('DHCPREQUEST', { requestedAddress: granted })),
    () => client.punt(client.frame('DHCPREQUEST', { requestedAddress: granted })),
    () => client.punt(client.frame('DHCPREQUEST', { requestedAddress: granted })),
    () => client.punt(client.frame('DHCPREQUEST', { ciaddr: address })),
    () => client.punt(client.frame('DHCPREQUEST', { ciaddr: address })),
    () => client.punt(client.frame('DHCPRELEASE', { ciaddr: address })),
    () => client.punt(client.frame('DHCPDECLINE', { requestedAddress: granted })),
    () => client.punt(mutate(client.frame('DHCPREQUEST', { requestedAddress: granted }), random)),
    () => manager.operator.activate(orderFor(serial, random(4) === 0 ? 'small' : 'isp')),
    () => manager.operator.activate(orderFor(serial)),
    () => manager.operator.suspend(serial, 'unpaid'),
    () => manager.operator.resume(serial),
    () => manager.authorization.changeAuthorization(selector, changes[random(changes.length)]!),
    () => manager.authorization.changeAuthorization(selector, changes[random(changes.length)]!),
    () => (random(3) === 0 ? manager.authorization.disconnect(selector) : null),
    () => (random(3) === 0 ? manager.operator.terminate(serial) : null),
    () => (random(3) === 0 ? manager.onts.ontDisconnected(serial) : null),
    () => (random(3) === 0 ? bng.dataplane.refuseNext('busy') : null),
  ];
  void deeds[random(deeds.length)]?.();
  // Often several things meet before any of them is done.
  if (random(3) === 0) await settled();
}

describe('a thousand sessions', () => {
  for (const seed of [1, 2, 3]) {
    it(`keep one account of every address through random events, seed ${seed}`, async () => {
      const bng = new InnerBng({
        pools: [
          poolOf('wgar', formatPrefix(GARDEN)),
          poolOf('isp', '10.0.0.0/21', { leaseSeconds: 3600 }),
          poolOf('small', '10.16.0.0/28'),
        ],
      });
      const random = seededRandom(seed);
      bng.accessNodeSays = async () => {
        if (random(2) === 0) await settled();
        return random(10) === 0 ? { ok: false, reason: 'refused' } : { ok: true };
      };
      const subscribers = Array.from({ length: SUBSCRIBERS }, (_, n): Subscriber => {
        const serial = `ONT${n}`;
        return { serial, client: bng.ont(serial, { mac: (0x02_00_00_00_00_00 + n) as Mac }) };
      });
      const seen = new Set<string>();
      for (let step = 0; step < STEPS; step++) {
        for (let n = 0; n < BATCH; n++) await act(bng, subscribers[random(SUBSCRIBERS)]!, random);
        await bng.clock.advance(random(8) === 0 ? 130_000 : random(20_000));
        for (let turn = 0; turn < 12; turn++) await settled();
        bng.dataplane.transmitted.length = 0;
        checkBooks(bng, new Set((await bng.dataplane.dump()).map(({ address }) => address)));
        for (const session of bng.manager.operator.sessions()) seen.add(session.state);
      }
      assert.deepEqual(bng.bugs, []);
      assert.deepEqual(
        seen,
        new Set(SESSION_STATES.filter((state) => state !== 'terminated')),
        'the walk saw every state',
      );
      bng.accessNodeSays = () => ({ ok: true });
      // A refusal that nobody has met yet would keep one lease in place.
      await bng.dataplane.remove(0 as Ipv4);
      await bng.manager.close();
      assert.deepEqual(await bng.dataplane.dump(), []);
      assert.ok(bng.pools.usage().every(({ allocated }) => allocated === 0));
      const [starts, stops] = ['start', 'stop'].map((kind) =>
        bng.accounted.filter((one) => one.kind === kind),
      );
      assert.equal(starts?.length, stops?.length, 'every accounting start has its stop');
      assert.ok((starts?.length ?? 0) > 100);
    });
  }
});
