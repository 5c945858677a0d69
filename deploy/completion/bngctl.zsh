#compdef bngctl
# zsh completion of bngctl; written by `bngctl completion zsh`
_bngctl() {
  local command= word
  local -a commands=('sessions:list sessions in order of creation' 'leases:list the leases that clients hold' 'session:one session with everything that is known of it' 'pools:address pools and their use' 'counters:sessions by state, traffic in total, frames by verdict and drop reason' 'drops:frames by verdict, dropped ones by reason, stations refused on their line' 'top:the busiest subscribers, live; --once measures one second and ends' 'radius:RADIUS servers, round trips, the accounting queue and CoA' 'health:is the BNG ready, and if not, why' 'subscribers:subscribers as they stand in the kernel' 'maps:the maps of the dataplane' 'map:what a map holds, decoded' 'nft:the table of nftables as the kernel holds it' 'events:what happened to sessions; with --json one object a line' 'trace:follow one line: its DHCP messages with their verdicts, its session, a sample of its frames with what the dataplane decided, and each second what it counted' 'activate:activate a line out of the walled garden' 'suspend:put an active line back into the walled garden' 'resume:end a suspension' 'terminate:end the session' 'drain:let no new session begin; those that are there go on' 'reload:have the configuration read again, where the BNG can' 'store:the store of a BNG that is not running: check, export, import' 'completion:print the completion of bngctl for a shell')
  case ${words[CURRENT-1]} in
    (--socket|--token-file|--ca-file|--pins|--path) _files; return ;;
    (--state) compadd -- discovered wgar activating active suspended terminated; return ;;
  esac
  for word in ${words[2,CURRENT-1]}; do
    case $word in (sessions|leases|session|pools|counters|drops|top|radius|health|subscribers|maps|map|nft|events|trace|activate|suspend|resume|terminate|drain|reload|store|completion) command=$word; break ;; esac
  done
  case $command in
    (sessions) compadd -- --pool --match --sort --columns --watch --state --json --socket --url --token-file --ca-file --help ;;
    (leases) compadd -- --pool --match --sort --columns --watch --json --socket --url --token-file --ca-file --help ;;
    (session) compadd -- --watch --json --socket --url --token-file --ca-file --help ;;
    (pools) compadd -- --watch --json --socket --url --token-file --ca-file --help ;;
    (counters) compadd -- --watch --json --socket --url --token-file --ca-file --help ;;
    (drops) compadd -- --watch --json --socket --url --token-file --ca-file --help ;;
    (top) compadd -- --limit --once --json --socket --url --token-file --ca-file --help ;;
    (radius) compadd -- --watch --json --socket --url --token-file --ca-file --help ;;
    (health) compadd -- --json --socket --url --token-file --ca-file --help ;;
    (subscribers) compadd -- --pins --json --socket --url --token-file --ca-file --help ;;
    (maps) compadd -- --pins --json --socket --url --token-file --ca-file --help ;;
    (map) compadd -- --pins --json --socket --url --token-file --ca-file --help ;;
    (nft) compadd -- --members --json --socket --url --token-file --ca-file --help ;;
    (events) compadd -- --follow --limit --json --socket --url --token-file --ca-file --help ;;
    (trace) compadd -- --json --socket --url --token-file --ca-file --help ;;
    (activate) compadd -- --pool --service --down --up --json --socket --url --token-file --ca-file --help ;;
    (suspend) compadd -- --reason --json --socket --url --token-file --ca-file --help ;;
    (resume) compadd -- --reason --json --socket --url --token-file --ca-file --help ;;
    (terminate) compadd -- --reason --json --socket --url --token-file --ca-file --help ;;
    (drain) compadd -- --off --json --socket --url --token-file --ca-file --help ;;
    (reload) compadd -- --json --socket --url --token-file --ca-file --help ;;
    (store) compadd -- check --path export import --json --socket --url --token-file --ca-file --help ;;
    (completion) compadd -- bash zsh fish --json --socket --url --token-file --ca-file --help ;;
    (*) _describe command commands; compadd -- --json --socket --url --token-file --ca-file --help ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _bngctl "$@"; else compdef _bngctl bngctl; fi
