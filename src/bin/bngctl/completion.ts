/** Shell completion for bash, zsh and fish, made from the commands themselves. Text only. */
import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Files and folders are what these take. */
const PATH_OPTION = /<(path|file|folder)>/;

/** What can be completed, whatever the shell. */
interface Completable {
  readonly name: string;
  /** Flags that every command takes. */
  readonly global: readonly string[];
  /** `words`: what may follow the command, global flags left out. */
  readonly commands: readonly {
    readonly name: string;
    readonly description: string;
    readonly words: readonly string[];
  }[];
  /** Options whose value is a file or a folder. */
  readonly pathOptions: readonly string[];
  /** Options whose value is one of a few words. */
  readonly choices: readonly { readonly option: string; readonly words: readonly string[] }[];
}

/** A script for the shell: `eval "$(bngctl completion bash)"`, or a file where the shell looks for completions. */
export function completionOf(program: Command, shell: Shell): string {
  const completable = completableOf(program);
  switch (shell) {
    case 'bash':
      return bash(completable);
    case 'zsh':
      return zsh(completable);
    case 'fish':
      return fish(completable);
  }
}

function completableOf(program: Command): Completable {
  const { commands } = program;
  const all = [program, ...commands, ...commands.flatMap((command) => command.commands)];
  const pathOptions = all.flatMap(({ options }) =>
    flagsOf(options.filter(({ flags }) => PATH_OPTION.test(flags))),
  );
  const choices = commands.flatMap(({ options }) =>
    options.flatMap(({ long, argChoices: words }) =>
      typeof long === 'string' && words !== undefined ? [{ option: long, words }] : [],
    ),
  );
  return {
    name: program.name(),
    global: [...flagsOf(program.options), '--help'],
    commands: commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      words: unique([
        ...command.commands.flatMap((child) => [child.name(), ...flagsOf(child.options)]),
        ...flagsOf(command.options),
        ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      ]),
    })),
    pathOptions: unique(pathOptions),
    choices: [...new Map(choices.map((choice) => [choice.option, choice])).values()],
  };
}

function bash({ name, global, commands, pathOptions, choices }: Completable): string {
  const names = commands.map((command) => command.name);
  const reply = (words: string): string => `mapfile -t COMPREPLY < <(compgen ${words} -- "$current")`;
  return [
    `# bash completion of ${name}; written by \`${name} completion bash\``,
    `_${name}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" words="" word',
    '  COMPREPLY=()',
    `  case "$previous" in ${pathOptions.join('|')}) ${reply('-f')}; return ;; esac`,
    ...choices.map(
      ({ option, words }) =>
        `  case "$previous" in ${option}) ${reply(`-W "${words.join(' ')}"`)}; return ;; esac`,
    ),
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    `    case "$word" in ${names.join('|')}) command="$word"; break ;; esac`,
    '  done',
    '  case "$command" in',
    ...commands.map(
      (command) => `    ${command.name}) words="${[...command.words, ...global].join(' ')}" ;;`,
    ),
    `    *) words="${[...names, ...global].join(' ')}" ;;`,
    '  esac',
    `  ${reply('-W "$words"')}`,
    '}',
    `complete -F _${name} ${name}`,
  ].join('\n');
}

function zsh({ name, global, commands, pathOptions, choices }: Completable): string {
  const described = commands.map((command) => quoted(`${command.name}:${command.description}`));
  return [
    `#compdef ${name}`,
    `# zsh completion of ${name}; written by \`${name} completion zsh\``,
    `_${name}() {`,
    '  local command= word',
    `  local -a commands=(${described.join(' ')})`,
    '  case ${words[CURRENT-1]} in',
    `    (${pathOptions.join('|')}) _files; return ;;`,
    ...choices.map(({ option, words }) => `    (${option}) compadd -- ${words.join(' ')}; return ;;`),
    '  esac',
    '  for word in ${words[2,CURRENT-1]}; do',
    `    case $word in (${commands.map((command) => command.name).join('|')}) command=$word; break ;; esac`,
    '  done',
    '  case $command in',
    ...commands.map(
      (command) => `    (${command.name}) compadd -- ${[...command.words, ...global].join(' ')} ;;`,
    ),
    `    (*) _describe command commands; compadd -- ${global.join(' ')} ;;`,
    '  esac',
    '}',
    `if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  ].join('\n');
}

function fish({ name, global, commands, pathOptions, choices }: Completable): string {
  const line = (rest: string): string => `complete -c ${name} ${rest}`;
  const chosen = new Map(choices.map(({ option, words }) => [option, words]));
  const option = (flag: string): string => {
    const words = chosen.get(flag);
    const value = pathOptions.includes(flag)
      ? ' -rF'
      : words === undefined
        ? ''
        : ` -xa ${quoted(words.join(' '))}`;
    return `-l ${flag.slice(2)}${value}`;
  };
  return [
    `# fish completion of ${name}; written by \`${name} completion fish\``,
    line('-f'),
    ...global.map((flag) => line(option(flag))),
    ...commands.map((command) =>
      line(`-n __fish_use_subcommand -a ${command.name} -d ${quoted(command.description)}`),
    ),
    ...commands.flatMap((command) => {
      const after = `-n '__fish_seen_subcommand_from ${command.name}'`;
      return command.words.map((word) =>
        line(`${after} ${word.startsWith('--') ? option(word) : `-a ${word}`}`),
      );
    }),
  ].join('\n');
}

function flagsOf(options: readonly Option[]): string[] {
  return options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []));
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}

/** For zsh and fish alike: neither has another meaning inside of single quotes but for these two. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '').replaceAll("'", '’')}'`;
}
