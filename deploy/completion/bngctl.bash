# bash completion of bngctl; written by `bngctl completion bash`
_bngctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" words="" word
  COMPREPLY=()
  case "$previous" in --socket|--token-file|--ca-file|--pins|--path) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;; esac
  case "$previous" in --state) mapfile -t COMPREPLY < <(compgen -W "discovered wgar activating active suspended terminated" -- "$current"); return ;; esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in sessions|leases|session|pools|counters|drops|top|radius|health|subscribers|maps|map|nft|events|trace|activate|suspend|resume|terminate|drain|reload|store|completion) command="$word"; break ;; esac
  done
  case "$command" in
    sessions) words="--pool --match --sort --columns --watch --state --json --socket --url --token-file --ca-file --help" ;;
    leases) words="--pool --match --sort --columns --watch --json --socket --url --token-file --ca-file --help" ;;
    session) words="--watch --json --socket --url --token-file --ca-file --help" ;;
    pools) words="--watch --json --socket --url --token-file --ca-file --help" ;;
    counters) words="--watch --json --socket --url --token-file --ca-file --help" ;;
    drops) words="--watch --json --socket --url --token-file --ca-file --help" ;;
    top) words="--limit --once --json --socket --url --token-file --ca-file --help" ;;
    radius) words="--watch --json --socket --url --token-file --ca-file --help" ;;
    health) words="--json --socket --url --token-file --ca-file --help" ;;
    subscribers) words="--pins --json --socket --url --token-file --ca-file --help" ;;
    maps) words="--pins --json --socket --url --token-file --ca-file --help" ;;
    map) words="--pins --json --socket --url --token-file --ca-file --help" ;;
    nft) words="--members --json --socket --url --token-file --ca-file --help" ;;
    events) words="--follow --limit --json --socket --url --token-file --ca-file --help" ;;
    trace) words="--json --socket --url --token-file --ca-file --help" ;;
    activate) words="--pool --service --down --up --json --socket --url --token-file --ca-file --help" ;;
    suspend) words="--reason --json --socket --url --token-file --ca-file --help" ;;
    resume) words="--reason --json --socket --url --token-file --ca-file --help" ;;
    terminate) words="--reason --json --socket --url --token-file --ca-file --help" ;;
    drain) words="--off --json --socket --url --token-file --ca-file --help" ;;
    reload) words="--json --socket --url --token-file --ca-file --help" ;;
    store) words="check --path export import --json --socket --url --token-file --ca-file --help" ;;
    completion) words="bash zsh fish --json --socket --url --token-file --ca-file --help" ;;
    *) words="sessions leases session pools counters drops top radius health subscribers maps map nft events trace activate suspend resume terminate drain reload store completion --json --socket --url --token-file --ca-file --help" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _bngctl bngctl
