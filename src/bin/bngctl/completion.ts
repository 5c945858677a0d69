/** Shell completion, made from the commands themselves. Text only. */
import type { Command, Option } from 'commander';

/** Files and folders are what these take. */
const PATH_OPTION = /<(path|file|folder)>/;

function flagsOf(options: readonly Option[]): string[] {
  return options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]));
}

/** A script for bash: `eval "$(bngctl completion bash)"`, or a file in /etc/bash_completion.d. */
export function bashCompletion(program: Command): string {
  const name = program.name();
  const global = [...flagsOf(program.options), '--help'];
  const takers = [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ].flatMap((command) =>
    command.options.filter((option) => PATH_OPTION.test(option.flags)).map(({ long }) => long ?? ''),
  );
  const cases = program.commands.map((command) => {
    const below = command.commands.flatMap((child) => [child.name(), ...flagsOf(child.options)]);
    const words = [...new Set([...below, ...flagsOf(command.options), ...global, ...choicesOf(command)])];
    return `    ${command.name()}) words="${words.join(' ')}" ;;`;
  });
  return [
    `# bash completion of ${name}; written by \`${name} completion bash\``,
    `_${name}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" words="" word',
    '  COMPREPLY=()',
    `  case "$previous" in ${[...new Set(takers)].join('|')}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;; esac`,
    ...choiceCases(program),
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    `    case "$word" in ${program.commands.map((command) => command.name()).join('|')}) command="$word"; break ;; esac`,
    '  done',
    '  case "$command" in',
    ...cases,
    `    *) words="${[...program.commands.map((command) => command.name()), ...global].join(' ')}" ;;`,
    '  esac',
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
    '}',
    `complete -F _${name} ${name}`,
  ].join('\n');
}

/** Options that take one of a few words. */
function choiceCases(program: Command): string[] {
  const options = program.commands.flatMap((command) => command.options);
  return options.flatMap(({ long, argChoices }) =>
    long === undefined || long === null || argChoices === undefined
      ? []
      : [
          `  case "$previous" in ${long}) mapfile -t COMPREPLY < <(compgen -W "${argChoices.join(' ')}" -- "$current"); return ;; esac`,
        ],
  );
}

function choicesOf(command: Command): readonly string[] {
  return command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
}
