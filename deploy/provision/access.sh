#!/bin/sh
# Makes this Debian machine the access side of a BNG, for a lab: the simulated access node with its trunk, and subscribers behind
# it, each an ONT with a DHCP client in a network namespace. Run again, it changes what differs and nothing else (as root):
#   PACKAGE=bng_0.1.0_amd64.deb TRUNK=eth2 LISTEN=192.168.56.20:7000 SUBSCRIBERS=2 access.sh
# LISTEN is where the access node's management is served; the BNG's machine gets it as ACCESS_NODE.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"
require PACKAGE 'the package that make deb wrote'
require TRUNK 'the interface towards the BNG'
require LISTEN 'address:port for the access node'\''s management'

# The package brings the simulated access node; the BNG itself stays off here.
packages "$(realpath "$PACKAGE")" socat udhcpc curl iputils-ping ethtool iproute2

# Promiscuous: what comes for a customer's equipment bears its own MAC address.
interface "$TRUNK" <<END
[Link]
MTUBytes=1508
Promiscuous=yes
END
# Tags have to be in the frame, and checksums, before it leaves a virtual cable: XDP sees neither beside it.
offloads_off "$TRUNK" tx txvlan tx-vlan-stag-hw-insert rxvlan gro

place /usr/local/sbin/lab-subscriber 755 <"$here/lab-subscriber"

place /etc/systemd/system/lab-access-node.service <<END
[Unit]
Description=Simulated access node
After=network.target

[Service]
RuntimeDirectory=lab-access-node
ExecStart=/usr/lib/bng/bin/node /usr/lib/bng/dist/src/lab/olt-main.js '{"socketPath":"/run/lab-access-node/olt.sock","objectPath":"/usr/lib/bng/build/bpf/olt.bpf.o","trunk":"$TRUNK","aggregatorId":"agg-01","gardenSVlan":100,"sTagTpid":34984,"bounceMs":200}'
ExecStartPost=/bin/sh -c 'for i in \$(seq 300); do [ -S /run/lab-access-node/olt.sock ] && exit 0; sleep 0.1; done; exit 1'
Restart=on-failure

[Install]
WantedBy=multi-user.target
END
place /etc/systemd/system/lab-access-node-tcp.service <<END
[Unit]
Description=The access node's management at $LISTEN
After=lab-access-node.service
Requires=lab-access-node.service

[Service]
ExecStart=/usr/bin/socat TCP-LISTEN:${LISTEN##*:},bind=${LISTEN%:*},fork,reuseaddr UNIX-CONNECT:/run/lab-access-node/olt.sock
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
END
place /etc/systemd/system/lab-subscriber@.service <<END
[Unit]
Description=Subscriber %i
After=lab-access-node.service
Requires=lab-access-node.service
PartOf=lab-access-node.service

[Service]
ExecStart=/usr/local/sbin/lab-subscriber run %i
ExecStopPost=/usr/local/sbin/lab-subscriber remove %i
Restart=on-failure

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
units=/etc/systemd/system
serve lab-access-node.service $units/lab-access-node.service
serve lab-access-node-tcp.service $units/lab-access-node-tcp.service
for n in $(seq "${SUBSCRIBERS:-2}"); do
	serve "lab-subscriber@$n.service" $units/lab-subscriber@.service /usr/local/sbin/lab-subscriber
done
