#!/usr/bin/env bash
# What a new contributor meets: the last commit on a bare Debian, as root, with Node, npm, git and python3 alone.
#
#   lab/machine/fresh-debian.bash bookworm                  npm ci && npm run demo && npm test
#   lab/machine/fresh-debian.bash trixie 'npm ci && npm run demo'
#
# Needs root and debootstrap. The bare system is kept in .lab/debian for the next time; what is done in a copy of it goes.
# All mounts and processes are in namespaces of their own, and end with this script. The network is the machine's.
# bookworm has no Node that is new enough, and gets the one of this machine.
set -euo pipefail

suite=${1:?usage: fresh-debian.bash bookworm|trixie [COMMAND]}
command=${2:-npm ci && npm run demo && npm test}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kept=$root/.lab/debian/$suite
fresh=$kept.fresh
authorities=/usr/local/share/ca-certificates/machine.crt

# Runs a command line inside the folder of a Debian. Not in the foreground: there bash would hear of a signal when it is over.
child=''
inside() {
  local -r place=$1 line=$2
  local status=0
  # shellcheck disable=SC2016 # Expanded by the inner shell.
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private bash -ec '
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/run"
    mount -t tmpfs tmpfs "$1/tmp"
    exec chroot "$1" env -i "${@:3}" bash -c "$2"
  ' bash "$place" "$line" "${variables[@]}" &
  child=$!
  wait "$child" || status=$?
  child=''
  return "$status"
}

# What runs inside dies with the first process of its namespace, and unshare ends when it has.
clean_up() {
  if [[ $child ]]; then
    xargs -r kill -KILL <"/proc/$child/task/$child/children" || true
    wait "$child" || true
  fi
  rm -rf --one-file-system "$fresh"
}

# The machine's proxies and authorities go along.
variables=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
for name in http_proxy https_proxy no_proxy VIPSHIFT_NO_INSTALL; do
  if [[ -n ${!name-} ]]; then variables+=("$name=${!name}"); fi
done
if [[ -n ${NODE_EXTRA_CA_CERTS-} ]]; then
  variables+=("NODE_EXTRA_CA_CERTS=$authorities" "PIP_CERT=$authorities")
fi

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

packages=(git python3)
if [[ $suite != bookworm ]]; then packages+=(nodejs npm); fi

if [[ ! -d $kept ]]; then
  draft=$kept.draft
  rm -rf --one-file-system "$draft"
  mkdir -p "$draft"
  debootstrap --variant=minbase "$suite" "$draft"
  cp --dereference /etc/resolv.conf /etc/hosts "$draft/etc/"
  apt-config dump Acquire >"$draft/etc/apt/apt.conf.d/99machine"
  if [[ -n ${NODE_EXTRA_CA_CERTS-} ]]; then
    mkdir -p "${draft}${authorities%/*}"
    cp --dereference "$NODE_EXTRA_CA_CERTS" "${draft}${authorities}"
  fi
  inside "$draft" "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages[*]} &&
    apt-get clean && rm -rf /var/lib/apt/lists/*"
  if [[ $suite == bookworm ]]; then
    mkdir -p "$draft/usr/local/lib/node_modules"
    cp --dereference "$(command -v node)" "$draft/usr/local/bin/node"
    cp -a "$(npm root -g)/npm" "$draft/usr/local/lib/node_modules/"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$draft/usr/local/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$draft/usr/local/bin/npx"
  fi
  mv "$draft" "$kept"
fi

rm -rf --one-file-system "$fresh"
cp -a "$kept" "$fresh"
git clone --quiet --no-hardlinks "$root" "$fresh/root/vipshift"
inside "$fresh" "cd /root/vipshift && $command"
