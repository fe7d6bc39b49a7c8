# What the shim needs of the machine, refused with what to install rather than found out during a failover.

require_curl() {
  local version
  command -v curl >/dev/null ||
    die 3 "curl is missing, want 7.86 or newer: apt-get install curl, or dnf install curl"
  version=$(curl -q --version 2>/dev/null)
  [[ $version =~ ^curl\ ([0-9]+)\.([0-9]+) ]] || die 3 "cannot tell curl's version from \"${version%%$'\n'*}\", want 7.86 or newer"
  if ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] < 7086)); then
    die 3 "curl is ${BASH_REMATCH[1]}.${BASH_REMATCH[2]}, want 7.86 or newer, because older ones sign too few headers for AWS:" \
      "use Amazon Linux 2023, Debian 12, Ubuntu 24.04, RHEL 10 or newer, or install a newer curl and put it first on PATH"
  fi
}
