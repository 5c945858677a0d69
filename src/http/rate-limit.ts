/** How often one address may ask: a token bucket for each, so that a runaway script cannot keep the control plane busy. */
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../model/clock.js';
import { sendProblem } from './problem.js';

export interface RateLimit {
  readonly perSecond: number;
  /** Requests that may come at once after a pause. */
  readonly burst: number;
}

/** Addresses whose buckets are remembered; beyond that the longest silent one is forgotten, and starts full again. */
const MOST_ADDRESSES = 4096;

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

export class RequestBuckets {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** 0 when the request may pass, else the seconds until the next may. */
  take(address: string): number {
    const { perSecond, burst } = this.#limit;
    const atMs = this.#clock.monotonicMs();
    const before = this.#buckets.get(address) ?? { tokens: burst, atMs };
    const tokens = Math.min(burst, before.tokens + ((atMs - before.atMs) / 1000) * perSecond);
    // Set anew each time, so that the map is in order of use.
    this.#buckets.delete(address);
    const passes = tokens >= 1;
    this.#buckets.set(address, { tokens: passes ? tokens - 1 : tokens, atMs });
    if (this.#buckets.size > MOST_ADDRESSES) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return passes ? 0 : Math.ceil((1 - tokens) / perSecond);
  }
}

/** Refuses with 429 and `Retry-After` before anything else of a request is looked at, a wrong token's too. */
export function addRateLimit(app: FastifyInstance, limit: RateLimit, clock: Clock): void {
  const buckets = new RequestBuckets(limit, clock);
  app.addHook('onRequest', async (request, reply) => {
    const waitSeconds = buckets.take(request.ip);
    if (waitSeconds === 0) return undefined;
    reply.header('retry-after', String(waitSeconds));
    return sendProblem(reply, 'too-many-requests', {
      detail: `At most ${limit.perSecond} requests a second, ${limit.burst} at once.`,
    });
  });
}
