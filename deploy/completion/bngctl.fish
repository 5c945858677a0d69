# fish completion of bngctl; written by `bngctl completion fish`
complete -c bngctl -f
complete -c bngctl -l json
complete -c bngctl -l socket -rF
complete -c bngctl -l url
complete -c bngctl -l token-file -rF
complete -c bngctl -l ca-file -rF
complete -c bngctl -l help
complete -c bngctl -n __fish_use_subcommand -a sessions -d 'list sessions in order of creation'
complete -c bngctl -n __fish_use_subcommand -a leases -d 'list the leases that clients hold'
complete -c bngctl -n __fish_use_subcommand -a session -d 'one session with everything that is known of it'
complete -c bngctl -n __fish_use_subcommand -a pools -d 'address pools and their use'
complete -c bngctl -n __fish_use_subcommand -a counters -d 'sessions by state, traffic in total, frames by verdict and drop reason'
complete -c bngctl -n __fish_use_subcommand -a drops -d 'frames by verdict, dropped ones by reason, stations refused on their line'
complete -c bngctl -n __fish_use_subcommand -a top -d 'the busiest subscribers, live; --once measures one second and ends'
complete -c bngctl -n __fish_use_subcommand -a radius -d 'RADIUS servers, round trips, the accounting queue and CoA'
complete -c bngctl -n __fish_use_subcommand -a health -d 'is the BNG ready, and if not, why'
complete -c bngctl -n __fish_use_subcommand -a subscribers -d 'subscribers as they stand in the kernel'
complete -c bngctl -n __fish_use_subcommand -a maps -d 'the maps of the dataplane'
complete -c bngctl -n __fish_use_subcommand -a map -d 'what a map holds, decoded'
complete -c bngctl -n __fish_use_subcommand -a nft -d 'the table of nftables as the kernel holds it'
complete -c bngctl -n __fish_use_subcommand -a events -d 'what happened to sessions; with --json one object a line'
complete -c bngctl -n __fish_use_subcommand -a trace -d 'follow one line: its DHCP messages with their verdicts, its session, a sample of its frames with what the dataplane decided, and each second what it counted'
complete -c bngctl -n __fish_use_subcommand -a activate -d 'activate a line out of the walled garden'
complete -c bngctl -n __fish_use_subcommand -a suspend -d 'put an active line back into the walled garden'
complete -c bngctl -n __fish_use_subcommand -a resume -d 'end a suspension'
complete -c bngctl -n __fish_use_subcommand -a terminate -d 'end the session'
complete -c bngctl -n __fish_use_subcommand -a drain -d 'let no new session begin; those that are there go on'
complete -c bngctl -n __fish_use_subcommand -a reload -d 'have the configuration read again, where the BNG can'
complete -c bngctl -n __fish_use_subcommand -a store -d 'the store of a BNG that is not running: check, export, import'
complete -c bngctl -n __fish_use_subcommand -a completion -d 'print the completion of bngctl for a shell'
complete -c bngctl -n '__fish_seen_subcommand_from sessions' -l pool
complete -c bngctl -n '__fish_seen_subcommand_from sessions' -l match
complete -c bngctl -n '__fish_seen_subcommand_from sessions' -l sort
complete -c bngctl -n '__fish_seen_subcommand_from sessions' -l columns
complete -c bngctl -n '__fish_seen_subcommand_from sessions' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from sessions' -l state -xa 'discovered wgar activating active suspended terminated'
complete -c bngctl -n '__fish_seen_subcommand_from leases' -l pool
complete -c bngctl -n '__fish_seen_subcommand_from leases' -l match
complete -c bngctl -n '__fish_seen_subcommand_from leases' -l sort
complete -c bngctl -n '__fish_seen_subcommand_from leases' -l columns
complete -c bngctl -n '__fish_seen_subcommand_from leases' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from session' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from pools' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from counters' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from drops' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from top' -l limit
complete -c bngctl -n '__fish_seen_subcommand_from top' -l once
complete -c bngctl -n '__fish_seen_subcommand_from radius' -l watch
complete -c bngctl -n '__fish_seen_subcommand_from subscribers' -l pins -rF
complete -c bngctl -n '__fish_seen_subcommand_from maps' -l pins -rF
complete -c bngctl -n '__fish_seen_subcommand_from map' -l pins -rF
complete -c bngctl -n '__fish_seen_subcommand_from nft' -l members
complete -c bngctl -n '__fish_seen_subcommand_from events' -l follow
complete -c bngctl -n '__fish_seen_subcommand_from events' -l limit
complete -c bngctl -n '__fish_seen_subcommand_from activate' -l pool
complete -c bngctl -n '__fish_seen_subcommand_from activate' -l service
complete -c bngctl -n '__fish_seen_subcommand_from activate' -l down
complete -c bngctl -n '__fish_seen_subcommand_from activate' -l up
complete -c bngctl -n '__fish_seen_subcommand_from suspend' -l reason
complete -c bngctl -n '__fish_seen_subcommand_from resume' -l reason
complete -c bngctl -n '__fish_seen_subcommand_from terminate' -l reason
complete -c bngctl -n '__fish_seen_subcommand_from drain' -l off
complete -c bngctl -n '__fish_seen_subcommand_from store' -a check
complete -c bngctl -n '__fish_seen_subcommand_from store' -l path -rF
complete -c bngctl -n '__fish_seen_subcommand_from store' -a export
complete -c bngctl -n '__fish_seen_subcommand_from store' -a import
complete -c bngctl -n '__fish_seen_subcommand_from completion' -a bash
complete -c bngctl -n '__fish_seen_subcommand_from completion' -a zsh
complete -c bngctl -n '__fish_seen_subcommand_from completion' -a fish
