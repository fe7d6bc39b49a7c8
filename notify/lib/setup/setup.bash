# `setup`: what is different from node to node: configuration, example for keepalived, the order of boot and shutdown, policy routing, and
# that the shim runs. For the program that is there, a package's or that of `install`, which calls this.
#
# Invariant: as install's; a configuration that is there is never overwritten. keepalived is neither restarted nor reloaded: that may be a
# failover, and is the operator's to choose.

readonly ETC=/etc/vipshift UNITS=/etc/systemd/system PACKAGE_UNITS=/usr/lib/systemd/system
readonly NETWORKD=/etc/systemd/networkd.conf.d/vipshift.conf
BUS='' DIRECT='' INTERFACES=() MAPPING=()

setup_command() {
  read_setup setup "$@"
  [[ -e $ROOT$(unit_file vipshift-notify.service) ]] ||
    die 1 'the units are not here: vipshift-notify install puts them down, or the package does'
  look_before
  set_up
}

read_setup() {
  local -r command=$1
  shift
  while (($# > 0)); do
    case $1 in
      --root | --bus | --direct | --instance | --group | --eip-interface | --service | --linger)
        (($# > 1)) || die 2 "$1 needs a value (see --help)"
        case $1 in
          --root) set_root "$2" ;;
          --bus) BUS=$2 ;;
          --direct) DIRECT=$2 ;;
          --eip-interface) INTERFACES+=("$(interface_name "$2")") || exit 2 ;;
          --service) add_service "$2" ;;
          --linger) set_linger "$2" ;;
          *) MAPPING+=("$(mapping_line "${1#--}" "$2")") || exit 2 ;;
        esac
        shift
        ;;
      *) die 2 "$command takes no \"$1\" (see --help)" ;;
    esac
    shift
  done
}

look_before() {
  local name
  # What is there already may name authorities and folders of its own; whether it is right is for `check`.
  [[ -f $ROOT$ETC/notify.conf ]] && load_config "$ROOT$ETC/notify.conf"
  CONFIG_ERRORS=()
  require_machine
  require_root
  for name in "${INTERFACES[@]}"; do require_interface "$name"; done
  look_at_services
  compose_config "$BUS" "${MAPPING[@]}"
}

set_up() {
  local name
  place_journal
  place_ordering
  place_config "$BUS" "${MAPPING[@]}"
  place_snippet
  for name in "${INTERFACES[@]}"; do place_routing "$name"; done
  if [[ $ROOT ]]; then
    enable_in_root sockets.target vipshift-notify.socket vipshift-notify.socket
    enable_in_root multi-user.target vipshift-notify.service vipshift-notify.service
  else
    start_units
  fi
  say_next
}

# Where a unit of ours is: what `install` put into /etc comes first, as it does for systemd.
unit_file() {
  if [[ -e $ROOT$UNITS/$1 || ! -e $ROOT$PACKAGE_UNITS/$1 ]]; then printf '%s\n' "$UNITS/$1"; else printf '%s\n' "$PACKAGE_UNITS/$1"; fi
}

# The programs of this machine, or of the image: the builder's say nothing about those.
require_machine() {
  local version
  UNTESTED=() KEEPALIVED_VERSION=''
  if [[ ! $ROOT ]]; then
    require_curl
    require_authorities
    require_keepalived
    return
  fi
  if version=$(in_image curl -q --version); then judge_curl "$version"; else UNTESTED+=(curl); fi
  if version=$(in_image keepalived --version); then judge_keepalived "$version"; else UNTESTED+=(keepalived); fi
  has_authorities || UNTESTED+=(ca-certificates)
}

# What a program of the image prints; false where it has none yet, or none that runs here.
in_image() {
  [[ -x $ROOT/usr/bin/$1 || -x $ROOT/usr/sbin/$1 || -x $ROOT/bin/$1 ]] && chroot "$ROOT" "$@" 2>&1
}

require_interface() {
  [[ $ROOT || -e /sys/class/net/$1 ]] || die 1 "there is no interface $1: ip link shows those that are"
  [[ $ROOT ]] || command -v ip >/dev/null || die 3 'ip is missing: apt-get install iproute2, or dnf install iproute'
}

interface_name() {
  [[ $1 =~ ^[A-Za-z0-9._-]{1,15}$ ]] || die 2 "--eip-interface is \"$1\", expected a name such as ens6"
  printf '%s\n' "$1"
}

mapping_line() {
  [[ $2 =~ ^[^=[:space:]]+=[A-Za-z0-9._,-]+$ ]] || die 2 "--$1 is \"$2\", expected NAME=VIP, such as VI_WEB=web"
  printf '%s %s = %s\n' "$1" "${2%%=*}" "${2#*=}"
}

require_root() {
  [[ $ROOT ]] && return
  ((EUID == 0)) || die 1 'needs root: it writes units, configuration and a program (or try it with --root DIR)'
  [[ -d /run/systemd/system ]] || die 3 'systemd does not run here: use --root DIR, and start vipshift-notify run by your own means'
}

# Others say that they do not know the setting, at each reload.
place_journal() {
  if [[ ! $ROOT && $(systemctl --version 2>/dev/null) =~ ^systemd\ ([0-9]+) ]] && ((BASH_REMATCH[1] >= 253)); then
    place "$LIB/assets/keepalived-journal.conf" $UNITS/keepalived.service.d/vipshift-journal.conf 644
  fi
}

# keepalived 2.3 can be told where its answers go: into a folder that is ours alone.
place_snippet() {
  local line
  if ((KEEPALIVED_VERSION >= 203)); then
    place <(
      while IFS= read -r line; do
        [[ $line == *json_dump_file* ]] && line="    json_dump_file ${CONFIG[run_dir]}/keepalived.json"
        printf '%s\n' "$line"
      done <"$LIB/assets/keepalived-snippet.conf"
    ) $ETC/keepalived-snippet.conf 644
  else
    place "$LIB/assets/keepalived-snippet.conf" $ETC/keepalived-snippet.conf 644
  fi
}

# What `systemctl enable` does, for an image that is being built: target, name of the link, unit.
enable_in_root() {
  make_folder "$ROOT$UNITS/$1.wants"
  ln -sfn -- "$(unit_file "$3")" "$ROOT$UNITS/$1.wants/$2" || die 1 "cannot enable $2 in $ROOT"
}

# COMPOSED: the configuration that a first install would write, refused here if it would be wrong.
compose_config() {
  local line error
  COMPOSED=''
  [[ -f $ROOT$ETC/notify.conf ]] && return
  while IFS= read -r line; do
    [[ $1 && $line == '#bus = '* ]] && line="bus = $1"
    [[ $DIRECT && $line == '#direct = '* ]] && line="direct = $DIRECT"
    COMPOSED+=$line$'\n'
    # The lines of this node stand where the example has its own.
    if [[ $line == '#group '* && $# -gt 1 ]]; then
      printf -v line '%s\n' "${@:2}"
      COMPOSED+=$line
    fi
  done <"$LIB/assets/notify.conf"
  CONFIG_FILE=$ETC/notify.conf
  read_lines <<<"$COMPOSED"
  check_direct
  for error in "${CONFIG_ERRORS[@]}"; do
    # What is not named yet is left to the operator.
    [[ $error == *': names no '* ]] || die 2 "${error#*: } (--bus, --direct, --instance, --group)"
  done
}

place_config() {
  local -r target=$ROOT$ETC/notify.conf
  if [[ -f $target ]]; then
    printf 'kept       %s\n' $ETC/notify.conf
    (($# > 1)) || [[ $1$DIRECT ]] && say "$ETC/notify.conf is there already, so --bus, --direct, --instance and --group change nothing: edit it"
    return
  fi
  place <(printf '%s' "$COMPOSED") $ETC/notify.conf 644
}

is_configured() {
  local line bus=0 vips=0
  while read -r line; do
    [[ $line =~ ^(instance|group)[[:space:]] ]] && vips=1
    [[ $line =~ ^bus[[:space:]]*= ]] && bus=1
  done <"$ROOT$ETC/notify.conf"
  ((bus && vips))
}

start_units() {
  systemd-tmpfiles --create vipshift-notify.conf
  systemctl daemon-reload
  # A socket does not start while its service runs.
  systemctl is-active --quiet vipshift-notify.socket || systemctl stop vipshift-notify.service 2>/dev/null
  systemctl enable --now vipshift-notify.socket || die 1 'cannot start vipshift-notify.socket: see systemctl status vipshift-notify.socket'
  systemctl enable vipshift-notify.service
  start_linger
  is_configured || return 0
  if ((CHANGED)); then systemctl restart vipshift-notify.service; else systemctl start vipshift-notify.service; fi ||
    die 1 'cannot start vipshift-notify.service: see journalctl -u vipshift-notify'
}

say_next() {
  printf '\nWhat is left to do:\n'
  ((${#UNTESTED[@]})) && printf '  - give the image ca-certificates, and curl 7.86 and keepalived 2.2, or newer ones (not found there: %s)\n' "${UNTESTED[*]}"
  is_configured || printf '  - name your bus and your VIPs in %s, then: systemctl restart vipshift-notify\n' $ETC/notify.conf
  say_service
  printf '  - let keepalived write into the FIFO (%s), then: systemctl reload keepalived\n' $ETC/keepalived-snippet.conf
  # By its whole name: sudo of Amazon Linux and RHEL does not look below /usr/local.
  if is_packaged; then printf '  - vipshift-notify selftest\n'; else printf '  - %s selftest\n' $PROGRAM; fi
}
