/**
 * kill -9 at every point: a script of a subscriber's life is played once for each thing that passes between the BNG and the
 * world (a commit, a step of the dataplane, an answer, a record), cut off just there, and gone on with by the next life.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { OperatorResult } from '../../src/session/inlet.js';
import type { SessionManager } from '../../src/session/manager.js';
import type { SessionView } from '../../src/session/view.js';
import type { DhcpClient, Heard } from './dhcp-client.js';
import { kindOf, serverIdOf } from './dhcp-client.js';
import { orderFor } from './inner-bng.js';
import { World } from './lives.js';

class Cut extends Error {}

/** A subscriber's equipment: it has what it was told that it has. */
class Subscriber {
  readonly serial: string;
  readonly #player: Player;
  readonly #client: DhcpClient;
  address: Ipv4 | null = null;

  constructor(player: Player, n: number) {
    this.serial = `ONT${n}`;
    this.#player = player;
    this.#client = player.world.ont(this.serial, { mac: parseMac(`02:00:00:00:00:0${n}`) });
  }

  async lease(): Promise<void> {
    for (let tries = 0; tries < 5; tries += 1) {
      const offer = await this.#say(() => this.#client.discover());
      if (kindOf(offer) !== 'DHCPOFFER') continue;
      const { yiaddr } = offer!.message;
      const ack = await this.#say(() => this.#client.select(yiaddr, serverIdOf(offer!)));
      if (kindOf(ack) === 'DHCPACK') return;
    }
    assert.fail(`${this.serial} gets no lease`);
  }

  /** Renews, and where the answer is NAK begins anew; gives whether the address stayed. */
  async renew(): Promise<boolean> {
    const { address } = this;
    assert.ok(address !== null);
    const answer = await this.#say(() => this.#client.renew(address));
    if (kindOf(answer) === 'DHCPACK') return true;
    assert.equal(kindOf(answer), 'DHCPNAK', `${this.serial} renews ${formatIpv4(address)}`);
    await this.lease();
    return false;
  }

  async release(): Promise<void> {
    const { address } = this;
    if (address === null) return;
    // From here on it has nothing, whether or not anybody heard.
    this.address = null;
    await this.#player.attempt(async () => {
      await this.#client.say('DHCPRELEASE', { ciaddr: address });
    });
  }

  /** Sends and receives; the dataplane counts only what it forwards. */
  async use(bytes: bigint): Promise<void> {
    const { dataplane } = this.#player.world;
    const { address } = this;
    assert.ok(address !== null && dataplane.installed(address) !== null, `${this.serial} is not served`);
    this.#player.use(address, bytes);
  }

  async #say(what: () => Promise<Heard | null>): Promise<Heard | null> {
    let heard: Heard | null = null;
    try {
      await this.#player.attempt(async () => {
        heard = await what();
      });
    } finally {
      const late = heard ?? this.#client.heard()[0] ?? null;
      if (kindOf(late) === 'DHCPACK') this.address = late!.message.yiaddr;
      if (kindOf(late) === 'DHCPNAK') this.address = null;
    }
    return heard;
  }
}

export class Player {
  readonly world: World;
  readonly subscribers: Subscriber[];
  /** Upstream octets that really went through. */
  usedBytes = 0n;
  cuts = 0;

  constructor(world: World) {
    this.world = world;
    this.subscribers = [1, 2].map((n) => new Subscriber(this, n));
    // Nobody stops sending because we have begun to take it out.
    world.onRemoval = (address) => {
      if (world.dataplane.installed(address) !== null) this.use(address, 13n);
    };
  }

  /** Does something with the life, which may end meanwhile. */
  async attempt(act: () => Promise<void>): Promise<void> {
    const { life } = this.world;
    assert.ok(life !== null);
    const done = act();
    let isDone = false;
    void done.then(() => (isDone = true));
    while (!isDone && !life.isDead) await life.quiet();
    if (life.isDead) throw new Cut();
    await life.quiet();
    if (life.isDead) throw new Cut();
  }

  async order(give: (manager: SessionManager) => Promise<OperatorResult>): Promise<void> {
    await this.attempt(async () => {
      const { life } = this.world;
      assert.ok(life !== null);
      const result = await give(life.manager);
      assert.ok(result.ok, JSON.stringify(result));
    });
  }

  advance(ms: number): Promise<void> {
    return this.attempt(async () => this.world.life?.advance(ms));
  }

  use(address: Ipv4, bytes: bigint): void {
    const { dataplane } = this.world;
    const was = dataplane.traffic(address);
    assert.ok(was !== null);
    this.usedBytes += bytes;
    dataplane.setTraffic(address, {
      upstreamPackets: was.upstreamPackets + 1n,
      upstreamBytes: was.upstreamBytes + bytes,
      downstreamPackets: was.downstreamPackets + 1n,
      downstreamBytes: was.downstreamBytes + 2n * bytes,
    });
  }

  /** Each step is tried until it is done, over as many lives as that takes. */
  async play(script: readonly ((player: Player) => Promise<void>)[]): Promise<void> {
    for (const step of script) {
      for (;;) {
        try {
          await step(this);
          break;
        } catch (error) {
          if (!(error instanceof Cut)) throw error;
          await this.comeBack();
        }
      }
    }
  }

  async comeBack(): Promise<void> {
    this.cuts += 1;
    await this.world.kill();
    this.world.passes(1_000);
    const life = await this.world.start();
    await life.quiet();
    assert.deepEqual(life.bugs, []);
    await this.check();
  }

  /** No address twice, nobody forgotten, the dataplane as the sessions are. */
  async check(): Promise<void> {
    const { life, dataplane } = this.world;
    assert.ok(life !== null);
    const holders = new Map<Ipv4, string>();
    const leased = new Set<Ipv4>();
    for (const session of life.manager.operator.sessions()) {
      for (const address of [session.address, session.heldAddress]) {
        if (address === null) continue;
        assert.ok(!holders.has(address), `${formatIpv4(address)} is held twice`);
        holders.set(address, session.id);
      }
      if (session.leasePhase === 'bound' && session.address !== null) leased.add(session.address);
      if (session.heldAddress !== null) leased.add(session.heldAddress);
    }
    const installed = (await dataplane.dump()).map(({ address }) => address);
    assert.deepEqual(new Set(installed), leased, 'the dataplane has just the leases');
    for (const { address, serial } of this.subscribers) {
      if (address === null) continue;
      const session: SessionView | null = life.manager.operator.sessionByOnt(serial);
      assert.ok(session !== null, `${serial} lost its session`);
      const lease: Ipv4 | null = session.leasePhase === 'bound' ? session.address : session.heldAddress;
      // A move may have begun by its own request, whose answer it never heard: the old address is no longer promised.
      if (lease !== null || session.address === address)
        assert.equal(lease, address, `${serial} lost its lease`);
    }
  }

  /** One Start and one Stop for each use, counters that only grow, and every octet that went through just once. */
  checkBooks(): void {
    const { records } = this.world;
    const byId = new Map<string, Map<string, (typeof records)[number]>>();
    for (const record of records) {
      const id = record['Acct-Session-Id'];
      const distinct = byId.get(id) ?? new Map<string, (typeof records)[number]>();
      byId.set(id, distinct.set(JSON.stringify(record), record));
    }
    let billed = 0n;
    for (const [id, distinct] of byId) {
      const mine = [...distinct.values()];
      const kinds = mine.map((record) => record['Acct-Status-Type']);
      if (kinds[0]?.startsWith('Accounting-')) continue;
      assert.equal(kinds[0], 'Start', `${id}: ${kinds.join()}`);
      assert.deepEqual(
        [kinds.filter((kind) => kind === 'Start').length, kinds.filter((kind) => kind === 'Stop').length],
        [1, 1],
        `${id}: ${kinds.join()}`,
      );
      assert.equal(kinds.at(-1), 'Stop');
      const octets = mine.flatMap((one) =>
        'Acct-Input-Octets' in one ? [BigInt(one['Acct-Input-Octets'])] : [],
      );
      assert.deepEqual(
        octets,
        octets.toSorted((a, b) => (a < b ? -1 : 1)),
      );
      billed += octets.at(-1) ?? 0n;
    }
    assert.equal(billed, this.usedBytes, 'octets billed');
  }
}

type Script = readonly ((player: Player) => Promise<void>)[];

export const DORA: Script = [
  ({ subscribers: [a] }) => a!.lease(),
  async ({ subscribers: [a] }) => a!.use(100n),
  ({ subscribers: [, b] }) => b!.lease(),
  async ({ subscribers: [, b] }) => b!.use(7n),
  async ({ subscribers: [a] }) => void (await a!.renew()),
  async ({ subscribers: [a] }) => a!.use(1_000n),
  (player) => player.advance(300_000),
  async ({ subscribers: [a, b] }) => {
    await a!.renew();
    await b!.renew();
  },
  async ({ subscribers: [a] }) => a!.use(10_000n),
];

const ACTIVATION: Script = [
  ({ subscribers: [a] }) => a!.lease(),
  async ({ subscribers: [a] }) => a!.use(100n),
  (player) => player.order((manager) => manager.operator.activate(orderFor('ONT1'))),
  async ({ subscribers: [a] }) => a!.use(20n),
  async ({ subscribers: [a] }) => void (a!.address === null ? await a!.lease() : await a!.renew()),
  async ({ subscribers: [a] }) => {
    assert.ok(formatIpv4(a!.address!).startsWith('10.0.'), 'it is in the pool of the ISP');
    await a!.use(5_000n);
  },
];

export const SUSPENSION: Script = [
  ...ACTIVATION,
  (player) => player.order((manager) => manager.operator.suspend('ONT1', 'unpaid')),
  async ({ subscribers: [a] }) => void (a!.address === null ? await a!.lease() : await a!.renew()),
  async ({ subscribers: [a] }) => {
    assert.ok(formatIpv4(a!.address!).startsWith('10.255.'), 'it is in the garden');
    await a!.use(3n);
  },
];

export const ENDS: Script = [
  ({ subscribers: [a] }) => a!.lease(),
  ({ subscribers: [, b] }) => b!.lease(),
  async ({ subscribers: [a, b] }) => {
    await a!.use(100n);
    await b!.use(7n);
  },
  async ({ subscribers: [a] }) => a!.release(),
  async ({ world, subscribers: [, b] }) => {
    const { life } = world;
    assert.ok(life !== null);
    // Nothing is promised to it any more, whether or not the operator hears that it is done.
    b!.address = null;
    const result = await Promise.race([
      life.manager.operator.terminate('ONT2'),
      (async (): Promise<never> => {
        while (!life.isDead) await life.quiet();
        throw new Cut();
      })(),
    ]);
    // The life before this one may have done it and not have said so.
    assert.ok(result.ok || result.kind === 'unknown-ont', JSON.stringify(result));
    await life.quiet();
    if (life.isDead) throw new Cut();
  },
];

/** Plays the script once without a cut, then once for each thing that passed. */
export async function cutEverywhere(t: TestContext, script: Script): Promise<void> {
  const play = async (cutAfter: number): Promise<{ readonly cuts: number; readonly passed: number }> => {
    const world = new World(t);
    const player = new Player(world);
    await world.start();
    world.passed = 0;
    world.cutAfter = cutAfter;
    await player.play(script);
    // A life may have been cut with the last thing it did.
    if (world.life?.isDead === true) await player.comeBack();
    await player.check();
    assert.deepEqual(world.life?.bugs, []);
    world.cutAfter = Infinity;
    const { passed } = world;
    await world.stop('end');
    player.checkBooks();
    return { cuts: player.cuts, passed };
  };
  const { passed: points } = await play(Infinity);
  let cuts = 0;
  for (let point = 0; point < points; point += 1) {
    try {
      cuts += (await play(point)).cuts;
    } catch (error) {
      if (error instanceof Error) error.message = `cut after ${point} of ${points}: ${error.message}`;
      throw error;
    }
  }
  assert.ok(points > 30 && cuts >= points * 0.8, `${cuts} cuts at ${points} points`);
  t.diagnostic(`${cuts} cuts`);
}
