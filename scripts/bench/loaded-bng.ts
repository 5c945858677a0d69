/** A BNG of a bench's world under the load generator, and the numbers of the ONTs that it has not seen yet. */
import { runPart } from './bench-context.js';
import type { BenchWorld, WorldBng } from './bench-world.js';
import type { LoadResult, LoadSettings } from './load-settings.js';
import { loadResultSchema } from './load-settings.js';

const LOAD_TIMEOUT_MS = 30_000;

export type Load = Pick<LoadSettings, 'exchange' | 'count' | 'pace'>;

export class Loaded {
  readonly #world: BenchWorld;
  readonly #bng: WorldBng;
  #nextOnt = 0;

  constructor(world: BenchWorld, bng: WorldBng) {
    this.#world = world;
    this.#bng = bng;
  }

  /** Numbers of ONTs that have not been used yet: the first of `count`. */
  take(count: number): number {
    const first = this.#nextOnt;
    this.#nextOnt += count;
    return first;
  }

  /** ONTs that the BNG has not seen yet, or those from `first` on. */
  async run(load: Load, first = this.take(load.count)): Promise<LoadResult> {
    const settings: LoadSettings = { ...load, interface: 'trunk0', first, bngPid: this.#bng.pid };
    return loadResultSchema.parse(
      await runPart({
        program: 'load-main.js',
        settings,
        namespace: this.#world.namespaces.ont,
        logFile: this.#world.paths.logFile('load'),
        timeoutMs: LOAD_TIMEOUT_MS,
      }),
    );
  }
}
