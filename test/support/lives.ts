/**
 * A BNG that dies and comes back: what it leaves behind (the store's files, the dataplane, the access node, what clients
 * and the accounting server were told) stays in the world, everything else is made anew for each life. The world counts
 * each thing that passes between a life and itself, and can cut the life off at any of them, as `kill -9` does.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { LocalAuthenticator, type LocalRecord } from '../../src/aaa/local-authenticator.js';
import type { AccountingRecord } from '../../src/aaa/accounting-record.js';
import { AccountingWriter } from '../../src/aaa/accounting-writer.js';
import { RadiusAccounting } from '../../src/aaa/radius-accounting.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import type { Dataplane, PuntPath } from '../../src/dataplane/port.js';
import { Nonces } from '../../src/dhcpv4/nonces.js';
import { DhcpServer } from '../../src/dhcpv4/server.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';
import type { PoolDefinition } from '../../src/pool/address-pool.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';
import { restore } from '../../src/restore-parts.js';
import type { LifecycleEvent } from '../../src/session/lifecycle.js';
import { DEFAULT_LINES, type LineOptions } from '../../src/session/line-options.js';
import { SessionManager } from '../../src/session/manager.js';
import { openStore } from '../../src/store-parts.js';
import type { Store, StoreChange, StoreDamage, StoreFailure, StoreResult } from '../../src/store/port.js';
import type { SqliteStore } from '../../src/store/sqlite-store.js';
import { memoryFolder, NAS } from './accounting-world.js';
import { DhcpClient } from './dhcp-client.js';
import type { DhcpClientOptions } from './dhcp-client.js';
import { FakeClock, settled } from './fake-clock.js';
import { GARDEN, gardenProfile, HOME, TINY } from './inner-bng.js';

const NEVER = new Promise<never>(() => {});

export class World {
  readonly folder: string;
  readonly dataplane = new MemoryDataplane();
  /** What the accounting server has. */
  readonly records: AccountingRecord[] = [];
  readonly reconfigured: { readonly ontSerial: string; readonly profile: ServiceProfile }[] = [];
  readonly logged: Record<string, unknown>[] = [];
  pools: readonly PoolDefinition[] = [GARDEN, HOME, TINY];
  subscribers: readonly LocalRecord[] = [];
  lines: LineOptions = DEFAULT_LINES;
  bootId = 'boot-1';
  bootMs = 5_000_000;
  wallMs = Date.UTC(2026, 0, 1);
  /** What the store says of a write instead of doing it; null lets it. */
  storeSays: StoreFailure | null = null;
  /** What a write waits for, before it is done. */
  storeWaits: Promise<void> | null = null;
  /** What was given to the store, a commit each. */
  readonly written: (readonly StoreChange[])[] = [];
  /** Interfaces have other indexes after a boot. */
  ifindexOffset = 0;
  isPortGone = false;
  /** What passes between the intention to remove an address and its removal. */
  onRemoval: (address: Ipv4) => void = () => undefined;
  /** How many things may still pass until the life is cut. */
  cutAfter = Infinity;
  passed = 0;
  life: Life | null = null;

  constructor(t: TestContext) {
    this.folder = memoryFolder(t);
    t.after(() => this.kill());
  }

  /** Starts a life; resolves when it serves. */
  async start(): Promise<Life> {
    assert.equal(this.life, null);
    const life = new Life(this, await openStore(this.folder, this.wallMs));
    this.life = life;
    try {
      await life.start();
    } catch (error) {
      await this.kill();
      throw error;
    }
    return life;
  }

  /** Ends the life without a word. */
  async kill(): Promise<void> {
    const { life } = this;
    if (life === null) return;
    this.life = null;
    await life.abandon();
    this.cutAfter = Infinity;
  }

  /** Asks it to stop. */
  async stop(how: 'end' | 'keep' = 'keep'): Promise<void> {
    const life = this.life;
    assert.ok(life !== null);
    await life.close(how);
    this.life = null;
  }

  /** Time passes while there is no life. */
  passes(ms: number): void {
    this.bootMs += ms;
    this.wallMs += ms;
  }

  /** The machine was booted anew: the kernel's maps are gone. */
  async reboot(ms: number): Promise<void> {
    this.wallMs += ms;
    this.bootId = `boot-${Number(this.bootId.slice(5)) + 1}`;
    this.bootMs = 30_000;
    const outcome = await this.dataplane.reconcile([]);
    assert.ok(outcome.ok);
    const { foreign, removed } = outcome.report;
    this.dataplane.forget([...foreign, ...removed].flatMap(({ receipt }) => receipt ?? []));
  }

  ont(ontSerial: string, more: Partial<DhcpClientOptions> = {}): DhcpClient {
    const { dataplane } = this;
    const settle = async (): Promise<void> => this.life?.quiet();
    const circuitId = `agg-01|1/1/${ontSerial}`;
    return new DhcpClient({ dataplane, circuitId, remoteId: ontSerial, settle, ...more });
  }
}

export class Life {
  readonly clock: FakeClock;
  readonly pools: HashRingPools;
  readonly manager: SessionManager;
  readonly lifecycle: LifecycleEvent[] = [];
  readonly bugs: unknown[] = [];
  readonly answered: string[] = [];
  readonly storeEvents: string[] = [];
  readonly #world: World;
  readonly #sqlite: SqliteStore;
  readonly #store: Store;
  readonly #startWallMs: number;
  readonly #startBootMs: number;
  readonly #startMs: number;
  readonly #books: { accounting: RadiusAccounting | null } = { accounting: null };
  readonly #writer: AccountingWriter;
  #server: DhcpServer | null = null;
  isDead = false;

  /** What of the store was damaged. */
  get damage(): StoreDamage | null {
    return this.#sqlite.damage;
  }

  constructor(world: World, sqlite: SqliteStore) {
    this.#world = world;
    this.#sqlite = sqlite;
    // Another process has another beginning of monotonic time.
    this.clock = new FakeClock({ nowMs: 100 + Math.floor(world.bootMs % 977), wallMs: world.wallMs });
    this.#startMs = this.clock.monotonicMs();
    this.#startWallMs = world.wallMs;
    this.#startBootMs = world.bootMs;
    this.#store = this.#cuttable(sqlite);
    this.#writer = new AccountingWriter({
      store: this.#store,
      clock: this.clock,
      onFailure: ({ kind }) => void this.storeEvents.push(kind),
      onRecovered: () => void this.storeEvents.push('works again'),
    });
    this.pools = new HashRingPools(world.pools);
    const onBug = (error: unknown): void => void this.bugs.push(error);
    const books = (): RadiusAccounting => {
      assert.ok(this.#books.accounting !== null);
      return this.#books.accounting;
    };
    this.manager = new SessionManager({
      authenticator: new LocalAuthenticator({
        ...{ records: world.subscribers, defaultPool: 'wgar', gardenPool: 'wgar' },
      }),
      accounting: {
        interimIntervalSeconds: 300,
        start: (session) => books().start(session),
        interim: (session, usage) => books().interim(session, usage),
        stop: (session, final) => books().stop(session, final),
        stored: () => books().stored(),
      },
      pools: this.pools,
      dataplane: this.#dataplane(),
      accessNode: {
        reconfigure: async (ontSerial, profile) => {
          await this.#pass();
          world.reconfigured.push({ ontSerial, profile });
          await this.#pass();
          return { ok: true };
        },
      },
      clock: this.clock,
      gardenProfile,
      trustOption82: true,
      maxSessions: 10_000,
      lines: world.lines,
      prober: null,
      durability: {
        store: this.#store,
        commits: this.#writer,
        boot: { bootId: world.bootId, bootMs: () => this.#bootMs() },
        ports: {
          nameOf: (ifindex) => `access${ifindex - world.ifindexOffset}`,
          indexOf: (name) => (world.isPortGone ? null : Number(name.slice(6)) + world.ifindexOffset),
        },
      },
      onBug,
    });
    this.manager.onLifecycle((event) => this.lifecycle.push(event));
  }

  async start(): Promise<void> {
    const world = this.#world;
    const opened = await RadiusAccounting.open({
      store: this.#store,
      writer: this.#writer,
      clock: this.clock,
      nas: NAS,
      interimIntervalSeconds: 300,
      bootId: world.bootId,
      sender: {
        send: async (record) => {
          await this.#pass();
          world.records.push(record);
          await this.#pass();
          return 'delivered';
        },
      },
    });
    assert.ok(opened.ok);
    this.#books.accounting = opened.value;
    const log = (line: object): void => void world.logged.push({ ...line });
    const logger = { info: log, warn: log, error: log } as unknown as Parameters<typeof restore>[0]['logger'];
    const account = await restore({
      manager: this.manager,
      books: opened.value,
      dataplane: {
        reconcile: (wanted) => this.#passing(() => world.dataplane.reconcile(wanted)),
        standing: () =>
          world.dataplane.standing().map((one) => ({ ...one, expiresAtMs: this.#fromBoot(one.expiresAtMs) })),
        promiseAnew: () => (this.isDead ? undefined : world.dataplane.promiseAnew()),
      },
      logger,
      path: world.folder,
    });
    const { dataplane } = world;
    const punts: PuntPath = {
      onAnswered: (listener) =>
        dataplane.onAnswered((answered) =>
          this.isDead ? undefined : listener({ ...answered, atMs: this.#fromBoot(answered.atMs) }),
        ),
      onPunt: (listener) => dataplane.onPunt((punted) => (this.isDead ? undefined : listener(punted))),
      backlogRead: () => dataplane.backlogRead(),
      transmit: (ifindex, frame) => {
        this.#count();
        const sent = this.isDead || dataplane.transmit(ifindex, frame);
        this.#count();
        return sent;
      },
      accessMac: () => dataplane.accessMac(),
    };
    this.#server = new DhcpServer({
      inlet: this.manager.dhcp,
      leases: this.manager.leases,
      punts,
      rules: { trustOption82: true, untrustedOption82: 'refuse', relays: null, forceRenew: true },
      nonces: new Nonces(this.clock),
      stations: this.manager.stations,
      clock: this.clock,
      observer: {
        decided: (kind) => void this.answered.push(kind),
        answered: () => {},
        dropped: () => {},
      },
      onBug: (error) => void this.bugs.push(error),
    });
    this.#server.start();
    await punts.backlogRead();
    if (!this.isDead) await this.manager.restoration?.promise();
    if (!this.isDead) await account();
  }

  /** Lets everything happen that waits for no clock: the store's thread answers by messages, so this takes real time. */
  async quiet(): Promise<void> {
    let last = -1;
    for (let calm = 0; calm < 2; calm += 1) {
      await this.#sqlite.scanKeys('session', null, 1);
      await settled();
      if (this.#world.passed !== last) calm = 0;
      last = this.#world.passed;
    }
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.quiet();
  }

  async close(how: 'end' | 'keep'): Promise<void> {
    await this.#server?.close();
    await this.manager.close(how);
    if (how === 'end') this.#books.accounting?.announce('Off');
    await this.#books.accounting?.close(how === 'end' ? 1_000 : 0);
    await this.abandon();
  }

  async abandon(): Promise<void> {
    this.isDead = true;
    const world = this.#world;
    world.bootMs = this.#bootMs();
    world.wallMs = this.#startWallMs + (this.clock.monotonicMs() - this.#startMs);
    await this.#sqlite.close();
  }

  #bootMs(): number {
    return this.#startBootMs + (this.clock.monotonicMs() - this.#startMs);
  }

  /** Promises outlast the life, so the dataplane keeps their times as those of the boot. */
  #fromBoot(bootMs: number): number {
    return bootMs - this.#startBootMs + this.#startMs;
  }

  #count(): void {
    const world = this.#world;
    if (this.isDead) return;
    world.passed += 1;
    if (world.passed > world.cutAfter) this.isDead = true;
  }

  /** One thing passes between the life and the world; from a life that has been cut off nothing ever does. */
  async #pass(): Promise<void> {
    this.#count();
    if (this.isDead) await NEVER;
  }

  async #passing<T>(act: () => Promise<T>): Promise<T> {
    await this.#pass();
    const result = await act();
    await this.#pass();
    return result;
  }

  #dataplane(): Dataplane {
    const world = this.#world;
    const { dataplane } = world;
    return {
      install: (entry) => this.#passing(() => dataplane.install(entry)),
      update: (entry) => this.#passing(() => dataplane.update(entry)),
      remove: (address) =>
        this.#passing(() => {
          world.onRemoval(address);
          return dataplane.remove(address);
        }),
      forget: (receipts) => {
        this.#count();
        if (!this.isDead) dataplane.forget(receipts);
        this.#count();
      },
      traffic: (address) => dataplane.traffic(address),
      promise: (promise) =>
        dataplane.promise({ ...promise, expiresAtMs: promise.expiresAtMs - this.#fromBoot(0) }),
      promisedUntilMs: (attachment) => {
        const untilMs = dataplane.promisedUntilMs(attachment);
        return untilMs === null ? null : this.#fromBoot(untilMs);
      },
      withdraw: (attachment) => dataplane.withdraw(attachment),
    };
  }

  #cuttable(sqlite: SqliteStore): Store {
    const world = this.#world;
    return {
      damage: sqlite.damage,
      write: (changes) =>
        this.#passing<StoreResult<null>>(async () => {
          if (changes.length > 0) {
            world.written.push(changes);
            await world.storeWaits;
          }
          return world.storeSays === null ? sqlite.write(changes) : { ok: false, failure: world.storeSays };
        }),
      get: (table, keys) => sqlite.get(table, keys),
      scan: (table, after, limit) => sqlite.scan(table, after, limit),
      scanKeys: (table, after, limit) => sqlite.scanKeys(table, after, limit),
      close: () => sqlite.close(),
    };
  }
}
