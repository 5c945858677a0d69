/**
 * Tells a demonstration as it happens: one line for each thing that was observed, as text or as JSON lines, and whether
 * everything came true. Observes nothing itself.
 */

export type Chapter =
  | 'LAB'
  | 'OLT'
  | 'DHCP'
  | 'SESSION'
  | 'GARDEN'
  | 'ACTIVATE'
  | 'ACCESS'
  | 'TRAFFIC'
  | 'SUSPEND'
  | 'METRICS'
  | 'RADIUS'
  | 'RESULT';

/** What a line carries beside its words; the line's own fields are not to be overwritten. */
export type LineData = Readonly<Record<string, unknown>> & {
  readonly seconds?: never;
  readonly chapter?: never;
  readonly came?: never;
  readonly text?: never;
};

export interface Outcome {
  readonly observed: number;
  readonly failed: number;
  readonly seconds: number;
}

export class Narrator {
  readonly #write: (line: string) => void;
  readonly #json: boolean;
  readonly #beganMs = performance.now();
  #observed = 0;
  #failed = 0;

  constructor(options: { readonly json: boolean; readonly write: (line: string) => void }) {
    this.#json = options.json;
    this.#write = options.write;
  }

  /** Seconds since the narrator was made. */
  get seconds(): number {
    return (performance.now() - this.#beganMs) / 1000;
  }

  /** Tells what happened. */
  tell(chapter: Chapter, text: string, data: LineData = {}): void {
    this.#line(chapter, text, data, null);
  }

  /** Tells whether something was observed as it must be; what was not makes the whole demonstration fail. */
  check(chapter: Chapter, came: boolean, text: string, data: LineData = {}): boolean {
    this.#observed += 1;
    if (!came) this.#failed += 1;
    this.#line(chapter, text, data, came);
    return came;
  }

  /** Tells the last line. */
  finish(): Outcome {
    const outcome = {
      observed: this.#observed,
      failed: this.#failed,
      seconds: Number(this.seconds.toFixed(1)),
    };
    const verdict = outcome.failed === 0 ? 'everything came true' : `${outcome.failed} did NOT come true`;
    const { observed, failed } = outcome;
    this.#line('RESULT', `${observed} observations, ${verdict}`, { observed, failed }, null);
    return outcome;
  }

  #line(chapter: Chapter, text: string, data: LineData, came: boolean | null): void {
    if (this.#json) {
      const seconds = Number(this.seconds.toFixed(3));
      this.#write(JSON.stringify({ seconds, chapter, ...(came === null ? {} : { came }), text, ...data }));
      return;
    }
    const minutes = Math.floor(this.seconds / 60);
    const stamp = `${String(minutes).padStart(2, '0')}:${(this.seconds - 60 * minutes).toFixed(2).padStart(5, '0')}`;
    const mark = came === null ? ' ' : came ? '+' : '!';
    this.#write(`[${stamp}] ${mark} ${chapter.padEnd(8)} ${text}`);
  }
}
