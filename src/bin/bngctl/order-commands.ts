/** Orders: `activate`, `suspend`, `resume`, `terminate` a line; `drain` and `reload` the BNG. */
import type { Command } from 'commander';
import type { DrainAnswer, OrderAnswer, ReloadAnswer } from './api-answers.js';
import { rateArgument } from './arguments.js';
import type { ExitCode, Perform, Run } from './run.js';
import { EXIT } from './run.js';
import { harmless } from './terminal.js';

interface ActivateFlags {
  readonly pool: string;
  readonly service: string;
  readonly down: number;
  readonly up: number;
}

async function order(run: Run, name: string, body: object): Promise<ExitCode> {
  const answer = await run.client.post<OrderAnswer>(`/api/v1/${name}`, body);
  return run.show(answer, ({ session }) => [
    harmless(`${session.ont_serial}: ${session.old_state} → ${session.new_state}: ${session.message}`),
  ]);
}

async function drain(run: Run, draining: boolean): Promise<ExitCode> {
  const answer = await run.client.post<DrainAnswer>('/api/v1/drain', { draining });
  return run.show(answer, ({ draining: isDraining, sessions }) => {
    const { terminated: _ended, ...living } = sessions;
    const left = Object.values(living).reduce((sum, count) => sum + count, 0);
    return [isDraining ? `draining: no new session begins, ${left} are left` : 'sessions begin again'];
  });
}

async function reload(run: Run): Promise<ExitCode> {
  const answer = await run.client.post<ReloadAnswer>('/api/v1/reload', {});
  if (answer.kind === 'refused' && answer.problem.status === 404) {
    run.terminal.err('bngctl: this BNG cannot reload while it runs: restart it');
    return EXIT.refused;
  }
  return run.show(answer, ({ changes }) =>
    changes.length === 0 ? ['nothing has changed'] : changes.map(harmless),
  );
}

function addActivate(program: Command, perform: Perform): void {
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
}

const ORDERS = [
  ['suspend', 'put an active line back into the walled garden'],
  ['resume', 'end a suspension'],
  ['terminate', 'end the session'],
] as const;

export function addOrderCommands(program: Command, perform: Perform): void {
  addActivate(program, perform);
  for (const [name, description] of ORDERS) {
    program
      .command(name)
      .description(description)
      .argument('<ont>', 'ONT serial')
      .option('--reason <text>', 'why; written to the log, and of a suspension shown to the subscriber')
      .action((ont: string, { reason }: { reason?: string }) =>
        perform((run) => order(run, name, { ont_serial: ont, ...(reason === undefined ? {} : { reason }) })),
      );
  }
  program
    .command('drain')
    .description('let no new session begin; those that are there go on')
    .option('--off', 'let sessions begin again')
    .action(({ off }: { off?: boolean }) => perform((run) => drain(run, off !== true)));
  program
    .command('reload')
    .description('have the configuration read again, where the BNG can')
    .action(() => perform(reload));
}
