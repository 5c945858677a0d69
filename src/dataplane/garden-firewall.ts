/**
 * The walled garden in nftables: our table, who is a member of the garden, and the cutting of old flows. Holds the
 * intended membership so that a restarted nft child can be brought back to it. Knows nothing of BPF.
 */
import { execa, ExecaError } from 'execa';
import type { Clock } from '../model/clock.js';
import { formatIpv4, type Ipv4, parseIpv4 } from '../model/ipv4.js';
import { ConntrackFlush } from './conntrack-flush.js';
import type { GardenPolicy } from './garden-policy.js';
import { NftChild, type NftOutcome } from './nft-child.js';
import {
  addMember,
  GARDEN_DROPS,
  GARDEN_MEMBERS,
  type NftCount,
  nftPolicyChange,
  nftRuleset,
  nftTeardown,
  removeMember,
} from './nft-ruleset.js';

export interface GardenFirewallOptions {
  readonly clock: Clock;
  readonly table: string;
  readonly accessInterfaces: readonly string[];
  readonly policy: GardenPolicy;
  readonly localForwarding: boolean;
  readonly deadlineMs: number;
  /** Told what went wrong beside the calls: a lost child, a rebuild that failed, flows that could not be cut. */
  readonly onWarning: (warning: string) => void;
}

export class GardenFirewall {
  #options: GardenFirewallOptions;
  readonly #nft: NftChild;
  readonly #conntrack: ConntrackFlush;
  readonly #members = new Set<Ipv4>();
  #built = false;

  constructor(options: GardenFirewallOptions) {
    this.#options = options;
    this.#nft = new NftChild({
      clock: options.clock,
      deadlineMs: options.deadlineMs,
      onRestart: (reason) => void this.#restarted(reason),
    });
    this.#conntrack = new ConntrackFlush({
      deadlineMs: options.deadlineMs,
      onFailure: (reason) => options.onWarning(`flows of a subscriber could not be cut: ${reason}`),
    });
  }

  /** The nft child's process id, for tests and for operators. */
  get childPid(): number | null {
    return this.#nft.pid;
  }

  /**
   * Makes the table anew with the members known so far, in one transaction. Drops are counted on from what a table that stands has
   * counted, but for the few of the moment in between.
   */
  async build(): Promise<NftOutcome> {
    const counted = (await this.#counted()) ?? undefined;
    const members = [...this.#members].map(formatIpv4);
    const outcome = await this.#nft.change(
      [
        ...nftRuleset(this.#options, counted),
        ...(members.length === 0 ? [] : [addMember(this.#options.table, members.join(', '))]),
      ].join('; '),
    );
    if (outcome.ok) this.#built = true;
    return outcome;
  }

  /** Puts another policy in force, in one transaction; members, and the count of drops, stay. */
  async usePolicy(policy: GardenPolicy): Promise<NftOutcome> {
    const options = { ...this.#options, policy };
    const outcome = await this.#nft.change(nftPolicyChange(options).join('; '));
    if (outcome.ok) this.#options = options;
    return outcome;
  }

  /** Resolves when the stack treats the address as a walled subscriber's. */
  async addMember(address: Ipv4): Promise<NftOutcome> {
    this.#members.add(address);
    const outcome = await this.#nft.change(addMember(this.#options.table, formatIpv4(address)));
    if (!outcome.ok) this.#members.delete(address);
    return outcome;
  }

  /** Many at once, in one transaction; all or none. */
  async addMembers(addresses: readonly Ipv4[]): Promise<NftOutcome> {
    if (addresses.length === 0) return { ok: true };
    const outcome = await this.#nft.change(
      addMember(this.#options.table, addresses.map(formatIpv4).join(', ')),
    );
    if (outcome.ok) this.addKnown(addresses);
    return outcome;
  }

  /** Many at once, in one transaction; addresses that are no members are left out. */
  async removeMembers(addresses: readonly Ipv4[]): Promise<NftOutcome> {
    const members = [...new Set(addresses)].filter((address) => this.#members.has(address));
    if (members.length === 0) return { ok: true };
    const outcome = await this.#nft.change(
      removeMember(this.#options.table, members.map(formatIpv4).join(', ')),
    );
    if (outcome.ok) for (const address of members) this.#members.delete(address);
    return outcome;
  }

  /** Removing an address that is no member succeeds. */
  async removeMember(address: Ipv4): Promise<NftOutcome> {
    if (!this.#members.has(address)) return { ok: true };
    const outcome = await this.#nft.change(removeMember(this.#options.table, formatIpv4(address)));
    if (outcome.ok) this.#members.delete(address);
    return outcome;
  }

  /** Forgets what the stack remembers of an address's flows. Never fails: see `onWarning`. */
  cutFlows(address: Ipv4): Promise<void> {
    return this.#conntrack.flush(address);
  }

  /** Who is a member, read back from the kernel. Slow for big sets (15 µs a member): for dumps only. */
  async dumpMembers(): Promise<ReadonlySet<Ipv4>> {
    const { stdout } = await execa(
      'nft',
      ['-j', 'list', 'set', 'inet', this.#options.table, GARDEN_MEMBERS],
      {
        timeout: this.#options.deadlineMs,
      },
    );
    return new Set(memberTexts(JSON.parse(stdout)).map(parseIpv4));
  }

  /** The same for onlookers, to whom a kernel that does not answer is a value: null. */
  async members(): Promise<ReadonlySet<Ipv4> | null> {
    try {
      return await this.dumpMembers();
    } catch (error) {
      if (error instanceof ExecaError) return null;
      throw error;
    }
  }

  /** Packets that our rules dropped since the first table was built; null when the kernel does not say. */
  async drops(): Promise<bigint | null> {
    return (await this.#counted())?.packets ?? null;
  }

  async #counted(): Promise<NftCount | null> {
    const command = ['-j', 'list', 'counter', 'inet', this.#options.table, GARDEN_DROPS];
    const listed = await execa('nft', command, { timeout: this.#options.deadlineMs, reject: false });
    return listed.failed ? null : countOf(JSON.parse(listed.stdout));
  }

  /**
   * Takes over who was a member when an earlier process left the table; nobody when there is none. The next `build` makes them
   * members again.
   */
  async adopt(): Promise<ReadonlySet<Ipv4>> {
    const list = ['-j', 'list', 'set', 'inet', this.#options.table, GARDEN_MEMBERS];
    const listing = await execa('nft', list, { timeout: this.#options.deadlineMs, reject: false });
    // Without a table nft fails; with one that cannot be read there is nobody to take over either.
    const found = listing.failed ? [] : memberTexts(JSON.parse(listing.stdout)).map(parseIpv4);
    this.addKnown(found);
    return new Set(found);
  }

  /** Members that the next `build` makes members. */
  addKnown(addresses: Iterable<Ipv4>): void {
    for (const address of addresses) this.#members.add(address);
  }

  /** Ends the child; removes the table first, unless it is to stay. */
  async close(table: 'remove' | 'keep'): Promise<NftOutcome> {
    await this.#conntrack.settled();
    const outcome: NftOutcome =
      this.#built && table === 'remove'
        ? await this.#nft.change(nftTeardown(this.#options.table).join('; '))
        : { ok: true };
    this.#built = false;
    await this.#nft.close();
    return outcome;
  }

  async #restarted(reason: string): Promise<void> {
    this.#options.onWarning(`nft child restarted: ${reason}`);
    // Let the callers whose changes were refused take back their membership first.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#built) return;
    const outcome = await this.build();
    if (!outcome.ok) this.#options.onWarning(`garden table not rebuilt: ${outcome.reason}`);
  }
}

function memberTexts(listing: unknown): string[] {
  const found: string[] = [];
  for (const item of arrayAt(listing, 'nftables')) {
    const set = isRecord(item) ? item['set'] : undefined;
    for (const member of arrayAt(set, 'elem')) if (typeof member === 'string') found.push(member);
  }
  return found;
}

function countOf(listing: unknown): NftCount | null {
  for (const item of arrayAt(listing, 'nftables')) {
    const counter = isRecord(item) ? item['counter'] : undefined;
    if (!isRecord(counter)) continue;
    const { packets, bytes } = counter;
    if (typeof packets === 'number' && typeof bytes === 'number') {
      return { packets: BigInt(packets), bytes: BigInt(bytes) };
    }
  }
  return null;
}

function arrayAt(value: unknown, key: string): readonly unknown[] {
  const found = isRecord(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
