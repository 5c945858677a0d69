#!/bin/sh
# Boots a stock Debian kernel in QEMU and runs a command there in the repository, with the host's own root under a layer in
# memory: `run.sh [--kernel 6.1|6.12] [--cpus N] [--memory MB] [--seconds N] -- COMMAND...`. What it prints comes out here, its
# exit status is ours; 124 when it took too long, 125 when the guest died. Nothing of the host is written to. Needs setup.sh.
# `--dist FOLDER` has it in the place of dist (scripts/vm/bundle.ts). `--cables N` gives it N cables (eth0-eth1, eth2-eth3, ...) of virtio-net with two queues. `--root FOLDER` takes another root; `--qemu 'ARGS'` adds to QEMU's. With `--machine FOLDER` instead of a command that root's own
# systemd is started, FOLDER is the guest's /mnt/vm, and what it holds as agent.sh talks over our standard input and output.
set -eu

repository=$(cd "$(dirname "$0")/../.." && pwd)
kernel=6.1
cpus=2
memory=3072
seconds=600
root=/
qemu=''
machine=''
dist=''
cables=0

usage() {
	sed -n '2,7s/^# //p' "$0" >&2
	exit 2
}

# Taps and the bridges between them want a network namespace of their own, which ends with us.
case "${VM_NAMESPACE:-} $* " in
own*) ;;
*' --cables '*) VM_NAMESPACE=own exec unshare --net "$0" "$@" ;;
esac

while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --cpus | --memory | --seconds | --cables | --root | --qemu | --machine | --dist)
		[ $# -ge 2 ] || usage
		name=${1#--}
		eval "$name=\$2"
		shift 2
		;;
	--) shift && break ;;
	*) usage ;;
	esac
done
[ $# -gt 0 ] || [ -n "$machine" ] || usage

files=$repository/build/vm/$kernel
[ -e "$files/initrd" ] || { echo "vm: no kernel $kernel in $files (scripts/vm/setup.sh $kernel)" >&2; exit 125; }

# The machine that builds this project has a /dev/kvm that boots only its own kernels (PVM), so KVM is asked for what it can do.
accelerator=tcg,thread=multi
cpu=max
if [ -w /dev/kvm ] && [ ! -e /sys/module/kvm_pvm ]; then
	accelerator=kvm
	cpu=host
fi

work=$(mktemp -d)
emulator=''
finish() {
	[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

quote() {
	for word in "$@"; do
		printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"
	done
}

control=$work/control
mkdir "$control"
cp "$repository/scripts/vm/guest.sh" "$control/guest.sh"
[ -n "$machine" ] || {
	printf 'cd %s || exit 125\n' "$(quote "$repository")"
	[ -z "$dist" ] || printf 'mount --bind %s dist || exit 125\n' "$(quote "$dist")"
	# What the caller decided about the tests holds in the guest too.
	for name in PATH CI BNG_LAB_PATIENCE BNG_TEST_SEED BNG_EMULATED; do
		eval "value=\${$name-}"
		[ -z "$value" ] || printf 'export %s=%s\n' "$name" "$(quote "$value")"
	done
	printf 'exec %s\n' "$(quote "$@")"
} >"$control/command.sh"
if [ -n "$machine" ]; then
	control=$machine
	cp "$repository/scripts/vm/guest-machine.sh" "$control/guest.sh"
fi
for cable in $(seq "$cables"); do
	ip link add "cable$cable" mtu 1600 type bridge ageing_time 0
	ip link set "cable$cable" up
	for end in a b; do
		tap=$end$cable
		ip tuntap add "$tap" mode tap multi_queue
		ip link set "$tap" mtu 1600 master "cable$cable" up
		qemu="$qemu -netdev tap,id=$tap,ifname=$tap,script=no,downscript=no,queues=2,vhost=off"
		qemu="$qemu -device virtio-net-pci,netdev=$tap,mq=on,vectors=6,romfile=,mac=52:54:00:0$cable:00:0$end"
	done
done
exec 3<&0
[ -n "$machine" ] || exec 3</dev/null

share() {
	printf -- '-fsdev local,id=%s,path=%s,security_model=none,multidevs=remap%s ' "$1" "$2" "$3"
	printf -- '-device virtio-9p-pci,fsdev=%s,mount_tag=%s ' "$1" "$1"
}

# no_timer_check: an emulated CPU that waits for a real one too long looks to the kernel like a timer that does not tick.
# What the kernel says goes to the first serial port and is shown when the guest dies, what the command says to the second.
# shellcheck disable=SC2046,SC2086 # share and --qemu are several words
timeout --foreground "$seconds" qemu-system-x86_64 \
	-machine q35 -accel "$accelerator" -cpu "$cpu" -smp "$cpus" -m "$memory" \
	-nodefaults -no-user-config -no-reboot -display none \
	-serial "file:$work/kernel.log" -serial stdio \
	-kernel "$files"/boot/vmlinuz-* -initrd "$files/initrd" \
	-append 'console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off no_timer_check net.ifnames=0' \
	$(share root "$root" ,readonly=on) $(share modules "$files/lib/modules" ,readonly=on) $(share control "$control" '') \
	-device virtio-rng-pci $qemu <&3 &
emulator=$!
ended=0
wait "$emulator" || ended=$?
emulator=''

if [ -e "$control/status" ]; then
	exit "$(cat "$control/status")"
fi
if [ "$ended" = 124 ]; then
	echo "vm: not done within $seconds s on $kernel" >&2
	exit 124
fi
tail -n 40 "$work/kernel.log" >&2
echo "vm: the guest died on $kernel (QEMU ended with $ended)" >&2
exit 125
