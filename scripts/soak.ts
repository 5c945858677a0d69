/**
 * `make soak`: a day of a thousand lines in minutes. The real `bng run`, the simulated access node with as many ONTs connected all
 * the time, equipment that leases, renews, leaves and comes back, orders of all kinds, and BNGs that end in both ways; then one that
 * stays, whose memory must be flat. Prints figures; exit status 1 when memory grows or an ONT is lost.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Child, shell } from '../src/lab/exec.js';
import { Lab } from '../src/lab/lab.js';
import { LAB_VLANS, LabBng, labConfig } from '../src/lab/lab-bng.js';
import { createNamespaces } from '../src/lab/namespaces.js';
import { ontListSchema } from '../src/olt/protocol.js';
import type { HomesSettings, HomesWord } from './soak/homes-main.js';
import { homeInterface, homesWordSchema } from './soak/homes-main.js';
import type { Sample } from './soak/slope.js';
import { slopePerSecond } from './soak/slope.js';

const USAGE = `usage: soak [--lines N] [--minutes N] [--restarts N] [--prefix NAME]
  --lines     ONTs connected all the time (default 1000)
  --minutes   of the BNG that stays (default 5)
  --restarts  BNGs before it, killed and stopped in turn (default 4)`;
/** What a client with the lab's garden lease of 600 s does in a day. */
const RENEWALS_A_DAY = 288;
const RENEW_MS = 1_000;
const LEAVING_ONE_IN = 10;
const LIFE_MS = 8_000;
const SAMPLE_MS = 5_000;
/** Compiled code and caches settle; lines still come up. */
const WARM_SHARE = 0.3;
const ORDERS_A_SECOND = 25;
/** What may be gained in a day of all lines: of what is in use, 3 %. */
const MOST_GROWTH_A_DAY = 0.03;
const PLUGS_AT_ONCE = 16;

const memorySchema = z.object({ heapUsed: z.number(), external: z.number(), rss: z.number() });
type Memory = z.infer<typeof memorySchema>;

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '5' },
    restarts: { type: 'string', default: '4' },
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
const serial = (n: number): string => `SOAK${String(n).padStart(8, '0')}`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

class Soak {
  readonly #lab: Lab;
  readonly #probe: string;
  #homes: HomesWord = { leases: 0, renewals: 0, naks: 0, releases: 0, repeats: 0, bound: 0 };
  #bng: LabBng | null = null;
  readonly orders = { given: 0, refused: 0, unanswered: 0 };
  #nextOrder = 0;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#probe = join(lab.paths.directory, 'memory.sock');
  }

  get homes(): HomesWord {
    return this.#homes;
  }

  /** As many ONTs as lines, each with a port of its own; the far ends are in one namespace. */
  async plug(): Promise<void> {
    const { olt } = this.#lab.namespaces;
    const far = this.#lab.paths.namespace('homes');
    await createNamespaces([far]);
    const all = Array.from({ length: lines }, (_, n) => n);
    const links = all.map(
      (n) => `link add u${n} type veth peer name ${homeInterface(n)} netns ${far}\nlink set u${n} up`,
    );
    await shell(`ip -batch - <<END\n${links.join('\n')}\nEND`, { namespace: olt, timeoutMs: 120_000 });
    const ups = all.map((n) => `link set ${homeInterface(n)} up`);
    await shell(`ip -batch - <<END\n${ups.join('\n')}\nEND`, { namespace: far, timeoutMs: 120_000 });
    const waiting = [...all];
    const worker = async (): Promise<void> => {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
        const port = `1/${1 + Math.floor(n / 100)}/${1 + (n % 100)}`;
        const place = { port, interface: `u${n}`, tagging: 'qinq' as const, cVlan: 1 + n };
        await this.#lab.askOlt('plug', { ontSerial: serial(n), ...place });
      }
    };
    await Promise.all(Array.from({ length: PLUGS_AT_ONCE }, worker));
    this.#startHomes(far);
  }

  #startHomes(namespace: string): void {
    const settings: HomesSettings = { homes: lines, renewMs: RENEW_MS, leavingOneIn: LEAVING_ONE_IN };
    const program = fileURLToPath(new URL('./soak/homes-main.js', import.meta.url));
    const child = new Child([process.execPath, program, JSON.stringify(settings)], {
      namespace,
      logFile: this.#lab.paths.logFile('homes'),
      onStdoutLine: (line) => (this.#homes = homesWordSchema.parse(JSON.parse(line))),
    });
    this.#lab.onClose(() => child.stop('SIGKILL'));
  }

  async startBng(): Promise<void> {
    const pools = (labConfig(this.#lab, '')['pools'] as readonly Record<string, unknown>[]).map((pool) => ({
      ...pool,
      leaseTime: '60s',
    }));
    const probe = fileURLToPath(new URL('./soak/memory-probe.js', import.meta.url));
    const node = [
      'env',
      `BNG_MEMORY_PROBE=${this.#probe}-${this.#nextProbe()}`,
      process.execPath,
      '--import',
      probe,
    ];
    this.#bng = await LabBng.start(this.#lab, { pools, log: { level: 'warn' } }, node);
  }

  #probes = 0;
  #nextProbe(): number {
    this.#probes += 1;
    return this.#probes;
  }

  async memory(): Promise<Memory> {
    return memorySchema.parse(JSON.parse(await text(connect(`${this.#probe}-${this.#probes}`))));
  }

  /** Ends the BNG: as a crash does, or by asking. */
  async endBng(how: 'kill' | 'stop'): Promise<void> {
    await (how === 'kill' ? this.#bng?.process.kill() : this.#bng?.process.stop());
  }

  /** How many ONTs the access node has connected. */
  async connected(): Promise<number> {
    const onts = ontListSchema.parse(await this.#lab.askOlt('onts', {}));
    return onts.filter(({ state }) => state === 'provisioned').length;
  }

  /** Orders one after another, each for another line, until `endMs`. */
  async order(endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      const n = this.#nextOrder++;
      const ont = serial((n * 7) % lines);
      // Each line is activated, suspended, resumed; one walk in seven ends with its session.
      const kind =
        ['activate', 'suspend', 'resume', n % 7 === 0 ? 'terminate' : 'activate'][
          Math.floor(n / lines) % 4
        ] ?? '';
      const status = await this.#post(kind, ont);
      if (status === 200) this.orders.given += 1;
      else if (status === null) this.orders.unanswered += 1;
      else this.orders.refused += 1;
      await sleep(1000 / ORDERS_A_SECOND);
    }
  }

  /** The status of the answer; null without one. */
  #post(kind: string, ont: string): Promise<number | null> {
    const body = JSON.stringify({
      ont_serial: ont,
      ...(kind === 'activate' && {
        service_id: 'home-100',
        pool: 'isp-residential',
        qos_download_bps: 1e8,
        qos_upload_bps: 2e7,
      }),
      ...(kind === 'suspend' && { reason: 'unpaid' }),
    });
    return new Promise((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options = {
        socketPath: this.#lab.paths.apiSocket,
        path: `/api/v1/${kind}`,
        method: 'POST',
        headers,
        timeout: 10_000,
      };
      const call = request(options, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? null));
      });
      call.on('timeout', () => call.destroy());
      call.on('error', () => resolve(null));
      call.end(body);
    });
  }
}

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
  const rss: Sample[] = [];
  let leastConnected = lines;
  while (performance.now() < endMs) {
    await sleep(SAMPLE_MS);
    const { heapUsed, external, rss: resident } = await soak.memory();
    const connected = await soak.connected();
    leastConnected = Math.min(leastConnected, connected);
    const atMs = performance.now() - startMs;
    heap.push({ atMs, value: heapUsed + external });
    rss.push({ atMs, value: resident });
    say(
      `${megabytes(heapUsed + external)} in use after collection, ${megabytes(resident)} resident; ${connected} ONTs, ` +
        `${soak.homes.bound} bound, ${soak.homes.renewals - begun.renewals} renewals, ${soak.orders.given} orders`,
    );
  }
  await ordering;
  return judge(soak, { begun, heap, rss, seconds: (performance.now() - startMs) / 1000, leastConnected });
}

interface Measured {
  readonly begun: HomesWord;
  readonly heap: readonly Sample[];
  readonly rss: readonly Sample[];
  readonly seconds: number;
  readonly leastConnected: number;
}

function judge(soak: Soak, { begun, heap, rss, seconds, leastConnected }: Measured): boolean {
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
  say(`at least ${leastConnected} of ${lines} ONTs connected at any time`);
  say(
    `memory in use: ${megabytes(inUse)}, growing by ${megabytes(growth)} (${(share * 100).toFixed(2)} %) a day; bound ${MOST_GROWTH_A_DAY * 100} %`,
  );
  say(
    `resident: ${megabytes(settled(rss)[0]?.value ?? 0)} to ${megabytes(rss.at(-1)?.value ?? 0)}, ${megabytes(slopePerSecond(settled(rss)) * secondsOfADay)} a day`,
  );
  const flat = share <= MOST_GROWTH_A_DAY;
  if (!flat) say('FAILED: memory grows');
  if (leastConnected < lines) say('FAILED: an ONT was lost');
  if (flat && leastConnected === lines) say('memory is flat, no ONT was lost');
  return flat && leastConnected === lines;
}

const lab = await Lab.create({ prefix: values.prefix, gardenSVlan: LAB_VLANS.wgar, bounceMs: 20 });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void lab.close().finally(() => process.exit(1)));
let held = false;
try {
  held = await play(new Soak(lab));
} finally {
  await lab.close();
}
process.exit(held ? 0 : 1);
