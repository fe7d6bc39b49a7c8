#!/bin/bash
# The first process of a booted machine's sandbox (lab/booted/booted-machine.ts): the hardware, with systemd-nspawn as its power.
#
# Arguments: NAME ROOT SEED CGROUP [nspawn option ...]. ROOT is the disk's lower layer, "/" or a folder with a Debian in it; what is in the
# folder SEED lies on top of it. The disk is kept over a reboot and a poweroff, and is gone with this process.
# A line on standard input switches the machine on; a line on descriptor 3 tells that it is off, and with which status.
#
# The network is the namespace that this was started in: nspawn's own would not survive a reboot.

set -eu
name=$1 root=$2 seed=$3 cgroup=$4
shift 4
readonly disk=/run/disk
# What nspawn ends with, under --keep-unit, when the machine asked for a reboot.
readonly REBOOT=133

# nspawn removes a folder of its own under /run at a reboot, and fails where /run is on a disk. SEED may lie under the old one.
exec 8<"$seed"
mount -t tmpfs tmpfs /run
mkdir -p $disk/{upper,work,root} /run/systemd/nspawn
mount -t overlay overlay -o "lowerdir=$root,upperdir=$disk/upper,workdir=$disk/work" $disk/root
# Only what systemd itself starts, none of the services that were enabled on it.
rm -rf $disk/root/etc/systemd/system/*.wants $disk/root/etc/init.d $disk/root/etc/rc?.d $disk/root/etc/fstab
printf '%s\n' "$name" >$disk/root/etc/hostname
printf '127.0.0.1 localhost %s\n' "$name" >$disk/root/etc/hosts
: >$disk/root/etc/machine-id
cp -a /proc/self/fd/8/. $disk/root/
exec 8<&-

# Version 2 alone, also where the host has version 1 or both: newer systemds refuse the old one.
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

# CAP_NET_ADMIN: a given namespace of the network otherwise drops it.
power_on() (
  printf '%s\n' $BASHPID >"/sys/fs/cgroup/$cgroup/cgroup.procs"
  uptime_s=$(cut -d. -f1 /proc/uptime)
  exec unshare --time --boottime "-$uptime_s" --monotonic "-$uptime_s" systemd-nspawn --quiet --boot --directory=$disk/root \
    --machine="$name" --hostname="$name" --register=no --keep-unit --network-namespace-path=/proc/self/ns/net \
    --capability=CAP_NET_ADMIN --resolv-conf=off --timezone=off --link-journal=no --console=pipe \
    --kill-signal=SIGRTMIN+3 "$@" </dev/null
)

while read -r _; do
  while :; do
    status=0
    power_on "$@" 3>&- || status=$?
    [[ $status == "$REBOOT" ]] || break
  done
  printf '%s\n' "$status" >&3
done
