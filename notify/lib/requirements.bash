# What the shim needs of the machine, refused with what to do at start rather than found out during a failover.

require_curl() {
  local version
  command -v curl >/dev/null ||
    die 3 "curl is missing, expected 7.86 or newer: apt-get install curl, or dnf install curl"
  version=$(curl -q --version 2>/dev/null)
  [[ $version =~ ^curl\ ([0-9]+)\.([0-9]+) ]] || die 3 "cannot tell curl's version from \"${version%%$'\n'*}\", expected 7.86 or newer"
  if ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] < 7086)); then
    die 3 "curl is ${BASH_REMATCH[1]}.${BASH_REMATCH[2]}, expected 7.86 or newer, because older ones sign too few headers for AWS:" \
      "use Amazon Linux 2023, Debian 12, Ubuntu 24.04, RHEL 10 or newer, or install a newer curl and put it first on PATH"
  fi
}

# A file or folder that only its owner, who has to be us, may write.
require_private() {
  local -r path=$1 what=$2
  [[ -O $path ]] || die 2 "$what $path belongs to another user: it must be ours alone (chown)"
  local mode
  mode=$(stat -L -c %a -- "$path") || die 1 "cannot read \$what $path"
  (((8#$mode & 8#22) == 0)) || die 2 "$what $path has mode $mode, so that others may write it: chmod go-w $path"
}

require_folder() {
  [[ -d $1 ]] || mkdir -p -- "$1" || die 1 "cannot make $1, the folder of $2"
  require_private "$1" "the folder of $2"
}
