#!/bin/sh
# `make test-vm`: runs the tests that touch the kernel on stock kernels, one after the other, and prints what passed on each:
# `test.sh [SERIES...]`. ONLY=text takes the files of the native, bpf, lab and stock tiers whose path holds it, instead of the
# choice below. Exit status 1 when a kernel failed, was not done in time, or ran nothing. Needs what `make build` builds.
set -u

cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- 6.1 6.12

# All that meets verifier, helpers, netlink and nft. The tests of the whole house need a CPU that is not emulated: they start
# seven programs in Node.js each, and TCG takes 10 to 30 s for one. Run.sh judges KVM by the same two files.
chosen='test/native/ test/bpf/ test/stock/ lab/dataplane-'
if [ -w /dev/kvm ] && [ ! -e /sys/module/kvm_pvm ]; then
	chosen="$chosen lab/lifecycle-flow lab/garden-bypass lab/guard-source"
	BNG_LAB_PATIENCE=${BNG_LAB_PATIENCE:-2}
else
	echo 'vm: no KVM, so lifecycle-flow, garden-bypass and guard-source are left out'
fi
[ -z "${ONLY:-}" ] || chosen=$ONLY
only=''
for text in $chosen; do
	only="$only --only $text"
done

# An emulated CPU on a shared machine; src/lab/patience.ts says what this multiplies.
BNG_LAB_PATIENCE=${BNG_LAB_PATIENCE:-6}
export BNG_LAB_PATIENCE
# Two kernels and two boots stay below 25 minutes. The tests are told to stop a minute before, so that they say what failed.
seconds=${VM_SECONDS:-730}

scripts/vm/setup.sh "$@" || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

worst=0
for series in "$@"; do
	echo "== $(cat "build/vm/$series/package")"
	started=$(date +%s)
	# A pipe would hide the exit status: it goes through a file.
	{
		# shellcheck disable=SC2086 # a list of arguments is meant to be split
		scripts/vm/run.sh --kernel "$series" --cables 2 --seconds "$seconds" -- \
			timeout --foreground -s TERM $((seconds - 60)) node dist/scripts/run-tests.js native bpf stock lab $only
		echo $? >"$work/status"
	} 2>&1 | tee "$work/output"
	status=$(cat "$work/status")
	tally=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/output" | tail -n 1)
	case $status in
	0) verdict=ok ;;
	124) verdict="FAILED, not done within $seconds s" && worst=1 ;;
	*) verdict="FAILED, exit status $status" && worst=1 ;;
	esac
	echo "$series: ${tally:-no result}, $verdict, $(($(date +%s) - started)) s" >>"$work/summary"
done

echo
cat "$work/summary"
exit "$worst"
