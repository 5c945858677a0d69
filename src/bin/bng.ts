#!/usr/bin/env node
/** The `bng` command: argv to one function each. No rules of the domain. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { check } from './bng/check.js';
import { run } from './bng/run.js';

const DEFAULT_CONFIG = '/etc/bng/bng.yaml';

const program = new Command('bng')
  .description('Broadband Network Gateway: a control plane for eBPF/XDP and nftables on Linux.')
  .showHelpAfterError('(see bng --help)')
  .addHelpText('after', '\nExit status: 0 done, 1 something failed or did not come true, 2 bad usage or configuration.');

program
  .command('run')
  .description('Serve the interfaces that the configuration names, until SIGINT or SIGTERM.')
  .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG)
  .action(async (options: { config: string }) => {
    process.exitCode = await run(options.config);
  });

program
  .command('check')
  .description('Check a configuration file and print every error with its path and line.')
  .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG)
  .action((options: { config: string }) => {
    process.exitCode = check(options.config);
  });

program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
await program.parseAsync();
