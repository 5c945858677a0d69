/**
 * The garden's DNS: allowed names lead to their addresses, which the dataplane lets through before the answer leaves; every other
 * name leads to the portal. Nothing of what a subscriber writes in a name goes further, except below an allowed `*.name`.
 */
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { AllowedName } from './allowed-names.js';
import { hostName, portsOf } from './allowed-names.js';
import type { ApplyOutcome, Destination } from './learned.js';
import { LearnedDestinations } from './learned.js';
import type { Query } from './message.js';
import { readQuery, writeAnswer, writeRefusal } from './message.js';
import { Upstream } from './upstream.js';

/** What became of a query. */
export const GARDEN_DNS_OUTCOMES = [
  'allowed',
  'portal',
  'empty',
  'none',
  'failed',
  'refused',
  'dropped',
] as const;
export type GardenDnsOutcome = (typeof GARDEN_DNS_OUTCOMES)[number];

export interface GardenDnsOptions {
  readonly clock: Clock;
  readonly names: readonly AllowedName[];
  readonly upstream: readonly { readonly address: Ipv4; readonly port: number }[];
  readonly upstreamTimeoutMs: number;
  /** Where every other name leads. */
  readonly portal: Ipv4;
  /** Whether a name may lead there at all: not to subscribers, and not to us. */
  readonly mayReach: (address: Ipv4) => boolean;
  readonly maxDestinations: number;
  /** Lets garden members reach just these beside what configuration says. */
  readonly apply: (destinations: readonly Destination[]) => Promise<ApplyOutcome>;
  readonly onOutcome: (outcome: GardenDnsOutcome) => void;
  readonly onFailure: (reason: string) => void;
}

/** Short, since after activation the same name leads elsewhere. */
const PORTAL_TTL_SECONDS = 5;

interface Answered {
  readonly outcome: GardenDnsOutcome;
  readonly bytes: Buffer;
}

export class GardenDns {
  readonly #o: GardenDnsOptions;
  readonly #upstream: Upstream;
  readonly #learned: LearnedDestinations;
  #names: readonly AllowedName[];

  constructor(options: GardenDnsOptions) {
    this.#o = options;
    this.#names = options.names;
    const { clock, upstream: servers, upstreamTimeoutMs: timeoutMs, maxDestinations: limit } = options;
    this.#upstream = new Upstream({ clock, servers, timeoutMs });
    this.#learned = new LearnedDestinations({ ...options, limit });
  }

  /** Addresses that names have led to and that garden members may reach. */
  get destinations(): number {
    return this.#learned.size;
  }

  /** Other names from now on; what names of before have led to stays until its time is over. */
  useNames(names: readonly AllowedName[]): void {
    this.#names = names;
  }

  /** The answer to one message of a garden member; null when there is none. Never rejects because of what it reads. */
  async answer(message: Buffer): Promise<Buffer | null> {
    const read = readQuery(message);
    if (read.kind === 'dropped') {
      this.#o.onOutcome('dropped');
      return null;
    }
    if (read.kind === 'refused') {
      this.#o.onOutcome('refused');
      return writeRefusal(read.echo, read.code);
    }
    const { outcome, bytes } = await this.#decide(read.query);
    this.#o.onOutcome(outcome);
    return bytes;
  }

  close(): void {
    this.#learned.close();
    this.#upstream.close();
  }

  async #decide(query: Query): Promise<Answered> {
    const name = hostName(query.question.name);
    const ports = name === null ? [] : portsOf(this.#names, name);
    // No other type is passed on: what it says could carry anything, and garden members have IPv4 only.
    if (query.question.type !== 'A') return { outcome: 'empty', bytes: writeAnswer(query, 'noError') };
    if (name === null || ports.length === 0) {
      const found = { addresses: [this.#o.portal], ttlSeconds: PORTAL_TTL_SECONDS };
      return { outcome: 'portal', bytes: writeAnswer(query, 'noError', found) };
    }
    return this.#allowed(query, name, ports);
  }

  async #allowed(query: Query, name: string, ports: readonly (number | null)[]): Promise<Answered> {
    const failed = { outcome: 'failed', bytes: writeAnswer(query, 'serverFailure') } as const;
    const lookup = await this.#upstream.lookup(name);
    if (lookup.kind === 'none') return { outcome: 'none', bytes: writeAnswer(query, 'noError') };
    if (lookup.kind === 'failed') {
      this.#o.onFailure(`${name}: ${lookup.reason}`);
      return failed;
    }
    const { ttlSeconds } = lookup;
    const addresses = lookup.addresses.filter((address) => this.#o.mayReach(address));
    if (addresses.length === 0) return { outcome: 'none', bytes: writeAnswer(query, 'noError') };
    const destinations = addresses.flatMap((address) => ports.map((port) => ({ address, port })));
    if (!(await this.#learned.learn(destinations, ttlSeconds))) return failed;
    return { outcome: 'allowed', bytes: writeAnswer(query, 'noError', { addresses, ttlSeconds }) };
  }
}
