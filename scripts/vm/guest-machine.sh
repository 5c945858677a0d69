#!/bin/sh
# The guest of `run.sh --machine` from its writable root on, as process 1: puts what talks to the outside (/mnt/vm/agent.sh) among its
# services, takes away what only waits or asks for a network, and goes on as systemd.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

units=/etc/systemd/system
mkdir -p $units/multi-user.target.wants
cat >$units/vm-agent.service <<'END'
[Unit]
Description=Runs what the test asks for
DefaultDependencies=no
After=sysinit.target

[Service]
ExecStart=/bin/sh /mnt/vm/agent.sh
StandardInput=null
KillMode=process
OOMScoreAdjust=-900
END
ln -sf ../vm-agent.service $units/multi-user.target.wants/vm-agent.service
for unit in getty@tty1.service serial-getty@ttyS0.service systemd-networkd-wait-online.service apt-daily.timer \
	apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer e2scrub_all.timer fstrim.timer; do
	ln -sf /dev/null $units/$unit
done
cat /mnt/vm/hostname >/etc/hostname
rm -f /etc/resolv.conf
: >/etc/fstab
exec /lib/systemd/systemd
