# fish completion of bng; written by `bng completion fish`
complete -c bng -f
complete -c bng -l help
complete -c bng -n __fish_use_subcommand -a run -d 'Serve the interfaces that the configuration names, until SIGINT or SIGTERM.'
complete -c bng -n __fish_use_subcommand -a check -d 'Check a configuration file and print every error with its path and line.'
complete -c bng -n __fish_use_subcommand -a doctor -d 'Look whether this machine is fit for the configuration, with a BNG running or not, and say for each failure what to type.'
complete -c bng -n __fish_use_subcommand -a config -d 'Help for who writes a configuration file.'
complete -c bng -n __fish_use_subcommand -a demo -d 'Play a whole ISP on this machine: real packets, real DHCP clients, nothing left behind.'
complete -c bng -n __fish_use_subcommand -a lab -d 'A lab to play in: an access node, ONTs with DHCP clients, a core, a BNG.'
complete -c bng -n __fish_use_subcommand -a completion -d 'Print the completion of bng for a shell.'
complete -c bng -n '__fish_seen_subcommand_from run' -l config -rF
complete -c bng -n '__fish_seen_subcommand_from run' -l teardown
complete -c bng -n '__fish_seen_subcommand_from check' -l config -rF
complete -c bng -n '__fish_seen_subcommand_from doctor' -l config -rF
complete -c bng -n '__fish_seen_subcommand_from doctor' -l json
complete -c bng -n '__fish_seen_subcommand_from config' -a init
complete -c bng -n '__fish_seen_subcommand_from config' -l config -rF
complete -c bng -n '__fish_seen_subcommand_from config' -a schema
complete -c bng -n '__fish_seen_subcommand_from demo' -l scenario -xa 'full-lifecycle'
complete -c bng -n '__fish_seen_subcommand_from demo' -l subscribers
complete -c bng -n '__fish_seen_subcommand_from demo' -l duration
complete -c bng -n '__fish_seen_subcommand_from demo' -l radius
complete -c bng -n '__fish_seen_subcommand_from demo' -l prefix
complete -c bng -n '__fish_seen_subcommand_from demo' -l json
complete -c bng -n '__fish_seen_subcommand_from demo' -l keep
complete -c bng -n '__fish_seen_subcommand_from lab' -a up
complete -c bng -n '__fish_seen_subcommand_from lab' -l prefix
complete -c bng -n '__fish_seen_subcommand_from lab' -l subscribers
complete -c bng -n '__fish_seen_subcommand_from lab' -a hold
complete -c bng -n '__fish_seen_subcommand_from lab' -a down
complete -c bng -n '__fish_seen_subcommand_from completion' -a bash
complete -c bng -n '__fish_seen_subcommand_from completion' -a zsh
complete -c bng -n '__fish_seen_subcommand_from completion' -a fish
