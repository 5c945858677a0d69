/** RADIUS as fast as it goes: packets made and checked, and Access-Requests answered by a server. Returns rates, keeps nothing. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import type { RadiusServer } from '../../src/aaa/radius-settings.js';
import { BngError } from '../../src/model/bng-error.js';
import { systemClock } from '../../src/model/system-clock.js';
import { encodeAccessRequest, encodeRadiusResponse } from '../../src/wire/radius-encode.js';
import { AUTHENTICATOR_LENGTH, decodeRadiusPacket, RadiusCode } from '../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { refuseResponse } from '../../src/wire/radius-verify.js';
import { acceptAttributes, accessAttributes, BENCH_SECRET, knownLine, LOOPBACK } from './radius-fixtures.js';

const IDENTIFIERS = 256;
const NO_PASSWORD = new Uint8Array();

/** How often a second something was done, by the clock and by the processor time that our main thread had. */
export interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** Of the main thread alone: what it can do is what limits us, and others on the machine take nothing from it. */
export function mainThreadTimes(): { readonly ranMs: number; readonly waitedMs: number } {
  // proc(5): nanoseconds on a processor, nanoseconds waiting for one, turns.
  const [ran = '', waited = ''] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
}

/** Begins to measure; the function it gives ends it. */
export function beginRate(): (count: number) => Rate {
  const began = performance.now();
  const before = mainThreadTimes().ranMs;
  return (count) => {
    const seconds = (performance.now() - began) / 1000;
    const cpuSeconds = (mainThreadTimes().ranMs - before) / 1000;
    return { perSecond: count / seconds, perCpuSecond: count / cpuSeconds };
  };
}

export function benchServer(port: number): RadiusServer {
  return {
    name: `${LOOPBACK}:${port}`,
    host: LOOPBACK,
    port,
    secret: new RadiusSecret(BENCH_SECRET),
    requireMessageAuthenticator: true,
  };
}

/** What the client does for each exchange, without a socket: attributes, request, and an Access-Accept decoded and believed. */
export function codecRate(seconds: number): Rate {
  const secret = new RadiusSecret(BENCH_SECRET);
  const answers = Array.from({ length: IDENTIFIERS }, (_, identifier) => {
    const authenticator = randomBytes(AUTHENTICATOR_LENGTH);
    const accept = encodeRadiusResponse({
      code: RadiusCode['Access-Accept'],
      request: { identifier, authenticator },
      attributes: acceptAttributes(),
      secret,
      messageAuthenticator: true,
    });
    return { identifier, authenticator, accept };
  });
  const one = (n: number): void => {
    const answer = answers[n % IDENTIFIERS];
    if (answer === undefined) return;
    const { identifier, authenticator, accept } = answer;
    const attributes = accessAttributes(knownLine(n));
    encodeAccessRequest({ identifier, authenticator, attributes, password: NO_PASSWORD, secret });
    const refusal = refuseResponse(decodeRadiusPacket(accept), {
      secret,
      requestAuthenticator: authenticator,
      requireMessageAuthenticator: true,
    });
    if (refusal !== null) throw new BngError('BNG_ERR_LAB', 'expected an answer to be believed', { refusal });
  };
  const runFor = (ms: number): number => {
    const end = performance.now() + ms;
    let done = 0;
    while (performance.now() < end) for (const stop = done + IDENTIFIERS; done < stop; done++) one(done);
    return done;
  };
  runFor(500);
  const finish = beginRate();
  return finish(runFor(seconds * 1000));
}

export interface AccessRateOptions {
  readonly port: number;
  readonly inFlight: number;
  readonly seconds: number;
}

/** Accepts a second, `inFlight` exchanges at any time. An exchange that ends otherwise is `BNG_ERR_LAB`. */
export async function accessRate({ port, inFlight, seconds }: AccessRateOptions): Promise<Rate> {
  const client = new RadiusClient({ servers: [benchServer(port)], clock: systemClock });
  let done = 0;
  let next = 0;
  let isOver = false;
  const one = async (): Promise<void> => {
    while (!isOver) {
      const attributes = accessAttributes(knownLine(next++));
      const result = await client.exchange({ kind: 'access', attributes, password: NO_PASSWORD });
      if (result.kind !== 'response' || result.outcome !== 'access-accept') {
        throw new BngError('BNG_ERR_LAB', 'expected an Access-Accept', { found: result.kind });
      }
      done += 1;
    }
  };
  try {
    const workers = Promise.all(Array.from({ length: inFlight }, one));
    await Promise.race([workers, new Promise((resolve) => setTimeout(resolve, 700))]);
    const finish = beginRate();
    const before = done;
    await Promise.race([workers, new Promise((resolve) => setTimeout(resolve, seconds * 1000))]);
    const rate = finish(done - before);
    isOver = true;
    await workers;
    return rate;
  } finally {
    client.close();
  }
}
