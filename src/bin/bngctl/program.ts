/** bngctl: argv in, one exit code out. Puts the commands together; each is in a file of its kind. */
import { Argument, Command, CommanderError } from 'commander';
import type { Shell } from './completion.js';
import { completionOf, SHELLS } from './completion.js';
import { addKernelCommands } from './kernel-commands.js';
import { addLiveCommands } from './live-commands.js';
import { DEFAULT_SOCKET, DEFAULT_TOKEN_FILE, DEFAULT_URL, isUsageError, openClient } from './open-client.js';
import type { ConnectionOptions } from './open-client.js';
import { addOrderCommands } from './order-commands.js';
import { EXIT, EXIT_MEANINGS, Run } from './run.js';
import type { Action, ExitCode, Perform } from './run.js';
import { addSessionCommands } from './session-commands.js';
import { addStatusCommands } from './status-commands.js';
import { addStoreCommands } from './store-commands.js';
import type { Terminal } from './terminal.js';

const EXIT_HELP = [
  '',
  'Exit codes:',
  ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `  ${code}  ${meaning}`),
].join('\n');

interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** The command line of bngctl; `perform` runs what a command asks of the BNG, `finish` is told the exit code of others. */
export function bngctlProgram(
  terminal: Pick<Terminal, 'out' | 'err'>,
  perform: Perform,
  finish: (exit: ExitCode) => void = () => undefined,
): Command {
  const program = new Command('bngctl')
    // Before any subcommand, which takes these over when it is made.
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .exitOverride()
    .description('Asks and orders a running BNG through its operator API.')
    .option('--json', 'print JSON')
    .option('--socket <path>', `unix socket of the BNG (default ${DEFAULT_SOCKET}, where it may be used)`)
    .option('--url <url>', `where the API is (default ${DEFAULT_URL}, without a socket)`)
    .option('--token-file <path>', `file with the bearer token for HTTP (default ${DEFAULT_TOKEN_FILE})`)
    .option('--ca-file <path>', 'certificate that signed that of the BNG, where the system does not know it')
    .addHelpText('after', EXIT_HELP);
  addSessionCommands(program, perform);
  addStatusCommands(program, perform);
  addKernelCommands(program, perform);
  addLiveCommands(program, perform);
  addOrderCommands(program, perform);
  addStoreCommands(program, terminal, finish);
  program
    .command('completion')
    .description('print the completion of bngctl for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) => terminal.out(completionOf(program, shell)));
  return program;
}

/** Runs bngctl with the arguments after its name and gives its exit code. */
export async function runBngctl(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const perform = async (action: Action): Promise<void> => {
    const options = program.opts<GlobalOptions>();
    exitCode = await action(new Run(openClient(options), terminal, options.json === true));
  };
  const program = bngctlProgram(terminal, perform, (exit) => (exitCode = exit));
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
