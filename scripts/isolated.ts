// The command that gives what it runs a machine of its own as far as names go: network, mount and pid namespaces with their own
// /run, /sys, bpffs and temporary folder. When it ends, or whoever started it is killed, all that is in it goes. Starts nothing.

/**
 * Wraps `command`; as root only. `temporary` is an empty folder that it sees as TMPDIR, in memory. The exit status is the command's,
 * 128 and its number for a signal.
 */
export function isolated(command: readonly string[], temporary: string): string[] {
  return [
    // With whoever starts this goes `unshare`, with that the namespace's first process, and with that every other one.
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['sh', '-euc', SETUP, 'isolated', temporary, ...command],
  ];
}

// The shell stays the first process, which adopts and reaps orphans. The new /sys shows the new network namespace.
const SETUP = `mount -t tmpfs none /run
mount -t sysfs none /sys
mount -t bpf none /sys/fs/bpf
mount -t tmpfs none "$1"
ip link set lo up
export TMPDIR="$1"
shift
set +e
"$@"
exit $?`;
