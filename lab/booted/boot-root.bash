#!/usr/bin/env bash
# A Debian to boot instead of this machine's own (VIPSHIFT_BOOT_ROOT), with what a node has: prints its folder.
#
#   VIPSHIFT_BOOT_ROOT=$(lab/booted/boot-root.bash trixie) npm run lab -- life
#
# Needs root and debootstrap. It is made once, in .lab/debian, and kept; callers at the same time wait for one another.
set -euo pipefail

suite=${1:?usage: boot-root.bash bookworm|trixie}
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.lab/debian
kept=$home/$suite.boot
packages=systemd-sysv,dbus,iproute2,procps,curl,ca-certificates,keepalived,nginx-light,python3-minimal

mkdir -p "$home"
exec 9>"$kept.lock"
flock 9
if [[ ! -d $kept ]]; then
  draft=$kept.draft
  rm -rf --one-file-system "$draft"
  # It is used for a test and made again at any time: no wait for a disk, and no pages.
  mkdir -p "$draft/etc/dpkg/dpkg.cfg.d"
  printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' 'path-exclude=/usr/share/locale/*' \
    >"$draft/etc/dpkg/dpkg.cfg.d/lab"
  # What it mounts goes with it, however it ends.
  if ! unshare --mount --propagation private debootstrap --variant=minbase --include="$packages" "$suite" "$draft" >"$kept.log" 2>&1 9>&-; then
    tail -5 "$kept.log" >&2
    exit 1
  fi
  rm -rf "$draft"/etc/dpkg/dpkg.cfg.d/lab "$draft"/var/cache/apt/archives/*.deb "$draft"/var/lib/apt/lists/*
  mv "$draft" "$kept"
  printf '%s was made in %d s\n' "$kept" "$SECONDS" >&2
fi
printf '%s\n' "$kept"
