/** The commands of `bng`: argv to one function each. No rules of the domain. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { bashCompletion } from '../bngctl/completion.js';
import { isLabPrefix } from '../../lab/lab-paths.js';
import { check } from './check.js';
import { configInit, configSchema } from './config.js';
import { demo, type DemoOptions, SCENARIOS } from './demo.js';
import { doctor } from './doctor.js';
import { labDown, labHold, labUp } from './lab.js';
import { run } from './run.js';

const DEFAULT_CONFIG = '/etc/bng/bng.yaml';

/** Parses nothing yet. */
export function bngProgram(): Command {
  const program = new Command('bng')
    // Before any subcommand, which takes it over when it is made.
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .description('Broadband Network Gateway: a control plane for eBPF/XDP and nftables on Linux.')
    .showHelpAfterError('(see bng --help)')
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 something failed or did not come true, 2 bad usage or configuration.',
    );

  program
    .command('run')
    .description('Serve the interfaces that the configuration names, until SIGINT or SIGTERM.')
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG)
    .option(
      '--teardown',
      'end every session in good order, remove everything from the kernel, and exit',
      false,
    )
    .action(async ({ config, ...options }: { config: string; teardown: boolean }) => {
      process.exitCode = await run(config, options);
    });

  program
    .command('check')
    .description('Check a configuration file and print every error with its path and line.')
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG)
    .action((options: { config: string }) => {
      process.exitCode = check(options.config);
    });

  program
    .command('doctor')
    .description(
      'Look whether this machine is fit for the configuration, with a BNG running or not, and say for each failure what to type.',
    )
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG)
    .option('--json', 'one JSON object: ok, and findings with check, about, status, found and remedy', false)
    .action(async ({ config, json }: { config: string; json: boolean }) => {
      process.exitCode = await doctor(config, { json });
    });

  const config = program.command('config').description('Help for who writes a configuration file.');
  config
    .command('init')
    .description('Write an example with every setting and its meaning; never over a file that is there.')
    .option('-c, --config <file>', 'where to write it', DEFAULT_CONFIG)
    .action((options: { config: string }) => {
      process.exitCode = configInit(options.config);
    });
  config
    .command('schema')
    .description('Print the JSON schema of the configuration file, for editors.')
    .action(configSchema);

  const prefix = new Option('--prefix <text>', 'names the lab: 1 to 6 lower-case letters and digits')
    .argParser(labPrefix)
    .default('bng');

  program
    .command('demo')
    .description('Play a whole ISP on this machine: real packets, real DHCP clients, nothing left behind.')
    .addOption(new Option('--scenario <name>', 'the story').choices(SCENARIOS).default('full-lifecycle'))
    .option('--subscribers <n>', 'how many ONTs', wholeNumber({ from: 1, to: 200 }), 10)
    .option('--duration <seconds>', 'length of the story', wholeNumber({ from: 15, to: 3600 }), 60)
    .option('--radius', 'authenticate and account with FreeRADIUS, and check its books', false)
    .addOption(prefix)
    .option('--json', 'one JSON object a line', false)
    .option('--keep', 'leave the lab up until Ctrl-C', false)
    .action(async ({ duration, ...options }: Omit<DemoOptions, 'durationSeconds'> & { duration: number }) => {
      process.exitCode = await demo({ ...options, durationSeconds: duration });
    });

  const lab = program
    .command('lab')
    .description('A lab to play in: an access node, ONTs with DHCP clients, a core, a BNG.');
  const onts = new Option('--subscribers <n>', 'how many ONTs')
    .argParser(wholeNumber({ from: 0, to: 200 }))
    .default(2);

  lab
    .command('up')
    .description('Build the lab and leave it running.')
    .addOption(prefix)
    .addOption(onts)
    .action(async (options: { prefix: string; subscribers: number }) => {
      process.exitCode = await labUp(options);
    });
  lab
    .command('hold', { hidden: true })
    .addOption(prefix)
    .addOption(onts)
    .action(async (options: { prefix: string; subscribers: number }) => {
      process.exitCode = await labHold(options);
    });
  lab
    .command('down')
    .description('Take the lab down and remove everything of it.')
    .addOption(prefix)
    .action(async (options: { prefix: string }) => {
      process.exitCode = await labDown(options.prefix);
    });

  program
    .command('completion')
    .description('Print the completion of bng for a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash']))
    .action(() => void process.stdout.write(`${bashCompletion(program)}\n`));

  return program;
}

function wholeNumber(range: { readonly from: number; readonly to: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= range.from && value <= range.to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${range.from} to ${range.to}.`);
  };
}

function labPrefix(text: string): string {
  if (isLabPrefix(text)) return text;
  throw new InvalidArgumentError('expected 1 to 6 lower-case letters and digits, a letter first.');
}
