# What the shim needs of the machine, refused with what to do at start rather than found out during a failover.

require_curl() {
  local version
  command -v curl >/dev/null ||
    die 3 "curl is missing, expected 7.86 or newer: apt-get install curl, or dnf install curl"
  version=$(curl -q --version 2>/dev/null)
  judge_curl "$version"
}

# What `curl --version` printed.
judge_curl() {
  [[ $1 =~ ^curl\ ([0-9]+)\.([0-9]+) ]] || die 3 "cannot tell curl's version from \"${1%%$'\n'*}\", expected 7.86 or newer"
  if ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] < 7086)); then
    die 3 "curl is ${BASH_REMATCH[1]}.${BASH_REMATCH[2]}, expected 7.86 or newer, because older ones sign too few headers for AWS:" \
      "use Amazon Linux 2023, Debian 12, Ubuntu 24.04, RHEL 10 or newer, or put a newer curl into /usr/local/bin"
  fi
  [[ ${CONFIG[proxy]} != https://* || $1 == *HTTPS-proxy* ]] ||
    die 3 "proxy is \"${CONFIG[proxy]}\", and this curl cannot use a proxy over https: say http://HOST:PORT, or install another curl"
}

# Where distributions keep the authorities that curl checks servers against: Debian and Ubuntu, Amazon Linux and RHEL, others.
readonly AUTHORITIES='/etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem'

# On this machine, or in an image. The daemon itself goes on without: curl's own message then has the reason.
has_authorities() {
  local file
  [[ ${CONFIG[ca_file]} || (! ${ROOT-} && ${CURL_CA_BUNDLE-}${SSL_CERT_FILE-}) ]] && return
  [[ ${CONFIG[endpoint_events]} == http://* && (${CONFIG[endpoint_sts]} == http://* || ${CONFIG[role_id]}) ]] && return
  for file in $AUTHORITIES; do [[ -s ${ROOT-}$file ]] && return; done
  return 1
}

require_authorities() {
  has_authorities ||
    die 3 'there are no certificates of authorities, so curl trusts no server: apt-get install ca-certificates, or dnf install ca-certificates'
}

# Where there is one on this machine; it may also run elsewhere, or be installed later.
require_keepalived() {
  local version=''
  KEEPALIVED_VERSION=''
  command -v keepalived >/dev/null || return 0
  # The first line says it; a wrapper that starts a daemon instead must not hold this up.
  read -r -t 2 version < <(timeout 2 keepalived --version 2>&1)
  judge_keepalived "$version"
}

# What `keepalived --version` printed. KEEPALIVED_VERSION is 202 for 2.2; what cannot be told is not refused.
judge_keepalived() {
  KEEPALIVED_VERSION=''
  [[ $1 =~ [Kk]eepalived\ v([0-9]+)\.([0-9]+) ]] || return 0
  KEEPALIVED_VERSION=$((BASH_REMATCH[1] * 100 + BASH_REMATCH[2]))
  ((KEEPALIVED_VERSION >= 202)) ||
    die 3 "keepalived is ${BASH_REMATCH[1]}.${BASH_REMATCH[2]}, expected 2.2 or newer, because older ones cannot be asked for their state reliably:" \
      "use Amazon Linux 2023, Debian 12, Ubuntu 22.04, RHEL 9 or newer"
}

# True if only we, who own it, may write the file or folder $1, which is called $2 and named $3; else TROUBLE says why not.
is_private() {
  local mode owner
  if [[ ! -O $1 ]]; then
    owner=$(stat -L -c %U -- "$1" 2>/dev/null) || owner='another user'
    TROUBLE="$2 $3 belongs to $owner: it must be ours alone (chown $(id -un) $3)"
    return 1
  fi
  mode=$(stat -L -c %a -- "$1" 2>/dev/null)
  [[ $mode ]] && (((8#$mode & 8#22) == 0)) && return
  TROUBLE="$2 $3 has mode ${mode:-unknown}, so that others may write it: chmod go-w $3"
  return 1
}

# True if the folder $1 of $2 is there, made if need be, and only we may write into it; else TROUBLE says why not.
usable_folder() {
  if [[ ! -d $1 ]] && ! install -d -m 700 -- "$1" 2>/dev/null; then
    TROUBLE="cannot make $1, the folder of $2: is the disk full or read-only?"
    return 1
  fi
  is_private "$1" "the folder of $2" "$1"
}

# What the configuration names has to be there. Not for `status`, which need not be able to read it.
check_files() {
  [[ ${CONFIG[ca_file]} ]] || return 0
  if [[ ! -r ${CONFIG[ca_file]} || -d ${CONFIG[ca_file]} ]]; then
    wrong_config '' "ca_file is \"${CONFIG[ca_file]}\", which is not there or cannot be read"
  elif ! grep -q 'BEGIN.* CERTIFICATE' -- "${CONFIG[ca_file]}"; then
    wrong_config '' "ca_file is \"${CONFIG[ca_file]}\", which has no certificate (PEM)"
  fi
}
