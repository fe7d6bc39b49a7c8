#!/bin/bash
# The first process of a lab machine (lab/netns/sandbox/machine.ts): what systemd is to a real node.
#
# Arguments: DIRECTORY [NAME=FOLDER ...], folders to be seen as /run/machine/NAME, wherever they lie. It gives the machine a boot id, a /run, a /tmp and a disk of its own, holds the notify FIFO open
# as the socket unit does, and then carries out the lines of its standard input, the machine's serial console.
# Its end is the end of every process of the machine, as it is the first of their pid namespace.

set -u
directory=$1
shift
for binding in "$@"; do
  mount --bind "${binding#*=}" "$directory/run/machine/${binding%%=*}" || exit 1
done
mount --bind "$directory/boot_id" /proc/sys/kernel/random/boot_id || exit 1
mount --bind "$directory/disk" "$directory/run/disk" || exit 1
mount --rbind "$directory/run" /run || exit 1
mount -t tmpfs tmpfs /tmp || exit 1
cd / || exit 1

declare -A SUPERVISOR=()

# RESTART is `never` or the seconds to wait; the unit's own process id is in /run/unit.NAME.
unit() {
  local -r name=$1 restart=$2
  shift 2
  supervise "$name" "$restart" "$@" &
  SUPERVISOR[$name]=$!
}

supervise() {
  local -r name=$1 restart=$2
  local status
  shift 2
  trap - TERM
  while :; do
    "$@" 7<&- &
    printf '%s\n' $! >"/run/unit.$name"
    printf 'unit %s started\n' "$name"
    wait $!
    status=$?
    printf 'unit %s ended with status %s\n' "$name" "$status"
    [[ -x /run/machine/after.$name ]] && "/run/machine/after.$name"
    [[ $restart == never ]] && return
    sleep "$restart"
  done
}

# SIGNAL NAME: to the unit's own process only; what its supervisor does then is its restart policy.
strike() { kill "-$1" "$(<"/run/unit.$2")"; }

# As `systemctl stop`: no restart, SIGTERM, and reported when it is gone.
halt() {
  local -r name=$1
  kill -KILL "${SUPERVISOR[$name]}" 2>/dev/null
  local -r pid=$(<"/run/unit.$name")
  kill -TERM "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
  printf 'unit %s halted\n' "$name"
}

printf 'machine up\n'
while IFS= read -r line <&7; do
  eval "$line" 7<&-
  printf 'done: %s\n' "$line"
done 7<&0 </dev/null
