/** The manual page (roff), made from the commands themselves. Text only; `make docs` writes it. */
import type { Argument, Command, Option } from 'commander';
import { EXIT_MEANINGS } from './run.js';

/** Text between macros: no line may begin with a control character, hyphens are hyphens. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .split('\n')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n');
}

function sentence(words: string): string {
  const first = words.slice(0, 1).toUpperCase();
  return text(`${first}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`);
}

function optionText({ flags, description, defaultValue, mandatory, argChoices }: Option): string {
  const value = typeof defaultValue === 'string' || typeof defaultValue === 'number' ? defaultValue : null;
  const choices = argChoices === undefined ? null : `one of ${argChoices.join(', ')}`;
  const notes = [choices, mandatory ? 'required' : null, value === null ? null : `default ${value}`].filter(
    (note) => note !== null,
  );
  const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  return `.TP\n.B ${text(flags)}\n${sentence(`${description}${note}`)}`;
}

function argumentName(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function commandText(command: Command, parent = ''): string {
  if (command.commands.length > 0) {
    return command.commands.map((child) => commandText(child, `${command.name()} `)).join('\n');
  }
  const usage = [`${parent}${command.name()}`, ...command.registeredArguments.map(argumentName)].join(' ');
  return [
    `.SS "${text(usage)}"`,
    sentence(command.description()),
    ...command.registeredArguments.map(
      (argument) => `.TP\n.I ${text(argument.name())}\n${sentence(argument.description)}`,
    ),
    ...command.options.map(optionText),
  ].join('\n');
}

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['bngctl sessions --state active --sort -down', 'the active sessions, the fastest first'],
  ['bngctl session 10.0.0.9', 'everything about the subscriber with this address'],
  ['bngctl trace SIMU00000001', 'why does this line get no address?'],
  ['bngctl map bng_subscribers', 'what the kernel holds, also while no BNG runs'],
  ['bngctl --json pools | jq .pools[].utilization', 'for scripts'],
  ['eval "$(bngctl completion bash)"', 'completion in this shell'],
];

const FILES: readonly (readonly [string, string])[] = [
  ['/run/bng/bng.sock', 'the unix socket of the BNG, for root; used where nothing else is said'],
  ['/etc/bng/api.token', 'the bearer token for HTTP; readable by its owner only, else it is refused'],
  ['/sys/fs/bpf/bng', 'the pinned maps'],
];

/** The page of `program` in section 1. */
export function manPage(program: Command): string {
  const named = (list: readonly (readonly [string, string])[]): string[] =>
    list.map(([name, what]) => `.TP\n.B ${text(name)}\n${sentence(what)}`);
  return [
    '.\\" Written by make docs from the commands of bngctl; do not edit.',
    '.TH BNGCTL 1 "" "bng" "User Commands"',
    '.SH NAME',
    text('bngctl - ask and order a running BNG'),
    '.SH SYNOPSIS',
    '.B bngctl',
    text('[options] command [arguments]'),
    '.SH DESCRIPTION',
    text(
      'Asks a running BNG through its API: over its unix socket, which root may use without a token, or over HTTP with a bearer token.',
    ),
    text('Tables fit the terminal; colours only where there is one, and not with NO_COLOR set.'),
    text('COLUMNS sets the width where the output is no terminal.'),
    '.SH OPTIONS',
    ...program.options.map(optionText),
    '.SH COMMANDS',
    ...program.commands.map((command) => commandText(command)),
    '.SH EXIT STATUS',
    ...named(Object.entries(EXIT_MEANINGS)),
    '.SH FILES',
    ...named(FILES),
    '.SH EXAMPLES',
    ...named(EXAMPLES),
    '',
  ].join('\n');
}
