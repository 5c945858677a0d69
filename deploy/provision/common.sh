# What the provisioning scripts share: packages, files that are written only when they differ, interfaces by systemd-networkd.
# Sourced, never run.

say() { echo "provision: $*"; }
die() { echo "provision: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die 'needs root'
command -v apt-get >/dev/null || die 'knows Debian and its like only: apt-get is missing'

# Ends with a message unless the variable of that name is set: `require NAME 'what it is'`.
require() {
	eval "[ -n \"\${$1:-}\" ]" || die "expected $1=$2"
}

# Installs packages and package files; those that are there in that version stay as they are.
packages() {
	export DEBIAN_FRONTEND=noninteractive
	# Lists may be missing on a fresh machine, or old; without a network the old ones have to do.
	[ -e /run/provision-apt-updated ] || apt-get update -qq || say 'apt-get update did not succeed'
	: >/run/provision-apt-updated
	apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# Files that were written anew, one a line: a file, since one end of a pipe cannot tell the other.
written=$(mktemp)
trap 'rm -f "$written"' EXIT

# Makes a file hold what comes in on standard input: `place FILE [MODE [OWNER:GROUP]]`. One that holds it already is left alone.
place() {
	new=$(mktemp "$(dirname "$1")/.provision.XXXXXX")
	cat >"$new"
	if cmp -s "$new" "$1"; then
		rm -f "$new"
	else
		say "writes $1"
		mv -f "$new" "$1"
		echo "$1" >>"$written"
	fi
	chmod "${2:-644}" "$1"
	chown "${3:-root:root}" "$1"
}

# Whether one of these files, or one below these folders, was written in this run.
changed() {
	for path in "$@"; do
		! grep -qE "^$path(/|\$)" "$written" || return 0
	done
	return 1
}

# Ends with what a service that did not start has said.
tell_why() {
	journalctl --no-pager --lines=40 --unit="$1" >&2 || true
	die "$1 did not start"
}

# Has a service run now and after every boot, with the files named after it as they are now: `serve UNIT FILE...`.
serve() {
	unit=$1
	shift
	systemctl --quiet enable "$unit"
	if systemctl --quiet is-active "$unit"; then
		! changed "$@" || { say "restarts $unit" && systemctl restart "$unit"; } || tell_why "$unit"
	else
		say "starts $unit"
		systemctl start "$unit" || tell_why "$unit"
	fi
}

# Sets an interface up for good, cable or not: `interface NAME <<END` with the sections of systemd.network(5) but for [Match].
interface() {
	mkdir -p /etc/systemd/network /etc/systemd/networkd.conf.d
	# Addresses and routes that the BNG sets are its own affair.
	printf '[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n' |
		place /etc/systemd/networkd.conf.d/50-provision.conf
	{
		printf '[Match]\nName=%s\n\n[Network]\nLinkLocalAddressing=no\nConfigureWithoutCarrier=yes\n\n' "$1"
		cat
	} | place "/etc/systemd/network/50-$1.network"
	serve systemd-networkd.service /etc/systemd/networkd.conf.d /etc/systemd/network
	/lib/systemd/systemd-networkd-wait-online --quiet --interface="$1:no-carrier" --timeout=60 ||
		die "$1 is not configured: networkctl status $1"
}

# Switches offloads of an interface off, now and at every boot: `offloads_off NAME FEATURE...` in ethtool's words. Those that its
# driver does not have, or cannot switch, are named and left.
offloads_off() {
	name=$1
	shift
	for feature in "$@"; do
		ethtool -K "$name" "$feature" off >/dev/null 2>&1 || say "$name cannot switch $feature"
	done
	place "/etc/systemd/system/offloads-$name.service" <<-END
		[Unit]
		Description=Offloads of $name that XDP forbids
		BindsTo=sys-subsystem-net-devices-$name.device
		After=sys-subsystem-net-devices-$name.device

		[Service]
		Type=oneshot
		RemainAfterExit=yes
		$(for feature in "$@"; do echo "ExecStart=-/usr/sbin/ethtool -K $name $feature off"; done)

		[Install]
		WantedBy=sys-subsystem-net-devices-$name.device
	END
	systemctl daemon-reload
	systemctl --quiet enable "offloads-$name.service"
}
