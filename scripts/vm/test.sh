#!/bin/sh
# `make test-vm`: runs the tests that touch the kernel on stock kernels, one after the other, and prints what passed on each:
# `test.sh [SERIES...]`: the native, bpf, stock and lab tiers, of which ONLY='TEXT...' takes the files whose path holds a text. Exit
# status 1 when a kernel failed, was not done in time, or ran nothing. Needs what `make build` builds.
set -u

cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- 6.1 6.12

chosen=${ONLY:-}
# Run.sh judges KVM by the same two files. Without it some files mean nothing (scripts/test-order.ts).
if [ -w /dev/kvm ] && [ ! -e /sys/module/kvm_pvm ]; then
	BNG_LAB_PATIENCE=${BNG_LAB_PATIENCE:-2}
else
	export BNG_EMULATED=1
fi
only=''
for text in $chosen; do
	only="$only --only $text"
done

# An emulated CPU on a shared machine; src/lab/patience.ts says what this multiplies.
BNG_LAB_PATIENCE=${BNG_LAB_PATIENCE:-10}
export BNG_LAB_PATIENCE
# All of it takes most of an hour on an emulated CPU. The tests are told to stop a minute before, so that they say what failed.
seconds=${VM_SECONDS:-3600}

scripts/vm/setup.sh "$@" || exit 1
# shellcheck disable=SC2086 # a list of texts is meant to be split
node dist/scripts/vm/bundle.js build/vm/dist $chosen || exit 1

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
		scripts/vm/run.sh --kernel "$series" --dist build/vm/dist --cables 2 --seconds "$seconds" -- \
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
