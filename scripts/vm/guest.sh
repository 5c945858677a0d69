#!/bin/sh
# The guest from its writable root on, as process 1: mounts what tests expect of a machine, runs the command that run.sh left in
# /mnt/vm, leaves its exit status there and powers off.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root TERM=dumb

mount -t tmpfs run /run
mkdir -p /run/netns /run/lock /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup /sys/fs/cgroup
# `ip netns` leaves mounts behind that are to be seen everywhere, as on a machine that systemd started.
mount --make-rshared /
hostname vm
# Nobody here loads drivers for what is found: network cards, if run.sh gives any. The firewall's are loaded before anybody waits for them.
modprobe virtio_net
modprobe -aq nf_tables nft_ct nft_fib_inet nft_chain_nat nft_redir nft_masq nft_reject_inet nf_conntrack_netlink
ip link set lo up

# No carriage returns: what is printed comes out of QEMU as it is.
stty -F /dev/ttyS1 raw
# A session of its own, so that what the command leaves behind cannot hold the console.
setsid sh /mnt/vm/command.sh </dev/null >/dev/ttyS1 2>&1
status=$?
echo "$status" >/mnt/vm/status
sync
echo o >/proc/sysrq-trigger
sleep 60
