/**
 * RADIUS: packets a second, exchanges a second, accounting records a second over the store, and the event loop's stall while
 * 100,000 sessions report. Against a fake peer, which shows our own limit, and against FreeRADIUS where it is installed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { hasFreeRadius } from '../../src/lab/radius-server.js';
import type { BenchContext } from './bench-context.js';
import { runPart } from './bench-context.js';
import type { Figure } from './figure.js';
import { formatValue } from './figure.js';
import type { RadiusPart } from './radius-main.js';
import type { BenchServer } from './radius-servers.js';
import { startFakePeer, startFreeRadius } from './radius-servers.js';

const RUNS = 3;
const IN_FLIGHT = [200, 1_000];
const SESSIONS = 100_000;
const TIMEOUT_MS = 180_000;
/** Records of one process. V8 has compiled what it will compile after about 40,000. */
const RECORDS = { first: 12_000, between: 48_000, last: 36_000 };
const QUICK_RECORDS = { first: 12_000, between: 36_000, last: 12_000 };

const rateSchema = z.strictObject({ perSecond: z.number(), perCpuSecond: z.number() });
type Rate = z.infer<typeof rateSchema>;
const accountingSchema = z.strictObject({ first: rateSchema, last: rateSchema });
const stallSchema = z.strictObject({
  p99Ms: z.number(),
  mostMs: z.number(),
  gcMostMs: z.number(),
  waitedMs: z.number(),
});
const interimStallSchema = z.strictObject({
  idle: stallSchema,
  windows: z.array(stallSchema),
  interimsPerSecond: z.array(z.number()),
});

export async function benchRadius(context: BenchContext): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bng-bench-radius-'));
  context.onClose(async () => rmSync(folder, { recursive: true, force: true }));
  const bench = new RadiusBench(context, folder);
  await bench.codec();
  await bench.against(await startFakePeer(folder), { alsoStall: true });
  if (hasFreeRadius) await bench.against(await startFreeRadius(folder), { alsoStall: false });
  else context.progress('FreeRADIUS left out: /usr/sbin/freeradius is not installed');
  return bench.figures;
}

class RadiusBench {
  readonly figures: Figure[] = [];
  readonly #context: BenchContext;
  readonly #folder: string;
  #parts = 0;

  constructor(context: BenchContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  async codec(): Promise<void> {
    const seconds = this.#context.quick ? 1 : 2;
    await this.#rates('Access-Request made, Access-Accept believed', {
      settings: () => ({ part: 'codec', seconds }),
      note: '9 attributes, Message-Authenticator both ways, no socket',
    });
  }

  async against(server: BenchServer, { alsoStall }: { readonly alsoStall: boolean }): Promise<void> {
    this.#context.onClose(() => server.close());
    const { quick } = this.#context;
    for (const inFlight of IN_FLIGHT) {
      await this.#rates(`Access-Requests answered, ${server.name}, ${inFlight} in flight`, {
        settings: () => ({ part: 'access', port: server.authPort, inFlight, seconds: quick ? 1 : 2 }),
        note: 'Message-Authenticator both ways',
      });
    }
    await this.#accounting(server);
    if (alsoStall) await this.#stall(server);
    await server.close();
  }

  async #rates(
    name: string,
    { settings, note }: { readonly settings: () => RadiusPart; readonly note: string },
  ): Promise<void> {
    this.#context.progress(name);
    const found: Rate[] = [];
    for (let run = 0; run < RUNS; run++) found.push(rateSchema.parse(await this.#run(settings())));
    this.#addRates(name, found, note);
  }

  /** The BNG runs for months, so the rate that counts is that of code long compiled; what a fresh process does is told too. */
  async #accounting(server: BenchServer): Promise<void> {
    const name = `accounting records delivered, ${server.name}`;
    this.#context.progress(name);
    const { first, between, last } = this.#context.quick ? QUICK_RECORDS : RECORDS;
    const found: z.infer<typeof accountingSchema>[] = [];
    for (let run = 0; run < RUNS; run++) {
      const folder = this.#freshFolder();
      const part = { part: 'accounting', port: server.acctPort, folder, first, between, last } as const;
      found.push(accountingSchema.parse(await this.#run(part)));
    }
    const way = 'stored, sent, answered, removed';
    const [cold, warm] = [first, first + between].map((n) => n.toLocaleString('en'));
    this.#addRates(
      name,
      found.map((run) => run.last),
      `${way}; after the first ${warm} of a process`,
    );
    this.#addRates(
      `${name}, fresh process`,
      found.map((run) => run.first),
      `${way}; the first ${cold} of a process`,
    );
  }

  #addRates(name: string, found: readonly Rate[], note: string): void {
    const figure = { bench: 'radius', unit: '1/s', note };
    const said = found.map((rate) => `${formatValue(rate.perSecond)} (${formatValue(rate.perCpuSecond)})`);
    this.#context.progress(`${said.join(', ')} a second (of main thread)`);
    this.figures.push(
      { ...figure, name, values: found.map(({ perSecond }) => perSecond) },
      {
        ...figure,
        name: `${name}, a second of main thread`,
        values: found.map(({ perCpuSecond }) => perCpuSecond),
      },
    );
  }

  async #stall(server: BenchServer): Promise<void> {
    this.#context.progress(`event loop with ${SESSIONS} sessions that report every 5 minutes`);
    const settings = {
      part: 'stall' as const,
      port: server.acctPort,
      folder: this.#freshFolder(),
      sessions: SESSIONS,
      seconds: this.#context.quick ? 4 : 8,
      windows: RUNS,
    };
    const { idle, windows, interimsPerSecond } = interimStallSchema.parse(await this.#run(settings));
    const figure = { bench: 'radius', unit: 'ms' };
    const many = `${SESSIONS / 1000},000 sessions`;
    this.figures.push(
      { ...figure, name: `interims made, ${many}`, unit: '1/s', values: interimsPerSecond },
      { ...figure, name: `event loop stall p99, ${many}`, values: windows.map(({ p99Ms }) => p99Ms) },
      { ...figure, name: `event loop stall most, ${many}`, values: windows.map(({ mostMs }) => mostMs) },
      {
        ...figure,
        name: 'longest pause of the garbage collector meanwhile',
        values: windows.map(({ gcMostMs }) => gcMostMs),
        note: 'a part of the stall',
      },
      {
        ...figure,
        name: 'main thread without a processor meanwhile',
        values: windows.map(({ waitedMs }) => waitedMs),
        note: `ms in ${settings.seconds} s that other processes took: a part of the stall`,
      },
      {
        ...figure,
        name: 'event loop stall most, idle process',
        values: [idle.mostMs],
        note: 'what the machine does to anybody',
      },
    );
  }

  async #run(settings: RadiusPart): Promise<unknown> {
    const found = await runPart({
      program: 'radius-main.js',
      settings,
      logFile: join(this.#folder, 'part.log'),
      timeoutMs: TIMEOUT_MS,
    });
    if ('folder' in settings) rmSync(settings.folder, { recursive: true, force: true });
    return found;
  }

  #freshFolder(): string {
    this.#parts += 1;
    const folder = join(this.#folder, `store${this.#parts}`);
    mkdirSync(folder);
    return folder;
  }
}
