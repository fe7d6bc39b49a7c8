# `install` and `uninstall`: program, units, tmpfiles, example configuration, keepalived snippet and, where asked for, policy
# routing. With --root everything goes into a folder, and neither systemd nor the network is touched.
#
# Invariant: idempotent; a configuration that is there is never overwritten; every file that is written or removed is said.
# keepalived is neither restarted nor reloaded: that may be a failover, and is the operator's to choose.

ROOT='' CHANGED=0
readonly ETC=/etc/vipshift UNITS=/etc/systemd/system LIBRARY=/usr/lib/vipshift PROGRAM=/usr/bin/vipshift-notify
readonly ROUTE_UNIT=vipshift-eip-route@.service NETWORKD=/etc/systemd/networkd.conf.d/vipshift.conf

install_command() {
  local bus='' interfaces=() mapping=()
  while (($# > 0)); do
    case $1 in
      --root | --bus | --instance | --group | --eip-interface | --service | --linger)
        (($# > 1)) || die 2 "$1 needs a value (see --help)"
        case $1 in
          --root) set_root "$2" ;;
          --bus) bus=$2 ;;
          --eip-interface) interfaces+=("$(interface_name "$2")") || exit 2 ;;
          --service) add_service "$2" ;;
          --linger) set_linger "$2" ;;
          *) mapping+=("$(mapping_line "${1#--}" "$2")") || exit 2 ;;
        esac
        shift
        ;;
      *) die 2 "install takes no \"$1\" (see --help)" ;;
    esac
    shift
  done
  require_curl
  require_root
  look_at_services
  place_program
  place_units
  place_ordering
  place_config "$bus" "${mapping[@]}"
  place "$LIB/assets/keepalived-snippet.conf" $ETC/keepalived-snippet.conf 644
  for name in "${interfaces[@]}"; do place_routing "$name"; done
  if [[ $ROOT ]]; then
    enable_in_root sockets.target vipshift-notify.socket vipshift-notify.socket
    enable_in_root multi-user.target vipshift-notify.service vipshift-notify.service
  else
    start_units
  fi
  say_next
}

set_root() {
  [[ -d $1 ]] || die 2 "--root $1 is no folder: make it first"
  ROOT=$(cd -P -- "$1" && pwd)
  [[ $ROOT == / ]] && ROOT=''
  return 0
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

# Writes a file if it is not like that already: source, destination, mode.
place() {
  local -r source=$1 target=$ROOT$2
  if [[ -f $target ]] && cmp -s -- "$source" "$target"; then
    printf 'unchanged  %s\n' "$2"
    return
  fi
  install -D -m "$3" -- "$source" "$target" || die 1 "cannot write $target"
  printf 'wrote      %s\n' "$2"
  CHANGED=1
}

# Writes a text and a line's end, if the file has not just that: text, destination.
place_text() {
  local -r target=$ROOT$2
  if [[ -f $target && $(<"$target") == "$1" ]]; then
    printf 'unchanged  %s\n' "$2"
    return
  fi
  install -D -m 644 -- /dev/stdin "$target" <<<"$1" || die 1 "cannot write $target"
  printf 'wrote      %s\n' "$2"
  CHANGED=1
}

place_program() {
  local file files
  set +f
  files=("$LIB"/*.bash "$LIB"/*/*.bash "$LIB"/assets/*)
  set -f
  for file in "${files[@]}"; do place "$file" "$LIBRARY/${file#"$LIB"/}" 644; done
  place "$SELF" "$PROGRAM" 755
  remove_stale
}

# What an earlier version had under another name. After the program, which sources it until then.
remove_stale() {
  local file files
  set +f
  files=("$ROOT$LIBRARY"/*.bash "$ROOT$LIBRARY"/*/*.bash)
  set -f
  for file in "${files[@]}"; do
    [[ -e $LIB/${file#"$ROOT$LIBRARY"/} ]] || remove "${file#"$ROOT"}"
  done
}

place_units() {
  place "$LIB/assets/vipshift-notify.socket" $UNITS/vipshift-notify.socket 644
  place "$LIB/assets/vipshift-notify.service" $UNITS/vipshift-notify.service 644
  place "$LIB/assets/vipshift-notify.tmpfiles" /etc/tmpfiles.d/vipshift-notify.conf 644
}

# What `systemctl enable` does, for an image that is being built: target, name of the link, unit.
enable_in_root() {
  mkdir -p -- "$ROOT$UNITS/$1.wants" && ln -sfn -- "$UNITS/$3" "$ROOT$UNITS/$1.wants/$2"
}

place_config() {
  local -r target=$ROOT$ETC/notify.conf
  local line
  if [[ -f $target ]]; then
    printf 'kept       %s\n' $ETC/notify.conf
    (($# > 1)) || [[ $1 ]] && say "$ETC/notify.conf is there already, so --bus, --instance and --group change nothing: edit it"
    return
  fi
  mkdir -p -- "${target%/*}"
  while IFS= read -r line; do
    [[ $1 && $line == '#bus = '* ]] && line="bus = $1"
    printf '%s\n' "$line"
    # The lines of this node stand where the example has its own.
    if [[ $line == '#group '* && $# -gt 1 ]]; then printf '%s\n' "${@:2}"; fi
  done <"$LIB/assets/notify.conf" >"$target" || die 1 "cannot write $target"
  chmod 644 -- "$target"
  printf 'wrote      %s\n' $ETC/notify.conf
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
  systemd-tmpfiles --create /etc/tmpfiles.d/vipshift-notify.conf
  systemctl daemon-reload
  systemctl enable --now vipshift-notify.socket || die 1 'cannot start vipshift-notify.socket: see systemctl status vipshift-notify.socket'
  systemctl enable vipshift-notify.service
  start_linger
  is_configured || return 0
  if ((CHANGED)); then systemctl restart vipshift-notify.service; else systemctl start vipshift-notify.service; fi ||
    die 1 'cannot start vipshift-notify.service: see journalctl -u vipshift-notify'
}

say_next() {
  printf '\nWhat is left to do:\n'
  is_configured || printf '  - name your bus and your VIPs in %s, then: systemctl restart vipshift-notify\n' $ETC/notify.conf
  say_service
  printf '  - let keepalived write into the FIFO (%s), then: systemctl reload keepalived\n' $ETC/keepalived-snippet.conf
  printf '  - vipshift-notify selftest\n'
}

uninstall_command() {
  local purge=0
  while (($# > 0)); do
    case $1 in
      --root)
        set_root "${2-}"
        shift
        ;;
      --purge) purge=1 ;;
      *) die 2 "uninstall takes no \"$1\" (see --help)" ;;
    esac
    shift
  done
  require_root
  [[ $ROOT ]] || systemctl disable --now vipshift-notify.service vipshift-notify.socket 2>/dev/null
  remove_routing
  remove_ordering
  remove $UNITS/sockets.target.wants/vipshift-notify.socket $UNITS/multi-user.target.wants/vipshift-notify.service
  remove $UNITS/vipshift-notify.socket $UNITS/vipshift-notify.service \
    /etc/tmpfiles.d/vipshift-notify.conf $ETC/keepalived-snippet.conf
  ((purge)) && remove $ETC/notify.conf $ETC /var/lib/vipshift
  remove $LIBRARY $PROGRAM
  [[ $ROOT ]] || systemctl daemon-reload
  ((purge)) || printf 'kept       %s (and /var/lib/vipshift); --purge takes them too\n' $ETC/notify.conf
  printf '\nkeepalived still writes into the FIFO if its configuration has vrrp_notify_fifo: remove that line.\n'
}

remove() {
  local path
  for path in "$@"; do
    local target=$ROOT$path
    [[ -e $target || -L $target ]] || continue
    rm -rf -- "$target" || die 1 "cannot remove $target"
    printf 'removed    %s\n' "$path"
  done
}
