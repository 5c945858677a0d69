/**
 * The simulated access node without a plant: it tells of ONTs and takes what they are configured with; their frames are the load
 * generator's. Measures nothing.
 */
import { OltServer } from '../../src/olt/olt-server.js';
import { OltSimulator } from '../../src/olt/olt-simulator.js';
import { serialOf, tagsOf } from './ont-frames.js';

/** S-VLAN of each pool's lines. */
export const BENCH_VLANS = { wgar: 100, 'isp-residential': 200 } as const;

/** ONTs plugged in one turn of the loop: who listens is not cut off for what it has not read yet. */
const AT_ONCE = 250;

export class BenchAccessNode {
  readonly #simulator: OltSimulator;
  readonly #server: OltServer;
  #plugged = 0;
  #configured = 0;
  #onConfigured: (() => void) | null = null;

  private constructor(path: string) {
    this.#simulator = new OltSimulator({
      aggregatorId: 'bench-01',
      gardenSVlan: BENCH_VLANS.wgar,
      plant: {
        provision: ({ sVlan }) => this.#provisioned(sVlan),
        withdraw: () => {},
        bounce: () => Promise.resolve(),
      },
      onEvent: (event) => this.#server.publish(event),
    });
    this.#server = new OltServer({ path, simulator: this.#simulator, counts: () => ({}) });
  }

  /** Listens at a socket; the BNG comes by itself. */
  static async listen(path: string): Promise<BenchAccessNode> {
    const node = new BenchAccessNode(path);
    await node.#server.listen();
    return node;
  }

  /**
   * Plugs ONTs `first` to `first + count - 1` of the load generator. Gives how many ms it takes until the BNG has moved the last
   * of them out of the garden: it is authenticated and has its address then.
   */
  async plug(first: number, count: number): Promise<number> {
    const beganMs = performance.now();
    const configured = new Promise<void>((resolve) => (this.#onConfigured = resolve));
    this.#plugged += count;
    for (let n = first; n < first + count; n += 1) {
      const { sVlan, cVlan } = tagsOf(n);
      const port = `${sVlan}/${cVlan}/1`;
      this.#simulator.plug({ ontSerial: serialOf(n), port, interface: `ont${n}`, tagging: 'qinq', cVlan });
      if (n % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await configured;
    return performance.now() - beganMs;
  }

  #provisioned(sVlan: number): void {
    if (sVlan === BENCH_VLANS.wgar) return;
    this.#configured += 1;
    if (this.#configured === this.#plugged) this.#onConfigured?.();
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
