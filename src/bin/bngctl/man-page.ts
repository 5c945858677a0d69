/** Manual pages (roff), made from the commands themselves. Text only; `make docs` writes them. */
import type { Argument, Command, Option } from 'commander';

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
    const visible = command
      .createHelp()
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help');
    return visible.map((child) => commandText(child, `${command.name()} `)).join('\n');
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

type Notes = readonly (readonly [string, string])[];

/** What a page says beyond the commands themselves. */
export interface PageNotes {
  /** What it is, as apropos(1) lists it. */
  readonly about: string;
  readonly description: readonly string[];
  readonly exitStatus: Notes;
  readonly files: Notes;
  readonly examples: Notes;
}

/** The page of `program` in section 1. */
export function manPage(program: Command, notes: PageNotes): string {
  const named = (list: Notes): string[] =>
    list.map(([name, what]) => `.TP\n.B ${text(name)}\n${sentence(what)}`);
  const name = program.name();
  const commands = program.createHelp().visibleCommands(program);
  return [
    `.\\" Written by make docs from the commands of ${name}; do not edit.`,
    `.TH ${name.toUpperCase()} 1 "" "bng" "User Commands"`,
    '.SH NAME',
    text(`${name} - ${notes.about}`),
    '.SH SYNOPSIS',
    `.B ${name}`,
    text('[options] command [arguments]'),
    '.SH DESCRIPTION',
    ...notes.description.map(text),
    ...(program.options.length === 0 ? [] : ['.SH OPTIONS', ...program.options.map(optionText)]),
    '.SH COMMANDS',
    ...commands.filter((command) => command.name() !== 'help').map((command) => commandText(command)),
    '.SH EXIT STATUS',
    ...named(notes.exitStatus),
    '.SH FILES',
    ...named(notes.files),
    '.SH EXAMPLES',
    ...named(notes.examples),
    '',
  ].join('\n');
}
