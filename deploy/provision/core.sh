#!/bin/sh
# Makes this Debian machine the core that a BNG needs, for a lab: FreeRADIUS, Prometheus, a web server, and routes to the
# subscribers. Run again, it changes what differs and nothing else (as root):
#   CORE=eth2 CORE_ADDRESS=198.51.100.1/30 BNG=198.51.100.2 BNG_METRICS=192.168.56.10:9090 RADIUS_SECRET=... USERS=users core.sh
# WEB_ADDRESSES="192.0.2.80 203.0.113.10": where the web server is; SUBSCRIBERS=10.0.0.0/8: what lies behind the BNG.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/provision/common.sh"
require CORE 'the interface towards the BNG'
require CORE_ADDRESS 'the address of this machine there with its prefix length'
require BNG 'the address of the BNG there'
require BNG_METRICS 'host:port where the BNG serves its metrics'
require RADIUS_SECRET 'the secret that the BNG and FreeRADIUS share'
require USERS 'a file of users(5) for FreeRADIUS'
subscribers=${SUBSCRIBERS:-10.0.0.0/8}
web=${WEB_ADDRESSES:-192.0.2.80 203.0.113.10}

packages freeradius freeradius-utils prometheus nginx-light curl ethtool

interface "$CORE" <<END
[Network]
Address=$CORE_ADDRESS
$(for address in $web; do echo "Address=$address/32"; done)

[Route]
Destination=$subscribers
Gateway=$BNG
END
# A BNG with virtio and the like redirects frames in XDP, where nobody completes a checksum.
offloads_off "$CORE" tx

radius=/etc/freeradius/3.0
place $radius/dictionary.bng 640 root:freerad <"$here/freeradius/dictionary.bng"
grep -v '^\$INCLUDE dictionary.bng$' $radius/dictionary >/run/provision-dictionary
{
	cat /run/provision-dictionary
	# shellcheck disable=SC2016 # FreeRADIUS' own $
	echo '$INCLUDE dictionary.bng'
} | place $radius/dictionary 640 root:freerad
sed "s|127\.0\.0\.1|${BNG}|; s|change-me-to-32-random-bytes|$RADIUS_SECRET|" "$here/freeradius/clients.conf" |
	place $radius/clients.conf 640 root:freerad
place $radius/sites-available/bng 640 root:freerad <"$here/freeradius/site-bng"
place $radius/mods-config/files/authorize 640 root:freerad <"$USERS"
rm -f $radius/sites-enabled/default $radius/sites-enabled/inner-tunnel $radius/mods-enabled/eap
ln -sfn ../sites-available/bng $radius/sites-enabled/bng
serve freeradius.service $radius

place /etc/prometheus/alerts.yml <"$here/../grafana/prometheus/alerts.yml"
sed "s|targets: \[127\.0\.0\.1:9090\]|targets: [$BNG_METRICS]|" "$here/../grafana/prometheus/prometheus.yml" |
	place /etc/prometheus/prometheus.yml
serve prometheus.service /etc/prometheus

rm -f /etc/nginx/sites-enabled/default
# shellcheck disable=SC2016 # nginx' own $
place /etc/nginx/conf.d/lab.conf <<'END'
# Says who asks: a page that came through the BNG names the subscriber's address.
server {
	listen 80;
	default_type text/plain;
	location / { return 200 "client $remote_addr\n"; }
}
END
serve nginx.service /etc/nginx
