# bash completion of bng; written by `bng completion bash`
_bng() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" words="" word
  COMPREPLY=()
  case "$previous" in --config) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;; esac
  case "$previous" in --scenario) mapfile -t COMPREPLY < <(compgen -W "full-lifecycle" -- "$current"); return ;; esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in run|check|doctor|config|demo|lab|completion) command="$word"; break ;; esac
  done
  case "$command" in
    run) words="--config --teardown --help" ;;
    check) words="--config --help" ;;
    doctor) words="--config --json --help" ;;
    config) words="init --config schema --help" ;;
    demo) words="--scenario --subscribers --duration --radius --prefix --json --keep --help" ;;
    lab) words="up --prefix --subscribers hold down --help" ;;
    completion) words="--help bash" ;;
    *) words="run check doctor config demo lab completion --help" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _bng bng
