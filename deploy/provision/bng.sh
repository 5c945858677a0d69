#!/bin/sh
# Makes this Debian machine a BNG, or brings it up to date; run again, it changes what differs and nothing else (as root):
#   PACKAGE=bng_0.1.0_amd64.deb ACCESS=eth2 CORE=eth3 CORE_ADDRESS=198.51.100.2/30 CORE_GATEWAY=198.51.100.1 bng.sh
# CONFIG=bng.yaml becomes /etc/bng/bng.yaml; without it what is there stays. RADIUS_SECRET goes to /etc/bng/radius.secret.
# ACCESS_NODE=HOST:PORT, where an access node's management is reached by TCP, becomes the unix socket of olt.socket.
set -eu
. "$(dirname "$0")/common.sh"
require PACKAGE 'the package that make deb wrote'
require ACCESS 'the interface towards the access node'
require CORE 'the interface towards the core'
require CORE_ADDRESS 'the address of the core interface with its prefix length'
require CORE_GATEWAY 'the next hop in the core'

packages "$(realpath "$PACKAGE")" ${ACCESS_NODE:+socat}

# Two tags are eight bytes more. The BNG gives the interface what addresses and routes it needs.
interface "$ACCESS" <<END
[Link]
MTUBytes=1508
END
interface "$CORE" <<END
[Network]
Address=$CORE_ADDRESS
Gateway=$CORE_GATEWAY
END
offloads_off "$ACCESS" rxvlan gro lro
offloads_off "$CORE" gro lro

if [ -n "${RADIUS_SECRET:-}" ]; then
	echo "$RADIUS_SECRET" | place /etc/bng/radius.secret 600 bng:bng
fi
if [ -n "${CONFIG:-}" ]; then
	bng check -c "$CONFIG" || die "$CONFIG is not sound"
	place /etc/bng/bng.yaml 640 root:bng <"$CONFIG"
fi
bng check || die '/etc/bng/bng.yaml is not sound'

if [ -n "${ACCESS_NODE:-}" ]; then
	place /etc/systemd/system/bng-access-node.service <<-END
		[Unit]
		Description=The access node's management at $ACCESS_NODE as a unix socket
		After=network.target

		[Service]
		User=bng
		Group=bng
		RuntimeDirectory=bng-access-node
		ExecStart=/usr/bin/socat UNIX-LISTEN:/run/bng-access-node/olt.sock,fork,unlink-early TCP:$ACCESS_NODE,connect-timeout=5
		Restart=always

		[Install]
		WantedBy=multi-user.target
	END
	systemctl daemon-reload
	serve bng-access-node.service /etc/systemd/system/bng-access-node.service
fi

serve bng.service /etc/bng
bngctl health
