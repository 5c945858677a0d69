#!/bin/sh
# Writes a minimal Debian 12 with systemd, with what our package depends on, and what deploy/container/Dockerfile installs, as a tar
# file: `test-root.sh FILE`. Needs a network.
set -eu

file=${1:?the file to write}
images=$(dirname "$0")/../../deploy/container
packages=$(cat "$images/packages" "$images/packages-demo" | paste -sd, -),systemd,systemd-sysv,dbus,nftables,iproute2,ethtool,conntrack,adduser,libbpf1,libstdc++6,iputils-ping,udhcpc
echo 'debian root'
mkdir -p "$(dirname "$file")"
rm -f "$file.part"
mmdebstrap --quiet --variant=minbase --format=tar --include="$packages" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	bookworm "$file.part" http://deb.debian.org/debian
mv "$file.part" "$file"
