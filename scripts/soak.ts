/**
 * `make soak`: a day of a thousand lines in minutes. The real `bng run`, the simulated access node with as many ONTs connected all
 * the time, equipment that leases, renews, leaves and comes back, orders of all kinds, and BNGs that end in both ways; then one that
 * stays, whose memory must be flat. Prints figures; exit status 1 when memory grows or an ONT is lost.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../src/lab/lab.js';
import { LAB_VLANS } from '../src/lab/lab-bng.js';
import { heapGrowth } from './soak/heap-growth.js';
import type { HomesWord } from './soak/homes-main.js';
import type { Sample } from './soak/slope.js';
import { slopePerSecond } from './soak/slope.js';
import { Soak } from './soak/soak-world.js';

const USAGE = `usage: soak [--lines N] [--minutes N] [--restarts N] [--snapshots DIRECTORY] [--prefix NAME]
  --lines     ONTs connected all the time (default 1000)
  --minutes   of the BNG that stays (default 5)
  --restarts  BNGs before it, killed and stopped in turn (default 4)
  --snapshots DIRECTORY  heap snapshots of the settled and of the last moment go there, and what grew between them is told`;
/** What a client with the lab's garden lease of 600 s does in a day. */
const RENEWALS_A_DAY = 288;
const LIFE_MS = 8_000;
const SAMPLE_MS = 5_000;
/**
 * Caches settle; lines still come up. Machine code does not: of a day's run V8 compiles what is rare late, and anew what it had
 * guessed wrongly (heap snapshots of two moments differed by 0.64 MiB of it, all else had shrunk by 0.3). It is bounded by
 * the bytecode it is made of, which is counted, and so it is told apart from what must be flat.
 */
const WARM_SHARE = 0.3;
/** What may be gained in a day of all lines: of what is in use, 3 %. */
const MOST_GROWTH_A_DAY = 0.03;
/** Of less, filling histories are most of what is seen. */
const LEAST_DAYS = 0.5;
const MOST_KINDS = 25;

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '5' },
    restarts: { type: 'string', default: '4' },
    snapshots: { type: 'string' },
    prefix: { type: 'string', default: `s${process.pid % 10_000}` },
    help: { type: 'boolean', default: false },
  },
});
const lines = Number(values.lines);
const minutes = Number(values.minutes);
const restarts = Number(values.restarts);
if (values.help || !(lines >= 10) || !(minutes > 0) || !(restarts >= 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const say = (line: string): void =>
  console.log(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${line}`);
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

async function until(
  what: string,
  deadlineMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`expected ${what} within ${deadlineMs} ms`);
    await sleep(250);
  }
}

async function play(soak: Soak): Promise<boolean> {
  await soak.plug();
  say(`${lines} ONTs are plugged in`);
  for (let life = 0; life < restarts; life++) {
    await soak.startBng();
    await soak.order(performance.now() + LIFE_MS);
    await soak.endBng(life % 2 === 0 ? 'kill' : 'stop');
    say(`BNG ${life + 1} has ended; ${soak.homes.leases} leases, ${soak.homes.renewals} renewals so far`);
  }
  await soak.startBng();
  await until('leases for all but those that leave', 120_000, () => soak.homes.bound >= lines * 0.9);
  const begun = soak.homes;
  const startMs = performance.now();
  const endMs = startMs + minutes * 60_000;
  const ordering = soak.order(endMs);
  const heap: Sample[] = [];
  const code: Sample[] = [];
  const rss: Sample[] = [];
  const settledMs = startMs + minutes * 60_000 * WARM_SHARE;
  let leastConnected = lines;
  let early: string | null = null;
  while (performance.now() < endMs) {
    await sleep(SAMPLE_MS);
    if (values.snapshots !== undefined && early === null && performance.now() > settledMs) {
      early = join(values.snapshots, 'settled.heapsnapshot');
      await soak.memory(early);
    }
    const { heapUsed, external, compiled, rss: resident } = await soak.memory();
    const connected = await soak.connected();
    leastConnected = Math.min(leastConnected, connected);
    const atMs = performance.now() - startMs;
    heap.push({ atMs, value: heapUsed + external - compiled });
    code.push({ atMs, value: compiled });
    rss.push({ atMs, value: resident });
    say(
      `${megabytes(heapUsed + external - compiled)} in use after collection, ${megabytes(compiled)} compiled, ${megabytes(resident)} resident; ${connected} ONTs, ` +
        `${soak.homes.bound} bound, ${soak.homes.renewals - begun.renewals} renewals, ${soak.orders.given} orders`,
    );
  }
  await ordering;
  if (early !== null) await tellGrowth(soak, early);
  return judge(soak, {
    begun,
    heap,
    code,
    rss,
    seconds: (performance.now() - startMs) / 1000,
    leastConnected,
  });
}

/** The kinds of objects that have grown most since `early`. */
async function tellGrowth(soak: Soak, early: string): Promise<void> {
  const late = join(dirname(early), 'last.heapsnapshot');
  await soak.memory(late);
  const [before, after] = await Promise.all([early, late].map((file) => readFile(file, 'utf8')));
  for (const { kind, bytes, count } of heapGrowth(before ?? '', after ?? '').slice(0, MOST_KINDS))
    say(
      `${String(bytes).padStart(9)} bytes more, ${String(count).padStart(6)} objects: ${kind.slice(0, 70)}`,
    );
}

interface Measured {
  readonly begun: HomesWord;
  readonly heap: readonly Sample[];
  readonly code: readonly Sample[];
  readonly rss: readonly Sample[];
  readonly seconds: number;
  readonly leastConnected: number;
}

function judge(soak: Soak, { begun, heap, code, rss, seconds, leastConnected }: Measured): boolean {
  const settled = (samples: readonly Sample[]): readonly Sample[] =>
    samples.slice(Math.floor(samples.length * WARM_SHARE));
  const renewals = soak.homes.renewals - begun.renewals;
  const days = renewals / lines / RENEWALS_A_DAY;
  const secondsOfADay = seconds / days;
  const inUse = settled(heap).at(-1)?.value ?? 0;
  const growth = slopePerSecond(settled(heap)) * secondsOfADay;
  const share = growth / inUse;
  const { given, refused, unanswered } = soak.orders;
  say('');
  say(
    `${days.toFixed(2)} days of ${lines} lines in ${seconds.toFixed(0)} s: ${renewals} renewals, ${soak.homes.leases} leases,`,
  );
  say(
    `  ${soak.homes.naks} moves told by NAK, ${soak.homes.releases} releases; ${given} orders, ${refused} refused, ${unanswered} unanswered in restarts`,
  );
  const { sent, acknowledged, refused: naks } = soak.coa;
  say(
    `  ${sent} orders of AAA: ${acknowledged} acknowledged, ${naks} refused, the others while no BNG was there`,
  );
  say(`at least ${leastConnected} of ${lines} ONTs connected at any time`);
  say(
    `memory in use: ${megabytes(inUse)}, growing by ${megabytes(growth)} (${(share * 100).toFixed(2)} %) a day; bound ${MOST_GROWTH_A_DAY * 100} %`,
  );
  say(`compiled code: ${megabytes(settled(code)[0]?.value ?? 0)} to ${megabytes(code.at(-1)?.value ?? 0)}`);
  say(
    `resident: ${megabytes(settled(rss)[0]?.value ?? 0)} to ${megabytes(rss.at(-1)?.value ?? 0)}, ${megabytes(slopePerSecond(settled(rss)) * secondsOfADay)} a day`,
  );
  const flat = days >= LEAST_DAYS && share <= MOST_GROWTH_A_DAY;
  if (!flat) say(days < LEAST_DAYS ? 'memory was watched too short to be judged' : 'FAILED: memory grows');
  if (leastConnected < lines) say('FAILED: an ONT was lost');
  if (flat && leastConnected === lines) say('memory is flat, no ONT was lost');
  return flat && leastConnected === lines;
}

const lab = await Lab.create({ prefix: values.prefix, gardenSVlan: LAB_VLANS.wgar, bounceMs: 20 });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void lab.close().finally(() => process.exit(1)));
let held = false;
try {
  held = await play(new Soak(lab, lines));
} finally {
  await lab.close();
}
process.exit(held ? 0 : 1);
