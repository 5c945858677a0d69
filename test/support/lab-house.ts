/**
 * A lab with the real BNG in it, for tests of the whole house: started, asked through its outside interfaces, waited for.
 * Holds no expectation about what the BNG does beyond that it starts.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { patience } from '../../src/lab/patience.js';
import type { LabOptions, PlugOptions } from '../../src/lab/lab.js';
import { Lab } from '../../src/lab/lab.js';
import type { ApiAnswer, ConfigChanges } from '../../src/lab/lab-bng.js';
import { LAB_VLANS, LabBng, labConfig } from '../../src/lab/lab-bng.js';
import type { LeaseEvent } from '../../src/lab/lease-log.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import type { Ipv4Prefix } from '../../src/model/ipv4.js';
import { parseIpv4, parsePrefix, prefixContains } from '../../src/model/ipv4.js';

export const GARDEN = parsePrefix('10.255.0.0/16');
export const RESIDENTIAL = parsePrefix('10.0.0.0/12');
export const BUSINESS = parsePrefix('10.16.0.0/12');

/** For what takes a client its longest: udhcpc waits 3 s after a NAK, and the machine may be busy. */
export const MOVE_DEADLINE_MS = 20_000;
/** A refusal comes at once; a busy machine takes a moment to ask. */
export const REFUSED_MS = 6_000 * patience;
const POLL_MS = 60;

const sessionSchema = z.object({
  id: z.string(),
  state: z.string(),
  lease_phase: z.string(),
  pool: z.string().nullable(),
  walled: z.boolean().nullable(),
  service_id: z.string().nullable(),
  address: z.string().nullable(),
  held_address: z.string().nullable(),
  lease_expires_at: z.string().nullable(),
  circuit_id: z.string().nullable(),
  attachment: z.object({ s_vlan: z.int(), c_vlan: z.int(), mac: z.string() }).nullable(),
});
export type ApiSession = z.infer<typeof sessionSchema>;

const poolsSchema = z.object({ pools: z.array(z.object({ name: z.string(), allocated: z.int() })) });
const counters = z.record(z.string(), z.string());
const dropsSchema = z.object({ drops: counters, verdicts: counters });
const orderSchema = z.object({
  status: z.literal('success'),
  session: z.object({
    ont_serial: z.string(),
    old_state: z.string(),
    new_state: z.string(),
    old_ip: z.string().nullable(),
    message: z.string(),
  }),
});
export type OrderedSession = z.infer<typeof orderSchema>['session'];

const nftSetSchema = z.object({
  nftables: z.array(z.looseObject({ set: z.object({ elem: z.array(z.unknown()).optional() }).optional() })),
});

export interface HouseOptions extends LabOptions {
  readonly prefix: string;
  /** Lease times of pools that differ from the lab's own, such as `{ wgar: '12s' }`. */
  readonly leaseTimes?: Readonly<Record<string, string>>;
  /** Sections that replace the lab's own; called when the lab is there, before the BNG starts. */
  readonly configure?: (lab: Lab) => ConfigChanges | Promise<ConfigChanges>;
  /** What each BNG of the house is started within. */
  readonly within?: readonly string[];
}

export class House {
  readonly lab: Lab;
  readonly #changes: ConfigChanges;
  readonly #node: readonly string[];
  #bng: LabBng;

  private constructor(
    lab: Lab,
    bng: LabBng,
    { changes, node }: { readonly changes: ConfigChanges; readonly node: readonly string[] },
  ) {
    this.lab = lab;
    this.#bng = bng;
    this.#changes = changes;
    this.#node = node;
  }

  static async start({ leaseTimes = {}, configure, within = [], ...options }: HouseOptions): Promise<House> {
    const lab = await Lab.create({ gardenSVlan: LAB_VLANS.wgar, ...options });
    try {
      const pools = labConfig(lab, '')['pools'] as readonly Record<string, unknown>[];
      const changed = pools.map((pool) => {
        const leaseTime = leaseTimes[String(pool['name'])];
        return leaseTime === undefined ? pool : { ...pool, leaseTime };
      });
      const changes = { pools: changed, ...(await configure?.(lab)) };
      const node = [...within, process.execPath];
      return new House(lab, await LabBng.start(lab, changes, node), { changes, node });
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get bng(): LabBng {
    return this.#bng;
  }

  /** Starts the BNG, which has ended, with the same configuration but for the sections in `changes`. */
  async restartBng(changes: ConfigChanges = {}): Promise<void> {
    this.#bng = await LabBng.start(this.lab, { ...this.#changes, ...changes }, this.#node);
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  plugAll(onts: readonly PlugOptions[]): Promise<OntHost[]> {
    return Promise.all(onts.map((ont) => this.lab.plug(ont)));
  }

  /** The session of an ONT, an address or a session id; null where the API knows none. */
  async session(key: string): Promise<ApiSession | null> {
    const { status, body } = await this.bng.get(`/api/v1/sessions/${key}`);
    if (status === 404) return null;
    assert.equal(status, 200, JSON.stringify(body));
    return sessionSchema.parse(body);
  }

  /** Waits until the session of an ONT satisfies `predicate`. */
  async untilSession(
    ontSerial: string,
    what: string,
    predicate: (session: ApiSession) => boolean,
    deadlineMs = MOVE_DEADLINE_MS,
  ): Promise<ApiSession> {
    let last: ApiSession | null = null;
    return until(
      () => `${ontSerial} ${what}, last ${JSON.stringify(last)}`,
      deadlineMs,
      async () => {
        last = await this.session(ontSerial);
        return last !== null && predicate(last) ? last : null;
      },
    );
  }

  async activate(ontSerial: string, service: Readonly<Record<string, unknown>> = {}): Promise<ApiAnswer> {
    return this.bng.post('/api/v1/activate', {
      ont_serial: ontSerial,
      service_id: 'home-100',
      pool: 'isp-residential',
      qos_download_bps: 100_000_000,
      qos_upload_bps: 50_000_000,
      ...service,
    });
  }

  order(name: 'suspend' | 'resume' | 'terminate', ontSerial: string): Promise<ApiAnswer> {
    return this.bng.post(`/api/v1/${name}`, { ont_serial: ontSerial });
  }

  async allocated(pool: string): Promise<number> {
    const { pools } = poolsSchema.parse((await this.bng.get('/api/v1/pools')).body);
    const found = pools.find(({ name }) => name === pool);
    assert.ok(found !== undefined, `no pool ${pool}`);
    return found.allocated;
  }

  /** Frames dropped so far by reason; a reason that never came up is 0. */
  async drops(reason: string): Promise<number> {
    const { drops } = dropsSchema.parse((await this.bng.get('/api/v1/drops')).body);
    const count = drops[reason];
    assert.ok(count !== undefined, `no drop reason ${reason}, there are ${Object.keys(drops).join(' ')}`);
    return Number(count);
  }

  /** Frames so far by what became of them. */
  async verdicts(): Promise<Readonly<Record<string, string>>> {
    return dropsSchema.parse((await this.bng.get('/api/v1/drops')).body).verdicts;
  }

  /** What the kernel's nftables hold as the garden's members. */
  async gardenMembers(): Promise<string[]> {
    const command = ['nft', '-j', 'list', 'set', 'inet', 'bng', 'garden_members'];
    const { exitCode, stdout, stderr } = await this.bng.probe.run(command, 10_000 * patience);
    assert.equal(exitCode, 0, stderr);
    const parts = nftSetSchema.parse(JSON.parse(stdout)).nftables;
    return (parts.find((part) => part.set !== undefined)?.set?.elem ?? []).map((elem) =>
      typeof elem === 'string' ? elem : JSON.stringify(elem),
    );
  }
}

/** Polls until `look` gives something; fails with what was waited for. */
export async function until<T>(
  what: string | (() => string),
  deadlineMs: number,
  look: () => Promise<T | null> | T | null,
): Promise<T> {
  const deadline = performance.now() + deadlineMs * patience;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) {
      assert.fail(`not within ${deadlineMs * patience} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(POLL_MS);
  }
}

/** Waits for the client's lease in `network`. */
export async function leaseIn(
  host: OntHost,
  network: Ipv4Prefix,
  deadlineMs = MOVE_DEADLINE_MS,
): Promise<LeaseEvent> {
  const lease = await host.waitForLease(deadlineMs * patience, ({ address }) =>
    prefixContains(network, parseIpv4(address)),
  );
  assert.ok(
    lease !== null,
    `${host.ontSerial}: no such lease, its client told ${JSON.stringify(host.leaseEvents)}`,
  );
  return lease;
}

/** What a successful order answered. */
export function ordered({ status, body }: ApiAnswer): OrderedSession {
  assert.equal(status, 200, JSON.stringify(body));
  return orderSchema.parse(body).session;
}
