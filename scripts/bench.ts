/**
 * `make bench`: runs the benches, prints their figures, and with --write leaves them in docs/figures.md. Whatever was
 * made is removed, also after Ctrl-C, a failure, or when the whole takes too long. Measures nothing itself.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { isBngError } from '../src/model/bng-error.js';
import { parseBenchArguments, USAGE } from './bench/bench-arguments.js';
import type { BenchContext } from './bench/bench-context.js';
import { benchDemo } from './bench/demo-bench.js';
import { benchDhcp } from './bench/dhcp-bench.js';
import { benchFlood } from './bench/flood-bench.js';
import { benchForwarding } from './bench/forward-bench.js';
import type { Figure } from './bench/figure.js';
import type { Machine } from './bench/figures-page.js';
import { figuresPage, figuresTable } from './bench/figures-page.js';
import { benchListing } from './bench/listing-bench.js';
import { benchLoad } from './bench/load-bench.js';
import { benchMemory } from './bench/memory-bench.js';
import { benchMetrics } from './bench/metrics-bench.js';
import { benchPackets } from './bench/packet-bench.js';
import { benchRadius } from './bench/radius-bench.js';
import { benchRestart } from './bench/restart-bench.js';
import { benchSetup } from './bench/setup-bench.js';
import { benchStore } from './bench/store-bench.js';
import { benchStorm } from './bench/storm-bench.js';
import { benchSubscribers } from './bench/subscriber-bench.js';
import { benchTcp } from './bench/tcp-bench.js';

type Bench = (context: BenchContext) => Promise<readonly Figure[]>;

const BENCHES: Readonly<Record<string, Bench>> = {
  packets: benchPackets,
  forwarding: benchForwarding,
  subscribers: benchSubscribers,
  memory: benchMemory,
  dhcp: benchDhcp,
  load: benchLoad,
  storm: benchStorm,
  tcp: benchTcp,
  flood: benchFlood,
  radius: benchRadius,
  store: benchStore,
  metrics: benchMetrics,
  listing: benchListing,
  restart: benchRestart,
  setup: benchSetup,
  demo: benchDemo,
};

const PAGE = 'docs/figures.md';
/** On a machine of its own the whole takes about half of it. */
const DEADLINE_MS = 1_500_000;

const closers: (() => Promise<void>)[] = [];
const ending: { done: Promise<never> | null } = { done: null };

async function cleanUp(): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    await close().catch((error: unknown) => console.error('could not clean up:', error));
  }
}

/** Ends the process in the middle of whatever runs; nothing stays behind. */
function breakOff(why: string, status: number): void {
  if (ending.done !== null) return;
  console.error(why);
  const again = [...closers];
  ending.done = (async () => {
    await cleanUp();
    // Once more, for what the bench was just making; closing twice is fine.
    closers.push(...again);
    await cleanUp();
    return process.exit(status);
  })();
}

function machine(): Machine {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model ?? 'unknown CPU',
    cores: processors.length,
    kernel: release(),
    nodeVersion: process.versions.node,
    loadBefore: loadavg()[0] ?? 0,
  };
}

async function main(): Promise<number> {
  const { benches, quick, json, write, prefix } = parseBenchArguments(
    process.argv.slice(2),
    Object.keys(BENCHES),
  );
  const began = performance.now();
  const found = machine();
  const figures: Figure[] = [];
  for (const name of benches) {
    const progress = (text: string): void => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
      console.error(`${seconds} s  ${name.padEnd(11)}  ${text}`);
    };
    progress('begins');
    const onClose = (close: () => Promise<void>): void => void closers.push(close);
    const run = BENCHES[name];
    if (run === undefined) continue;
    const own = await run({ prefix, quick, progress, onClose });
    await cleanUp();
    if (!json) console.log(figuresTable(own));
    figures.push(...own);
  }
  if (json) console.log(JSON.stringify({ machine: found, figures }, null, 2));
  if (write) {
    mkdirSync('docs', { recursive: true });
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(PAGE, figuresPage({ figures, machine: found, date, quick }));
    console.error(`written: ${PAGE}`);
  }
  return 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => breakOff(`${signal}: cleaning up`, 130));
}
process.on('uncaughtException', (error) => breakOff(`a bug: ${error.stack ?? error.message}`, 1));
setTimeout(() => breakOff('the bench takes too long: cleaning up', 1), DEADLINE_MS).unref();

try {
  process.exitCode = await main();
} catch (error) {
  // What was running fails when the ground is taken away from it.
  if (ending.done !== null) await ending.done;
  await cleanUp();
  if (!isBngError(error)) throw error;
  const misused = error.code === 'BNG_ERR_VALUE';
  console.error(misused ? `${error.message}\n${USAGE}` : error.message);
  process.exitCode = misused ? 2 : 1;
}
