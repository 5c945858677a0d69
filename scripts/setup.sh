#!/bin/sh
# Brings a Debian 12 machine to the point where `make build` works: apt packages, bpffs, Node.js, node_modules.
# Installs only what is missing, and is silent and quick when nothing is. Holds no build step. SETUP=build leaves out what only
# tests, the lab and the running BNG need.
set -eu

cd "$(dirname "$0")/.."

packages=""
need() { packages="$packages $*"; }

# BPF programs: compiler, libbpf (for the addon too; it brings libelf and zlib), bpftool to link objects and dump BTF.
need clang libbpf-dev bpftool
# The addon: node-gyp needs make, python3 and a C++ compiler.
need g++ make python3
if [ "${SETUP:-}" != build ]; then
	# `make check` holds C and C++ against clang-format.
	need clang-format
	# The running BNG: nft, ip and tc, offload settings, flushing flows of a moved subscriber, sysctl and pgrep.
	need nftables iproute2 ethtool conntrack procps
	# The lab: three real DHCP clients, and what subscribers do with their lease.
	need udhcpc isc-dhcp-client dhcpcd-base iputils-ping curl iperf3 tcpdump
	# A real browser that meets the portal, and letters for it.
	need chromium fonts-dejavu-core
	# The real RADIUS server of the tests; its service stays off, each test starts its own on loopback.
	need freeradius freeradius-utils
	# The package is held against Debian's rules, and installed in a root of its own.
	need dpkg-dev lintian mmdebstrap
	# A BNG on a machine whose wall clock is wrong.
	need libfaketime
	# Completion is tested in the shells that complete.
	need zsh fish
	# Dashboards and alerts are tested by a real Prometheus; its service stays off too.
	need prometheus
fi
# npm over TLS.
need ca-certificates

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

# Prints those of its arguments that dpkg does not hold as installed.
missing_packages() {
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
	for package in "$@"; do
		echo "$installed" | grep -qxF "$package" || printf ' %s' "$package"
	done
}

apt_updated=no
apt_install() {
	command -v apt-get >/dev/null || die "needs these packages, and this is no Debian:$*"
	[ "$(id -u)" = 0 ] || die "needs root to install:$* (run: sudo make deps)"
	say "apt-get install $*"
	export DEBIAN_FRONTEND=noninteractive
	[ "$apt_updated" = yes ] || apt-get update -qq </dev/null
	apt_updated=yes
	# Debian starts the services of what it installs unless this hook forbids it; a DHCP client must not touch the host.
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		trap 'exit 130' INT TERM
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod +x /usr/sbin/policy-rc.d
	fi
	apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" </dev/null >.setup.log 2>&1 ||
		{ tail -n 20 .setup.log >&2; die "apt-get install did not succeed"; }
	rm -f .setup.log
}

# shellcheck disable=SC2086 # a list of package names is meant to be split
missing=$(missing_packages $packages)
# shellcheck disable=SC2086
[ -z "$missing" ] || apt_install $missing

# Pins live in bpffs; as an ordinary user one can still build and run the unit tests.
if [ "$(id -u)" = 0 ] && ! mountpoint -q /sys/fs/bpf; then
	say 'mounting /sys/fs/bpf'
	mount -t bpf bpf /sys/fs/bpf || say 'could not mount /sys/fs/bpf: nothing that loads BPF will run here'
fi

# Debian 12 has Node.js 18. The npm package of the node binary (not `node` itself, whose install script fetches) carries
# binary and headers in one archive, so nothing is downloaded later; an npm of its own, because Debian's runs on Node.js 18.
if ! env=$(scripts/env.sh); then
	case $(uname -m) in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*) die "no Node.js >= 20.19 with headers on PATH, and no npm package of it for $(uname -m)" ;;
	esac
	# shellcheck disable=SC2046
	command -v npm >/dev/null || apt_install $(missing_packages npm)
	say "installing Node.js 22 into .node"
	mkdir -p .node
	[ -e .node/package.json ] || echo '{ "private": true }' >.node/package.json
	npm install --prefix .node --no-audit --no-fund --loglevel=error "node-linux-$arch@22" npm@10 </dev/null >/dev/null
	env=$(scripts/env.sh) || die 'the Node.js of the npm registry does not run here'
fi
eval "$env"
PATH="$BNG_NODE_BIN:$PATH"

# Compared by content, not by time: git gives a checked-out lock file the time of the checkout. The copy is written last, so a
# broken-off install is done again. A linked node_modules belongs to another work tree, which npm ci would empty.
if [ ! -L node_modules ] && ! cmp -s package-lock.json node_modules/.bng-package-lock.json; then
	say 'npm ci'
	# better-sqlite3 is compiled where its binary cannot be downloaded: with the headers at hand, for those it would fetch too.
	npm_config_nodedir="$BNG_NODE_DIR" npm ci --no-audit --no-fund --loglevel=error </dev/null
	cp package-lock.json node_modules/.bng-package-lock.json
fi
