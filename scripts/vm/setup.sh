#!/bin/sh
# Brings a Debian machine to the point where run.sh works: QEMU, and for each kernel series asked for (`setup.sh 6.1 6.12`) a
# stock Debian kernel with its modules and a tiny initrd in build/vm/SERIES. The word `vagrant` among them brings Vagrant with its
# provider for libvirt. Does only what is missing; boots nothing.
set -eu

cd "$(dirname "$0")/../.."

say() { echo "vm: $*"; }
die() { echo "vm: $*" >&2; exit 1; }

[ "$(uname -m)" = x86_64 ] || die "the VM lab knows x86_64 alone, this is $(uname -m)"
command -v apt-get >/dev/null || die 'fetches its kernels with apt, and this is no Debian'

need() { command -v "$1" >/dev/null || missing="$missing $2"; }
missing=''
need qemu-system-x86_64 qemu-system-x86
need busybox busybox
need cpio cpio
# Not for us alone: in the guest the kernel itself calls modprobe for what it wants, from the host's root.
need modprobe kmod
need xz xz-utils
case " $* " in
*' vagrant '*)
	need vagrant vagrant
	dpkg-query -W vagrant-libvirt >/dev/null 2>&1 || missing="$missing vagrant-libvirt"
	;;
esac
if [ -n "$missing" ]; then
	[ "$(id -u)" = 0 ] || die "needs root to install:$missing"
	say "apt-get install$missing"
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # a list of package names is meant to be split
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } </dev/null >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; rm -f "$log"; die 'apt-get did not succeed'; }
	rm -f "$log"
fi

# The newest generic kernel of a series: the cloud flavour lacks 9p and PPP, rt is another scheduler, unsigned is the same thing.
newest_package() {
	pattern=$(echo "$1" | sed 's/\./\\./g')
	apt-cache pkgnames "linux-image-$1." | grep -E "^linux-image-$pattern\.[0-9]+([+~][a-z0-9.+~]+)?(-[0-9]+)?-amd64\$" |
		sort -V | tail -n 1
}

fetch() {
	series=$1
	target=build/vm/$series
	[ ! -e "$target/package" ] || return 0
	package=$(newest_package "$series")
	[ -n "$package" ] || die "apt offers no generic kernel $series (apt-get update?)"
	say "fetching $package"
	rm -rf "$target" "$target.part"
	mkdir -p "$target.part"
	# Apt drops its privileges to _apt, which cannot write into a folder of root's and only warns of it.
	(cd "$target.part" && apt-get download -qq -o APT::Sandbox::User=root "$package")
	dpkg-deb -x "$target.part"/*.deb "$target.part"
	rm -f "$target.part"/*.deb
	release=$(basename "$target.part"/lib/modules/*)
	depmod -b "$target.part" "$release"
	echo "$package" >"$target.part/package"
	echo "$release" >"$target.part/release"
	mv "$target.part" "$target"
}

# The initrd holds what it takes to reach the host's root over 9p; every other module comes from there when it is asked for.
make_initrd() {
	target=build/vm/$1
	[ ! -e "$target/initrd" ] || [ scripts/vm/init -nt "$target/initrd" ] || [ "$0" -nt "$target/initrd" ] || return 0
	release=$(cat "$target/release")
	tree=$(mktemp -d)
	mkdir -p "$tree/bin" "$tree/modules" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/host" "$tree/memory" "$tree/root"
	busybox=$(command -v busybox)
	cp "$busybox" "$tree/bin/busybox"
	# Debian's two busybox packages exclude each other and one is not static: it brings its libraries.
	for library in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*'); do
		mkdir -p "$tree$(dirname "$library")"
		cp -L "$library" "$tree$library"
	done
	cp scripts/vm/init "$tree/init"
	chmod +x "$tree/init"
	for module in virtio_pci virtio_rng 9pnet_virtio 9p overlay; do
		modprobe -d "$target" -S "$release" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$tree/paths"
	while read -r path; do
		name=$(basename "$path")
		case $path in
		*.xz) name=${name%.xz} && xz -dc "$path" >"$tree/modules/$name" ;;
		*) cp "$path" "$tree/modules/$name" ;;
		esac
		echo "$name" >>"$tree/modules/order"
	done <"$tree/paths"
	rm "$tree/paths"
	(cd "$tree" && find . | cpio -o -H newc --quiet) | gzip -1 >"$target/initrd.part"
	mv "$target/initrd.part" "$target/initrd"
	rm -rf "$tree"
}

[ $# -gt 0 ] || set -- 6.1 6.12
for series in "$@"; do
	[ "$series" != vagrant ] || continue
	fetch "$series"
	make_initrd "$series"
done
