/**
 * What listing very many sessions costs a real BNG: every one of them has its lease over DHCP; they are then listed by the built
 * bngctl, scraped, and watched as the operator page does. The delay of the BNG's event loop is measured inside it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { exec } from '../../src/lab/exec.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import type { LoopDelay } from './loop-delay.js';
import { loopDelay } from './loop-delay.js';
import { fill } from './many-sessions.js';

const MANY = 100_000;
const CASE_TIMEOUT_MS = 60_000;
const IDLE_MS = 1_000;
const WATCH_SECONDS = 5;
/** What curl ends with when its time is up: a stream has no other end. */
const CURL_TIME_UP = 28;
/** Eleven circuit-ids hold it: its own, and ten that are longer. */
const FILTER = 'bench eth 1/1/4242';

interface Case {
  readonly name: string;
  readonly command: readonly string[];
  readonly exitCode: number;
  /** How many sessions its output speaks of, and how many it must at least. */
  readonly count: (output: string) => number;
  readonly least: number;
  readonly note?: string;
}

const jsonSchema = z.object({ sessions: z.array(z.unknown()) });
const inJson = (output: string): number => jsonSchema.parse(JSON.parse(output)).sessions.length;
const inSummary = (output: string): number => Number(/\n(\d+) sessions\n$/.exec(output)?.[1] ?? 0);
const inSeries = (output: string): number => output.split('\nbng_subscriber_info{').length - 1;
const inOverview = (output: string): number =>
  Math.max(0, ...Array.from(output.matchAll(/"installed":(\d+)/g), (match) => Number(match[1])));

function casesOf(world: BenchWorld): readonly Case[] {
  const bngctl = [process.execPath, labProgram('../bin/bngctl.js'), '--socket', world.paths.apiSocket];
  const curl = ['curl', '-sS', '--noproxy', '*', '-f'];
  const list = (options: readonly string[], more: Partial<Case> = {}): Case => ({
    name: ['bngctl sessions', ...options].join(' '),
    command: [...bngctl, 'sessions', ...options],
    exitCode: 0,
    count: inSummary,
    least: MANY,
    ...more,
  });
  return [
    list([]),
    list(['--json'], { count: inJson }),
    list(['--sort', '-address']),
    list(['--state', 'active', '--match', FILTER], { least: 11, note: '11 are left' }),
    {
      name: '/metrics/subscribers',
      command: [...curl, 'http://127.0.0.1:9090/metrics/subscribers'],
      exitCode: 0,
      count: inSeries,
      least: MANY,
    },
    {
      name: `operator page watched for ${WATCH_SECONDS} s`,
      command: [
        ...curl,
        ...['-N', '--max-time', String(WATCH_SECONDS), '-H', `authorization: Bearer ${world.token}`],
        'http://127.0.0.1:8080/api/v1/overview',
      ],
      exitCode: CURL_TIME_UP,
      count: inOverview,
      least: MANY,
      note: 'GET /api/v1/overview: the counters of all are read once a second',
    },
  ];
}

/** Runs a case in the BNG's namespace. Its output goes to a file: what reads it must not cost the BNG time. */
async function timed(
  one: Case,
  world: BenchWorld,
  loopProbe: string,
): Promise<LoopDelay & { readonly tookMs: number }> {
  const outputFile = join(world.paths.directory, 'output');
  await loopDelay(loopProbe);
  const began = performance.now();
  const { exitCode, stderr } = await exec(['sh', '-c', 'exec "$@" >"$0"', outputFile, ...one.command], {
    namespace: world.namespaces.bng,
    timeoutMs: CASE_TIMEOUT_MS,
  });
  const tookMs = performance.now() - began;
  const probe = await loopDelay(loopProbe);
  const found = one.count(readFileSync(outputFile, 'utf8'));
  if (exitCode !== one.exitCode || found < one.least) {
    const { name, least } = one;
    throw new BngError('BNG_ERR_LAB', 'expected every session', { name, least, found, exitCode, stderr });
  }
  return { ...probe, tookMs };
}

export async function benchListing(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'l');
  const loopProbe = join(world.paths.directory, 'loop.sock');
  const bng = await world.startBng({ defaultPool: 'isp-residential', logLevel: 'warn', loopProbe });
  await fill(context, world, { count: MANY, bngPid: bng.pid });
  const figures = new Map<string, Figure & { readonly values: number[] }>();
  const add = (name: string, value: number, note?: string): void => {
    const rest = note === undefined ? {} : { note };
    const figure = figures.get(name) ?? { bench: 'listing', name, unit: 'ms', values: [], ...rest };
    figure.values.push(value);
    figures.set(name, figure);
  };
  const addDelay = (name: string, { p99Ms, mostMs }: LoopDelay): void => {
    add(`${name}: event loop delay, p99`, p99Ms);
    add(`${name}: event loop delay, most`, mostMs);
  };
  const runs = context.quick ? 3 : 7;
  // The first of each is compiled on the way; a BNG is asked for months.
  for (let run = 0; run <= runs; run++) {
    context.progress(run === 0 ? 'warming up' : `run ${run} of ${runs}`);
    await loopDelay(loopProbe);
    await sleep(IDLE_MS);
    const idle = await loopDelay(loopProbe);
    if (run > 0) addDelay('nobody asks', idle);
    for (const one of casesOf(world)) {
      const found = await timed(one, world, loopProbe);
      context.progress(`${one.name}: ${found.mostMs.toFixed(1)} ms at most`);
      if (run === 0) continue;
      if (one.exitCode === 0) add(`${one.name}: until done`, found.tookMs, one.note);
      addDelay(one.name, found);
    }
  }
  await world.close();
  return [...figures.values()];
}
