#compdef bng
# zsh completion of bng; written by `bng completion zsh`
_bng() {
  local command= word
  local -a commands=('run:Serve the interfaces that the configuration names, until SIGINT or SIGTERM.' 'check:Check a configuration file and print every error with its path and line.' 'doctor:Look whether this machine is fit for the configuration, with a BNG running or not, and say for each failure what to type.' 'config:Help for who writes a configuration file.' 'demo:Play a whole ISP on this machine: real packets, real DHCP clients, nothing left behind.' 'lab:A lab to play in: an access node, ONTs with DHCP clients, a core, a BNG.' 'completion:Print the completion of bng for a shell.')
  case ${words[CURRENT-1]} in
    (--config) _files; return ;;
    (--scenario) compadd -- full-lifecycle; return ;;
  esac
  for word in ${words[2,CURRENT-1]}; do
    case $word in (run|check|doctor|config|demo|lab|completion) command=$word; break ;; esac
  done
  case $command in
    (run) compadd -- --config --teardown --help ;;
    (check) compadd -- --config --help ;;
    (doctor) compadd -- --config --json --help ;;
    (config) compadd -- init --config schema --help ;;
    (demo) compadd -- --scenario --subscribers --duration --radius --prefix --json --keep --help ;;
    (lab) compadd -- up --prefix --subscribers hold down --help ;;
    (completion) compadd -- bash zsh fish --help ;;
    (*) _describe command commands; compadd -- --help ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _bng "$@"; else compdef _bng bng; fi
