/** One run of bngctl: how answers become output and exit codes. Knows no command. */
import type { ProblemAnswer } from './api-answers.js';
import type { Answer, ApiClient } from './api-client.js';
import { harmless, showPicture } from './terminal.js';
import type { Terminal } from './terminal.js';

export const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code means; help and man page say so. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'the BNG refused, found nothing, or is not ready',
  2: 'the command line is wrong',
  3: 'the BNG cannot be reached',
};

export class Run {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly isJson: boolean;

  constructor(client: ApiClient, terminal: Terminal, isJson: boolean) {
    this.client = client;
    this.terminal = terminal;
    this.isJson = isJson;
  }

  /** Prints a success as JSON or through `view`, anything else as one line to stderr. */
  show<Body extends object>(answer: Answer<Body>, view: (body: Body) => readonly string[]): ExitCode {
    if (answer.kind !== 'ok') return this.fail(answer);
    this.print(answer.body, view);
    return EXIT.ok;
  }

  print<Body extends object>(body: Body, view: (body: Body) => readonly string[]): void {
    if (this.isJson) this.terminal.out(JSON.stringify(body));
    else for (const line of view(body)) this.terminal.out(line);
  }

  /** Shows what `ask` gives again and again until it fails; with JSON one object a line. */
  async watch<Body extends object>(
    seconds: number,
    ask: () => Promise<Answer<Body>>,
    view: (body: Body) => readonly string[],
  ): Promise<ExitCode> {
    for (;;) {
      const answer = await ask();
      if (answer.kind !== 'ok') return this.fail(answer);
      if (this.isJson) this.terminal.out(JSON.stringify(answer.body));
      else showPicture(this.terminal, view(answer.body));
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }

  fail(answer: Exclude<Answer<never>, { kind: 'ok' }>): ExitCode {
    if (answer.kind === 'refused') return this.refuse(answer.problem);
    const where = this.client.where;
    this.terminal.err(harmless(`bngctl: the BNG cannot be reached at ${where}: ${answer.reason}`));
    return EXIT.unreachable;
  }

  refuse(problem: ProblemAnswer): ExitCode {
    const state = problem.state === undefined ? '' : ` [state:${problem.state}]`;
    const text = `bngctl: ${problem.title}: ${problem.detail}${state}`;
    this.terminal.err(this.isJson ? JSON.stringify(problem) : harmless(text));
    return EXIT.refused;
  }
}

/** What a command does; its exit code is that of bngctl. */
export type Action = (run: Run) => Promise<ExitCode>;
export type Perform = (action: Action) => Promise<void>;
