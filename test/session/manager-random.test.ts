/** Whatever happens to a thousand subscribers, in any order, the books of sessions, pools and dataplane agree. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { SESSION_STATES } from '../../src/session/view.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { InnerBng, orderFor, poolOf } from '../support/inner-bng.js';
import { mutate, seededRandom } from '../support/mutate.js';

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
  for (const session of bng.manager.sessions()) {
    counted[session.state] = (counted[session.state] ?? 0) + 1;
    for (const address of [session.address, session.heldAddress]) {
      if (address === null) continue;
      assert.equal(holders.get(address), undefined, `${formatIpv4(address)} is held twice`);
      holders.set(address, session.id);
    }
    if (session.leasePhase === 'bound') mayBeInstalled.add(session.address!);
    if (session.heldAddress !== null) mayBeInstalled.add(session.heldAddress);
    const found = session.address === null ? null : bng.manager.sessionByAddress(session.address);
    assert.equal(found?.id, session.address === null ? undefined : session.id);
    for (const address of [session.address, session.heldAddress]) {
      const walled = address === null ? undefined : bng.dataplane.installed(address)?.walled;
      if (walled !== undefined)
        assert.equal(walled, session.state !== 'active', `${session.state} and walled: ${walled}`);
    }
  }
  assert.deepEqual(installed, mayBeInstalled, 'installed is exactly what is bound or held');
  const allocated = bng.pools.usage().reduce((sum, pool) => sum + pool.allocated, 0);
  assert.equal(allocated, holders.size, 'allocated is exactly what sessions have');
  const { terminated: _ended, ...living } = bng.manager.stateCounts();
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
  const session = manager.sessionByOnt(serial);
  const address = session?.heldAddress ?? session?.address ?? (0x0aff0009 as Ipv4);
  const granted = session?.address ?? address;
  const deeds: readonly (() => unknown)[] = [
    () => manager.ontDetected({ ontSerial: serial, circuitId: Buffer.from(serial) }),
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
    () => manager.activate(orderFor(serial, random(4) === 0 ? 'small' : 'isp')),
    () => manager.activate(orderFor(serial)),
    () => manager.suspend(serial),
    () => manager.resume(serial),
    () => (random(3) === 0 ? manager.terminate(serial) : null),
    () => (random(3) === 0 ? manager.ontDisconnected(serial) : null),
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
          poolOf('wgar', '10.255.0.0/21'),
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
        for (const session of bng.manager.sessions()) seen.add(session.state);
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
