/**
 * TCP through the whole path, ONT to core, in two labs side by side: in one XDP forwards, in the other XDP judges and
 * the kernel's stack forwards. Measured in turn, so that both see the same machine; each pair gives one ratio.
 */
import { z } from 'zod';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { Child } from '../../src/lab/exec.js';
import { Lab } from '../../src/lab/lab.js';
import { removeLab } from '../../src/lab/lab-removal.js';
import { LAB_VLANS, LabBng } from '../../src/lab/lab-bng.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import type { Figure } from './figure.js';

const LEASE_DEADLINE_MS = 15_000;
const SERVER_DEADLINE_MS = 5_000;
const GRACE_MS = 10_000;
const PORT = 5201;

const iperfSchema = z.object({
  end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }),
});

const verdictsSchema = z.object({ verdicts: z.record(z.string(), z.union([z.string(), z.number()])) });

type Direction = 'upstream' | 'downstream';
type Way = 'XDP' | 'stack';

/** A lab with one active subscriber without a rate, and an iperf3 server in its core. */
export class Path {
  readonly way: Way;
  /** The namespace of the access node's trunk, and where what runs there may write. */
  readonly trunk: { readonly namespace: string; readonly logFile: string };
  readonly #bng: LabBng;
  readonly #ont: OntHost;

  private constructor(way: Way, lab: Lab, bng: LabBng, ont: OntHost) {
    this.way = way;
    this.trunk = { namespace: lab.namespaces.olt, logFile: lab.paths.logFile('trunk') };
    this.#bng = bng;
    this.#ont = ont;
  }

  static async open(context: BenchContext, way: Way): Promise<Path> {
    const prefix = `${context.prefix}${way === 'XDP' ? 'x' : 'k'}`;
    context.onClose(() => removeLab(prefix));
    const lab = await Lab.create({ prefix, gardenSVlan: LAB_VLANS.wgar });
    context.onClose(() => lab.close());
    const bng = await LabBng.start(lab, {
      access: {
        interface: lab.accessInterface,
        xdpMode: 'native',
        trustOption82: true,
        forwardInStack: way === 'stack',
      },
      auth: { mode: 'local', defaultPool: 'isp-residential' },
    });
    const server = new Child(['iperf3', '-s', '-p', `${PORT}`], {
      namespace: lab.namespaces.core,
      logFile: lab.paths.logFile('iperf3'),
    });
    lab.onClose(() => server.stop('SIGKILL'));
    const ont = await lab.plug({
      ontSerial: 'BNCH00000001',
      port: '1/1/1',
      tagging: 'qinq',
      cVlan: 7,
      client: 'udhcpc',
    });
    if ((await ont.waitForLease(LEASE_DEADLINE_MS)) === null) {
      throw new BngError('BNG_ERR_LAB', 'expected the ONT to have a lease', { way });
    }
    const deadline = performance.now() + SERVER_DEADLINE_MS;
    while ((await ont.tcpConnect(CORE_ADDRESSES.internet, PORT)) !== 'connected') {
      if (performance.now() > deadline) {
        throw new BngError('BNG_ERR_LAB', 'expected the ONT to reach the core', { way });
      }
    }
    return new Path(way, lab, bng, ont);
  }

  /** Bits of TCP payload a second, as the receiver counts them. */
  async measure(direction: Direction, seconds: number): Promise<number> {
    const before = await this.#verdicts();
    const { internet } = CORE_ADDRESSES;
    const options = ['-C', 'cubic', '-t', `${seconds}`, '-J', ...(direction === 'downstream' ? ['-R'] : [])];
    const command = ['iperf3', '-c', internet, '-p', `${PORT}`, ...options];
    const result = await this.#ont.run(command, seconds * 1000 + GRACE_MS);
    if (result.exitCode !== 0) {
      throw new BngError('BNG_ERR_LAB', 'expected iperf3 to succeed', {
        way: this.way,
        output: result.stdout.slice(-300) + result.stderr.slice(-300),
      });
    }
    this.#checkWay(before, await this.#verdicts());
    return iperfSchema.parse(JSON.parse(result.stdout)).end.sum_received.bits_per_second;
  }

  async #verdicts(): Promise<ReadonlyMap<string, number>> {
    const { body } = await this.#bng.get('/api/v1/drops');
    return new Map(Object.entries(verdictsSchema.parse(body).verdicts).map(([k, v]) => [k, Number(v)]));
  }

  /** Nearly all frames went the way that is measured: each direction was forwarded there. */
  #checkWay(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
    const moved = (verdict: string): number => (after.get(verdict) ?? 0) - (before.get(verdict) ?? 0);
    const xdp = moved('forward_up') + moved('forward_down');
    const stack = moved('stack_up') + moved('stack_down');
    const right = this.way === 'XDP' ? xdp : stack;
    if (right < 0.99 * (xdp + stack) || right === 0) {
      throw new BngError('BNG_ERR_LAB', 'expected the frames to go the way that is measured', {
        way: this.way,
        xdp,
        stack,
      });
    }
  }
}

export async function benchTcp(context: BenchContext): Promise<readonly Figure[]> {
  const paths = [await Path.open(context, 'XDP'), await Path.open(context, 'stack')] as const;
  const seconds = 2;
  const figures: Figure[] = [];
  for (const direction of ['upstream', 'downstream'] as const) {
    const [xdp, stack, ratio]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < (context.quick ? 2 : 5); run++) {
      context.progress(`${direction}, pair ${run + 1}`);
      const fast = await paths[0].measure(direction, seconds);
      const slow = await paths[1].measure(direction, seconds);
      xdp.push(fast / 1e9);
      stack.push(slow / 1e9);
      ratio.push(fast / slow);
    }
    const figure = (name: string, unit: string, values: number[]): Figure => ({
      bench: 'tcp',
      name,
      unit,
      values,
    });
    figures.push(
      figure(`${direction}, XDP`, 'Gbit/s', xdp),
      figure(`${direction}, stack`, 'Gbit/s', stack),
      figure(`${direction}, XDP by stack`, '×', ratio),
    );
  }
  return figures;
}
