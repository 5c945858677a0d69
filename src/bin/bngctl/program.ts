/** bngctl's commands: argv in, one exit code out. Asks the API and prints; decides nothing about sessions. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { SESSION_STATES } from '../../session/view.js';
import type {
  DropsAnswer,
  EventAnswer,
  HealthAnswer,
  OrderAnswer,
  PoolsAnswer,
  ProblemAnswer,
  SessionAnswer,
  SessionDetailAnswer,
  SessionsAnswer,
} from './api-answers.js';
import type { Answer, ApiClient } from './api-client.js';
import { isUsageError, openClient } from './open-client.js';
import type { ConnectionOptions } from './open-client.js';
import type { RadiusAnswer } from './radius-answers.js';
import { radiusView } from './radius-view.js';
import { parseRate } from './rate.js';
import { harmless } from './terminal.js';
import { addStoreCommands } from './store-commands.js';
import type { Terminal } from './terminal.js';
import { dropsView, eventView, healthView, poolsView, sessionsView, sessionView } from './views.js';

const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;
type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const EXIT_HELP = `
Exit codes:
  0  done
  1  the BNG refused, found nothing, or is not ready
  2  the command line is wrong
  3  the BNG cannot be reached`;

interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
}

function rateArgument(text: string): number {
  const rate = parseRate(text);
  if (rate === null) throw new InvalidArgumentError('Expected a rate such as 100M, 1.5G or 64000 (bit/s).');
  return rate;
}

function stateArgument(text: string): string {
  if (SESSION_STATES.some((state) => state === text)) return text;
  throw new InvalidArgumentError(`Expected one of ${SESSION_STATES.join(', ')}.`);
}

/** One run of bngctl: what every command needs. */
class Run {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly #json: boolean;

  constructor(client: ApiClient, terminal: Terminal, json: boolean) {
    this.client = client;
    this.terminal = terminal;
    this.#json = json;
  }

  /** Prints a success as JSON or through `view`, anything else as one line to stderr. */
  show<Body extends object>(answer: Answer<Body>, view: (body: Body) => readonly string[]): ExitCode {
    switch (answer.kind) {
      case 'ok':
        this.print(answer.body, view);
        return EXIT.ok;
      case 'refused':
        return this.refuse(answer.problem);
      case 'unreachable':
        this.terminal.err(`bngctl: the BNG cannot be reached: ${harmless(answer.reason)}`);
        return EXIT.unreachable;
    }
  }

  print<Body extends object>(body: Body, view: (body: Body) => readonly string[]): void {
    if (this.#json) this.terminal.out(JSON.stringify(body));
    else for (const line of view(body)) this.terminal.out(line);
  }

  refuse(problem: ProblemAnswer): ExitCode {
    const state = problem.state === undefined ? '' : ` [state:${problem.state}]`;
    const text = `bngctl: ${problem.title}: ${problem.detail}${state}`;
    this.terminal.err(this.#json ? JSON.stringify(problem) : harmless(text));
    return EXIT.refused;
  }
}

async function allSessions(
  client: ApiClient,
  state: string | undefined,
): Promise<Answer<{ sessions: SessionAnswer[] }>> {
  const sessions: SessionAnswer[] = [];
  const query = new URLSearchParams({ limit: '1000', ...(state === undefined ? {} : { state }) });
  for (;;) {
    const answer = await client.get<SessionsAnswer>(`/api/v1/sessions?${query.toString()}`);
    if (answer.kind !== 'ok') return answer;
    sessions.push(...answer.body.sessions);
    if (answer.body.next_cursor === null) return { kind: 'ok', body: { sessions } };
    query.set('cursor', answer.body.next_cursor);
  }
}

async function health(run: Run): Promise<ExitCode> {
  const answer = await run.client.get<HealthAnswer>('/readyz');
  if (answer.kind === 'refused' && answer.problem.checks !== undefined) {
    run.print({ status: 'not-ready', checks: answer.problem.checks }, ({ checks }) =>
      healthView(run.terminal, checks),
    );
    return EXIT.refused;
  }
  return run.show(answer, ({ checks }) => healthView(run.terminal, checks));
}

async function order(run: Run, name: string, body: object): Promise<ExitCode> {
  const answer = await run.client.post<OrderAnswer>(`/api/v1/${name}`, body);
  return run.show(answer, ({ session }) => [
    harmless(`${session.ont_serial}: ${session.old_state} → ${session.new_state}: ${session.message}`),
  ]);
}

type Action = (run: Run) => Promise<ExitCode>;

function addReadCommands(program: Command, perform: (action: Action) => Promise<void>): void {
  program
    .command('sessions')
    .description('list sessions')
    .option('--state <state>', `only those in this state (${SESSION_STATES.join(', ')})`, stateArgument)
    .action((options: { state?: string }) =>
      perform(async (run) =>
        run.show(await allSessions(run.client, options.state), ({ sessions }) =>
          sessionsView(run.terminal, sessions),
        ),
      ),
    );
  program
    .command('session')
    .description('one session with its counters')
    .argument('<key>', 'ONT serial, address or session id')
    .action((key: string) =>
      perform(async (run) =>
        run.show(
          await run.client.get<SessionDetailAnswer>(`/api/v1/sessions/${encodeURIComponent(key)}`),
          (session) => sessionView(run.terminal, session),
        ),
      ),
    );
  program
    .command('pools')
    .description('address pools and their use')
    .action(() =>
      perform(async (run) =>
        run.show(await run.client.get<PoolsAnswer>('/api/v1/pools'), ({ pools }) =>
          poolsView(run.terminal, pools),
        ),
      ),
    );
  program
    .command('drops')
    .description('frames by verdict, and dropped ones by reason')
    .action(() =>
      perform(async (run) =>
        run.show(await run.client.get<DropsAnswer>('/api/v1/drops'), (drops) =>
          dropsView(run.terminal, drops),
        ),
      ),
    );
  program
    .command('radius')
    .description('RADIUS servers, round trips, the accounting queue and CoA')
    .action(() =>
      perform(async (run) =>
        run.show(await run.client.get<RadiusAnswer>('/api/v1/radius'), (radius) =>
          radiusView(run.terminal, radius),
        ),
      ),
    );
  program
    .command('health')
    .description('is the BNG ready, and if not, why')
    .action(() => perform(health));
  program
    .command('events')
    .description('follow what happens to sessions')
    .action(() =>
      perform(async (run) => {
        const show = (json: string): void =>
          run.print(JSON.parse(json) as EventAnswer, (event) => [eventView(run.terminal, event)]);
        return run.show(await run.client.events(show), () => []);
      }),
    );
}

interface ActivateFlags {
  readonly pool: string;
  readonly service: string;
  readonly down: number;
  readonly up: number;
}

function addOrderCommands(program: Command, perform: (action: Action) => Promise<void>): void {
  program
    .command('activate')
    .description('activate a line out of the walled garden')
    .argument('<ont>', 'ONT serial')
    .requiredOption('--pool <name>', 'address pool')
    .requiredOption('--service <id>', 'service id')
    .requiredOption('--down <rate>', 'download rate in bit/s, such as 100M; 0 = unlimited', rateArgument)
    .requiredOption('--up <rate>', 'upload rate in bit/s; 0 = unlimited', rateArgument)
    .action((ont: string, flags: ActivateFlags) =>
      perform((run) =>
        order(run, 'activate', {
          ont_serial: ont,
          service_id: flags.service,
          pool: flags.pool,
          qos_download_bps: flags.down,
          qos_upload_bps: flags.up,
        }),
      ),
    );
  const orders = [
    ['suspend', 'put an active line back into the walled garden'],
    ['resume', 'end a suspension'],
    ['terminate', 'end the session'],
  ] as const;
  for (const [name, description] of orders) {
    program
      .command(name)
      .description(description)
      .argument('<ont>', 'ONT serial')
      .option('--reason <text>', 'why; written to the log, and of a suspension shown to the subscriber')
      .action((ont: string, { reason }: { reason?: string }) =>
        perform((run) => order(run, name, { ont_serial: ont, ...(reason === undefined ? {} : { reason }) })),
      );
  }
}

/** Runs bngctl with the arguments after its name and gives its exit code. */
export async function runBngctl(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Command('bngctl')
    .description('Asks and orders a running BNG through its operator API.')
    .option('--json', 'print JSON')
    .option('--url <url>', 'where the API is', 'http://127.0.0.1:8080')
    .option('--token-file <path>', 'file with the bearer token', '/etc/bng/api.token')
    .addHelpText('after', EXIT_HELP)
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .exitOverride();
  const perform = async (action: Action): Promise<void> => {
    const options = program.opts<GlobalOptions>();
    const named = program.getOptionValueSource('tokenFile') !== 'default';
    exitCode = await action(new Run(openClient(options, named), terminal, options.json === true));
  };
  addReadCommands(program, perform);
  addOrderCommands(program, perform);
  addStoreCommands(program, terminal, (exit) => (exitCode = exit));
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (isUsageError(error)) terminal.err(`bngctl: ${error.message}`);
    else if (!(error instanceof CommanderError)) throw error;
    else if (error.exitCode === 0) return EXIT.ok;
    return EXIT.usage;
  }
  return exitCode;
}
