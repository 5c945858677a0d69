/**
 * A lab for `make soak`: many ONTs with ports of their own, the equipment behind them, orders by operators and by AAA, and one BNG
 * after another. Judges nothing.
 */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { Child, shell } from '../../src/lab/exec.js';
import type { Lab } from '../../src/lab/lab.js';
import { LabBng, labConfig } from '../../src/lab/lab-bng.js';
import { LAB_COA_PORT, LAB_RADIUS_SECRET } from '../../src/lab/lab-radius.js';
import { createNamespaces } from '../../src/lab/namespaces.js';
import { ontListSchema } from '../../src/olt/protocol.js';
import type { CoaSettings, CoaWord } from './coa-main.js';
import { coaWordSchema } from './coa-main.js';
import type { HomesSettings, HomesWord } from './homes-main.js';
import { homeInterface, homesWordSchema } from './homes-main.js';

const RENEW_MS = 1_000;
const LEAVING_ONE_IN = 10;
const ORDERS_A_SECOND = 25;
const COA_EVERY_MS = 100;
const PLUGS_AT_ONCE = 16;

const memorySchema = z.object({
  heapUsed: z.number(),
  external: z.number(),
  /** Of the heap: machine code that V8 made of bytecode, and what it knows of it. */
  compiled: z.number(),
  rss: z.number(),
});
type Memory = z.infer<typeof memorySchema>;

const serial = (n: number): string => `SOAK${String(n).padStart(8, '0')}`;

/** The house of a soak and what is done in it. */
export class Soak {
  readonly #lab: Lab;
  readonly #lines: number;
  readonly #probe: string;
  #homes: HomesWord = { leases: 0, renewals: 0, naks: 0, releases: 0, repeats: 0, bound: 0 };
  #coa: CoaWord = { sent: 0, acknowledged: 0, refused: 0 };
  #bng: LabBng | null = null;
  readonly orders = { given: 0, refused: 0, unanswered: 0 };
  #nextOrder = 0;

  constructor(lab: Lab, lines: number) {
    this.#lab = lab;
    this.#lines = lines;
    this.#probe = join(lab.paths.directory, 'memory.sock');
  }

  get coa(): CoaWord {
    return this.#coa;
  }

  get homes(): HomesWord {
    return this.#homes;
  }

  /** As many ONTs as lines, each with a port of its own; the far ends are in one namespace. */
  async plug(): Promise<void> {
    const { olt } = this.#lab.namespaces;
    const far = this.#lab.paths.namespace('homes');
    await createNamespaces([far]);
    const all = Array.from({ length: this.#lines }, (_, n) => n);
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
    this.#startCoa(all.map(serial));
  }

  #startCoa(userNames: readonly string[]): void {
    const place = { host: CORE_ADDRESSES.bng, port: LAB_COA_PORT, secret: LAB_RADIUS_SECRET };
    const settings: CoaSettings = { ...place, userNames: [...userNames], everyMs: COA_EVERY_MS };
    const program = fileURLToPath(new URL('./coa-main.js', import.meta.url));
    const child = new Child([process.execPath, program, JSON.stringify(settings)], {
      namespace: this.#lab.namespaces.core,
      logFile: this.#lab.paths.logFile('coa'),
      onStdoutLine: (line) => (this.#coa = coaWordSchema.parse(JSON.parse(line))),
    });
    this.#lab.onClose(() => child.stop('SIGKILL'));
  }

  #startHomes(namespace: string): void {
    const settings: HomesSettings = { homes: this.#lines, renewMs: RENEW_MS, leavingOneIn: LEAVING_ONE_IN };
    const program = fileURLToPath(new URL('./homes-main.js', import.meta.url));
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
    const probe = fileURLToPath(new URL('./memory-probe.js', import.meta.url));
    const node = [
      'env',
      `BNG_MEMORY_PROBE=${this.#probe}-${this.#nextProbe()}`,
      process.execPath,
      '--import',
      probe,
    ];
    const secretFile = join(this.#lab.paths.directory, 'radius.secret');
    writeFileSync(secretFile, `${LAB_RADIUS_SECRET}\n`, { mode: 0o600 });
    const radius = {
      nasIdentifier: 'bng-soak',
      servers: [{ host: '192.0.2.99', secretFile }],
      coa: {
        listen: `${CORE_ADDRESSES.bng}:${LAB_COA_PORT}`,
        // As compressed as the rest: answers are remembered for so long, and with five minutes until the soak is over.
        replayWindow: '30s',
        clients: [{ host: CORE_ADDRESSES.router, secretFile, allow: ['coa', 'disconnect'] }],
      },
    };
    this.#bng = await LabBng.start(this.#lab, { pools, radius, log: { level: 'warn' } }, node);
  }

  #probes = 0;
  #nextProbe(): number {
    this.#probes += 1;
    return this.#probes;
  }

  /** What the BNG has in use after a collection; with a file's name, its heap snapshot goes there. */
  async memory(snapshotFile = ''): Promise<Memory> {
    const socket = connect(`${this.#probe}-${this.#probes}`);
    socket.end(snapshotFile);
    return memorySchema.parse(JSON.parse(await text(socket)));
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
      const ont = serial((n * 7) % this.#lines);
      // Each line is activated, suspended, resumed; one walk in seven ends with its session.
      const kind =
        ['activate', 'suspend', 'resume', n % 7 === 0 ? 'terminate' : 'activate'][
          Math.floor(n / this.#lines) % 4
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
