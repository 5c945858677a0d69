/** Addresses of allowed names, asked of the operator's resolvers; each answer is kept as long as it is valid. */
import { Resolver } from 'node:dns/promises';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4, parseIpv4 } from '../model/ipv4.js';

export type Lookup =
  /** `ttlSeconds`: the least that is left of any of them. */
  | { readonly kind: 'found'; readonly addresses: readonly Ipv4[]; readonly ttlSeconds: number }
  /** The name, or an address of it, does not exist. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface UpstreamOptions {
  readonly clock: Clock;
  readonly servers: readonly { readonly address: Ipv4; readonly port: number }[];
  /** Of one try at one server. */
  readonly timeoutMs: number;
}

const TRIES = 2;
/** What fits into an answer of 512 bytes with the longest name (RFC 1035 §4.2.1). */
const MOST_ADDRESSES = 8;
/** Names that are asked at once; a name is asked once for all who want it. */
const MOST_PENDING = 256;
const MOST_KEPT = 4096;
/** That a name does not exist is kept as long: shorter than what zones usually say, since they are not asked for it. */
const NONE_MS = 10_000;
const LONGEST_TTL_SECONDS = 3600;

interface Kept {
  readonly lookup: Lookup;
  readonly untilMs: number;
}

export class Upstream {
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  readonly #pending = new Map<string, Promise<Lookup>>();
  readonly #kept = new Map<string, Kept>();

  constructor({ clock, servers, timeoutMs }: UpstreamOptions) {
    this.#clock = clock;
    this.#resolver = new Resolver({ timeout: timeoutMs, tries: TRIES });
    this.#resolver.setServers(servers.map(({ address, port }) => `${formatIpv4(address)}:${port}`));
  }

  async lookup(name: string): Promise<Lookup> {
    const kept = this.#kept.get(name);
    const leftMs = kept === undefined ? 0 : kept.untilMs - this.#clock.monotonicMs();
    if (kept !== undefined && leftMs > 0) return aged(kept.lookup, leftMs);
    const before = this.#pending.get(name);
    if (before !== undefined) return before;
    if (this.#pending.size >= MOST_PENDING) return { kind: 'failed', reason: 'too many names asked at once' };
    const asked = this.#ask(name).finally(() => this.#pending.delete(name));
    this.#pending.set(name, asked);
    return asked;
  }

  /** Whoever waits is told that it failed. */
  close(): void {
    this.#resolver.cancel();
  }

  async #ask(name: string): Promise<Lookup> {
    const lookup = await this.#resolve(name);
    if (lookup.kind !== 'failed') this.#keep(name, lookup);
    return lookup;
  }

  async #resolve(name: string): Promise<Lookup> {
    try {
      const records = await this.#resolver.resolve4(name, { ttl: true });
      const used = records.slice(0, MOST_ADDRESSES);
      return {
        kind: 'found',
        addresses: used.map(({ address }) => parseIpv4(address)),
        ttlSeconds: Math.min(LONGEST_TTL_SECONDS, ...used.map(({ ttl }) => ttl)),
      };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'none' };
      return { kind: 'failed', reason: code };
    }
  }

  #keep(name: string, lookup: Lookup): void {
    const forMs = lookup.kind === 'found' ? lookup.ttlSeconds * 1000 : NONE_MS;
    // The oldest goes: a Map keeps the order in which names came.
    this.#kept.delete(name);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, { lookup, untilMs: this.#clock.monotonicMs() + forMs });
  }
}

function aged(lookup: Lookup, leftMs: number): Lookup {
  return lookup.kind === 'found' ? { ...lookup, ttlSeconds: Math.floor(leftMs / 1000) } : lookup;
}
