/**
 * What a start costs with very many sessions in the store: a real BNG is killed and started again, once with what it has pinned
 * and once as after a boot of the machine. Its event loop is watched from within, its answers are counted outside.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { execOrThrow } from '../../src/lab/exec.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import type { WorldBng } from './bench-world.js';
import { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';
import { loopDelay, usedMemory } from './loop-delay.js';
import { fill } from './many-sessions.js';
import { cpuMsOf } from './cpu-time.js';

const MANY = 100_000;
const PARENT = '/var/tmp';
const ANSWER_TIMEOUT_MS = 60_000;
/** What is left to do after the first answer is done by then. */
const SETTLE_MS = 3_000;

const answerSchema = z.object({ wallMs: z.number(), ont: z.int() });

interface Measured {
  readonly reconciledMs: number;
  readonly answeredMs: number;
  readonly cpuMs: number;
  readonly opening: { readonly p99Ms: number; readonly mostMs: number };
  readonly serving: { readonly p99Ms: number; readonly mostMs: number };
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** A start is cold when nothing is pinned, the machine's boot is another one, and the store is not in memory. */
type Kind = 'pinned' | 'cold';

class Restarts {
  readonly #context: BenchContext;
  readonly #world: BenchWorld;
  readonly #loopProbe: string;
  readonly #storePath: string;
  #bng: WorldBng;
  #runs = 0;

  constructor(
    context: BenchContext,
    parts: {
      readonly world: BenchWorld;
      readonly loopProbe: string;
      readonly storePath: string;
      readonly bng: WorldBng;
    },
  ) {
    this.#context = context;
    this.#world = parts.world;
    this.#loopProbe = parts.loopProbe;
    this.#storePath = parts.storePath;
    this.#bng = parts.bng;
  }

  async run(kind: Kind): Promise<Measured> {
    await this.#bng.crash();
    rmSync(this.#loopProbe, { force: true });
    rmSync(`${this.#loopProbe}-memory`, { force: true });
    const logged = readFileSync(this.#bng.logFile, 'utf8').length;
    const within = kind === 'cold' ? await this.#afterBoot() : [];
    const answering = this.#firstAnswer();
    const began = Date.now();
    const bng = (this.#bng = this.#world.startAgain({ within }));
    const answered = await answering;
    const cpuMs = cpuMsOf(bng.pid);
    const opening = await loopDelay(this.#loopProbe);
    const reconciledWallMs = this.#reconciledAt(readFileSync(bng.logFile, 'utf8').slice(logged));
    await sleep(SETTLE_MS);
    const serving = await loopDelay(this.#loopProbe);
    const residentBytes = bng.residentBytes();
    const { heapBytes } = await usedMemory(this.#loopProbe);
    return {
      reconciledMs: reconciledWallMs - began,
      answeredMs: answered.wallMs - began,
      cpuMs,
      opening,
      serving,
      residentBytes,
      heapBytes,
    };
  }

  async #firstAnswer(): Promise<z.infer<typeof answerSchema>> {
    const firstOnt = ++this.#runs * 5_000;
    return answerSchema.parse(
      await runPart({
        program: 'first-answer-main.js',
        settings: { interface: 'trunk0', firstOnt },
        namespace: this.#world.namespaces.ont,
        logFile: this.#world.paths.logFile('first-answer'),
        timeoutMs: ANSWER_TIMEOUT_MS,
      }),
    );
  }

  /** Wall time of the line that says so. */
  #reconciledAt(log: string): number {
    for (const line of log.split('\n')) {
      if (!line.includes('"sessions-restored"')) continue;
      const { sessions, time } = z.object({ sessions: z.int(), time: z.number() }).parse(JSON.parse(line));
      if (sessions >= MANY) return time;
    }
    throw new BngError('BNG_ERR_LAB', 'expected every session to be restored', { log: log.slice(-1000) });
  }

  /** What the next BNG is to be started within. */
  async #afterBoot(): Promise<readonly string[]> {
    const { paths, namespaces, pinPath } = this.#world;
    await runPart({
      program: 'unpin-main.js',
      settings: { pinPath },
      namespace: namespaces.bng,
      logFile: paths.logFile('unpin'),
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
    await execOrThrow(['sync', this.#storePath]);
    for (const name of ['bng.db', 'bng.db-wal']) {
      // Nothing is read: the file alone leaves the page cache.
      await execOrThrow(['dd', `if=${join(this.#storePath, name)}`, 'iflag=nocache', 'count=0']);
    }
    const bootId = join(paths.directory, 'boot-id');
    writeFileSync(bootId, `${crypto.randomUUID()}\n`);
    const enter = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
    return ['unshare', '--mount', 'sh', '-c', enter, bootId];
  }
}

export async function benchRestart(context: BenchContext): Promise<readonly Figure[]> {
  const world = await BenchWorld.create(context, 'r');
  const storePath = mkdtempSync(join(PARENT, 'bng-bench-restart-'));
  context.onClose(async () => rmSync(storePath, { recursive: true, force: true }));
  const loopProbe = join(world.paths.directory, 'loop.sock');
  const bng = await world.startBng({
    defaultPool: 'isp-residential',
    logLevel: 'info',
    loopProbe,
    storePath,
  });
  await sleep(SETTLE_MS);
  const empty = { resident: bng.residentBytes(), heap: (await usedMemory(loopProbe)).heapBytes };
  await fill(context, world, { count: MANY, bngPid: bng.pid });
  await sleep(SETTLE_MS);
  const figures = new Map<string, Figure & { readonly values: number[] }>();
  const add = (name: string, unit: string, value: number, note?: string): void => {
    const rest = note === undefined ? {} : { note };
    const figure = figures.get(name) ?? { bench: 'restart', name, unit, values: [], ...rest };
    figure.values.push(value);
    figures.set(name, figure);
  };
  const memory = (
    name: string,
    { residentBytes, heapBytes }: Pick<Measured, 'residentBytes' | 'heapBytes'>,
  ) => {
    add(
      `${name}: resident memory, a session`,
      'bytes',
      (residentBytes - empty.resident) / MANY,
      'above a BNG without any',
    );
    add(`${name}: heap in use, a session`, 'bytes', (heapBytes - empty.heap) / MANY, 'garbage collected');
  };
  const residentBytes = bng.residentBytes();
  memory('all set up by this process', { residentBytes, heapBytes: (await usedMemory(loopProbe)).heapBytes });
  const restarts = new Restarts(context, { world, loopProbe, storePath, bng });
  const runs = context.quick ? 2 : 5;
  for (let run = 1; run <= runs; run++) {
    for (const kind of ['pinned', 'cold'] as const) {
      context.progress(`${kind}, run ${run} of ${runs}`);
      const name = kind === 'pinned' ? 'after kill -9, maps pinned' : 'as after a boot';
      const found = await restarts.run(kind);
      add(
        `${name}: until all sessions are reconciled`,
        'ms',
        found.reconciledMs,
        'from the start of the process',
      );
      add(`${name}: until the first DHCP answer`, 'ms', found.answeredMs, 'from the start of the process');
      add(`${name}: CPU time until then`, 'ms', found.cpuMs, 'of all its threads');
      add(`${name}: event loop delay until then, most`, 'ms', found.opening.mostMs, 'nothing is served yet');
      add(`${name}: event loop delay after it, p99`, 'ms', found.serving.p99Ms);
      add(`${name}: event loop delay after it, most`, 'ms', found.serving.mostMs);
      memory(name, found);
      context.progress(JSON.stringify(found));
    }
  }
  await world.close();
  return [...figures.values()];
}
