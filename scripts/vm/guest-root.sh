#!/bin/sh
# Writes the disk of a fresh Debian 12 machine as a tar file, for `make test-vagrant`: `guest-root.sh FILE`. What a Vagrant box
# would hold and little else; what the provisioning scripts install lies in apt's cache, since the guests have no way out. Needs a network.
set -eu

file=${1:?the file to write}
box=systemd,systemd-sysv,udev,dbus,iproute2,iputils-ping,procps,kmod,ca-certificates
# What deploy/provision/*.sh and our package ask apt for.
wanted='nftables ethtool conntrack adduser libbpf1 libstdc++6 socat udhcpc curl freeradius freeradius-utils prometheus nginx-light'
echo 'guest root'
mkdir -p "$(dirname "$file")"
rm -f "$file.part"
mmdebstrap --quiet --variant=minbase --format=tar --include="$box" \
	--skip=cleanup/apt \
	--customize-hook='chroot "$1" apt-get update -qq' \
	--customize-hook="chroot \"\$1\" apt-get install -y -qq --no-install-recommends --download-only $wanted" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	bookworm "$file.part" http://deb.debian.org/debian
mv "$file.part" "$file"
