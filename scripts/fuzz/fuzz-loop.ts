/**
 * The coverage-guided loop: runs inputs, keeps those that reach something new, and grows others from them. Nothing here depends on
 * time or on the machine, so that a seed and a number of runs give the same inputs. Knows no files and no threads.
 */
import type { FuzzTarget } from '../../test/fuzz/fuzz-target.js';
import { seededRandom } from '../../test/support/mutate.js';
import type { Coverage } from './coverage.js';
import { mutated } from './mutator.js';

export interface FuzzLoopOptions {
  readonly target: FuzzTarget;
  readonly coverage: Coverage;
  /** Counters in use. */
  readonly locations: number;
  readonly seed: number;
  /** Told of each input before it runs. */
  readonly running: (input: Uint8Array) => void;
}

export interface Failure {
  readonly input: Uint8Array;
  readonly text: string;
}

/** Runs that may go into making a failing input smaller. */
const SHRINKING_RUNS = 2_000;
/** One in so many inputs is grown from any of the corpus, the others from its newest. */
const NEWEST = 32;

export class FuzzLoop {
  readonly #o: FuzzLoopOptions;
  readonly #corpus: Uint8Array[] = [];
  readonly #words: readonly Uint8Array[];
  runs = 0;

  constructor(options: FuzzLoopOptions) {
    this.#o = options;
    this.#words = (options.target.words ?? []).map((word) => new Uint8Array(Buffer.from(word)));
  }

  /** The inputs of which each reached something that none before it did, in that order. */
  get corpus(): readonly Uint8Array[] {
    return this.#corpus;
  }

  /** Runs inputs that are there already; the first failure, or null. */
  async begin(inputs: readonly Uint8Array[]): Promise<Failure | null> {
    const sorted = [...inputs].sort((a, b) => a.length - b.length);
    for (const input of sorted) {
      const failure = await this.#try(input);
      if (failure !== null) return failure;
    }
    // Without any there is nothing to grow from.
    if (this.#corpus.length === 0) this.#corpus.push(new Uint8Array(0));
    return null;
  }

  /** Grows and runs inputs while `goOn` says so; the first failure, its input made small, or null. */
  async grow(goOn: (runs: number) => boolean): Promise<Failure | null> {
    const { target, coverage, seed } = this.#o;
    const random = seededRandom(seed);
    const any = (): Uint8Array => this.#corpus[random(this.#corpus.length)] ?? new Uint8Array(0);
    const newest = (): Uint8Array =>
      this.#corpus[Math.max(0, this.#corpus.length - 1 - random(NEWEST))] ?? any();
    const sources = {
      random,
      maxBytes: target.maxBytes,
      words: this.#words,
      other: any,
      compared: coverage.compared,
    };
    for (let grown = 0; goOn(grown); grown++) {
      const failure = await this.#try(mutated(random(2) === 0 ? any() : newest(), sources));
      if (failure !== null) return this.#shrunk(failure);
    }
    return null;
  }

  async #try(input: Uint8Array): Promise<Failure | null> {
    const { coverage, locations } = this.#o;
    coverage.begin();
    const failure = await this.#run(input);
    if (coverage.novel(locations) > 0) this.#corpus.push(input);
    return failure;
  }

  async #run(input: Uint8Array): Promise<Failure | null> {
    const { target, running } = this.#o;
    this.runs++;
    running(input);
    try {
      // A copy of its own: an input that was kept must not change.
      const outcome = target.run(Uint8Array.from(input));
      if (outcome !== undefined) await outcome;
      return null;
    } catch (error) {
      return { input, text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }

  /** Takes away parts for as long as the same line of code fails. */
  async #shrunk(failure: Failure): Promise<Failure> {
    let best = failure;
    let left = SHRINKING_RUNS;
    for (let part = failure.input.length >> 1; part > 0; part >>= 1) {
      for (let at = 0; at < best.input.length && left > 0; left--) {
        const shorter = Buffer.concat([best.input.subarray(0, at), best.input.subarray(at + part)]);
        const again = await this.#run(new Uint8Array(shorter));
        if (again !== null && placeOf(again) === placeOf(best)) best = again;
        else at += part;
      }
    }
    return best;
  }
}

/** Where an error was thrown: the first line of its stack that is one. */
function placeOf({ text }: Failure): string {
  return /^ {4}at .*$/m.exec(text)?.[0] ?? text.split('\n', 1)[0] ?? '';
}
