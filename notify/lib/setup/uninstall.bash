# `uninstall`: what install and setup have put down, and what the daemon left: its credentials in any case, since they are valid for hours.
# Of a node that has the package it takes what setup put down; program and units are the package manager's, which calls this.
#
# Invariant: notify.conf says where the daemon's folders are; of a folder that is not vipshift's alone only our files go.
# Limit: without --purge the VIP's addresses stay, since an upgrade by uninstall and install must not take them from a MASTER.

readonly VIP_UNIT=vipshift-vip.service
# What the daemon makes in run_dir and state_dir.
readonly RUN_FILES='credentials credentials.new credentials.about credentials.about.new imds request reply roots.pem status.0 status.1 probe asked spool spool.new keepalived.json leaving leaving.about'
readonly STATE_FILES='spool spool.new identity identity.new leaving.about'

uninstall_command() {
  local purge=0
  while (($# > 0)); do
    case $1 in
      --root)
        (($# > 1)) || die 2 "--root needs a value (see --help)"
        set_root "$2"
        shift
        ;;
      --purge) purge=1 ;;
      *) die 2 "uninstall takes no \"$1\" (see --help)" ;;
    esac
    shift
  done
  require_root
  [[ -e $ROOT$ETC/notify.conf ]] && load_config "$ROOT$ETC/notify.conf"
  [[ $ROOT ]] || systemctl disable --now vipshift-notify.service vipshift-notify.socket 2>/dev/null
  remove_routing
  remove_ordering
  remove_with_folder $UNITS/sockets.target.wants/vipshift-notify.socket $UNITS/multi-user.target.wants/vipshift-notify.service \
    $UNITS/vipshift-notify.socket $UNITS/vipshift-notify.service \
    $KEEPALIVED_DROPINS/vipshift-wiring.conf $KEEPALIVED_DROPINS/vipshift-journal.conf \
    /etc/tmpfiles.d/vipshift-notify.conf $ETC/keepalived-snippet.conf
  remove_run_dir
  if ((purge)); then purge_node; fi
  remove_with_folder $LIBRARY $PROGRAM
  is_packaged || remove_with_folder $PACKAGE_LIBRARY $PACKAGE_PROGRAM
  [[ $ROOT ]] || systemctl daemon-reload
  ((purge)) || printf 'kept       %s, %s and the VIP on this node; --purge takes them too\n' $ETC/notify.conf "${CONFIG[state_dir]}"
  is_packaged && printf 'kept       program and units, which are the package’s: %s\n' "$(<"$ROOT$PACKAGE_LIBRARY/packaged")"
  printf '\nkeepalived still writes into the FIFO if its configuration has vrrp_notify_fifo: remove that line.\n'
}

is_packaged() { [[ -e $ROOT$PACKAGE_LIBRARY/packaged ]]; }

remove_run_dir() {
  local name
  local -r dir=${CONFIG[run_dir]}
  for name in $RUN_FILES; do remove "$dir/$name"; done
  [[ -p $ROOT${CONFIG[fifo]} ]] && remove "${CONFIG[fifo]}"
  # Ours alone, with the file that demotes the node.
  if [[ $dir == /run/vipshift ]]; then remove "$dir"; else rmdir -- "$ROOT$dir" 2>/dev/null; fi
  return 0
}

purge_node() {
  local name
  remove_addresses
  for name in $STATE_FILES; do remove "${CONFIG[state_dir]}/$name"; done
  if [[ ${CONFIG[state_dir]} == /var/lib/vipshift ]]; then remove /var/lib/vipshift; else rmdir -- "$ROOT${CONFIG[state_dir]}" 2>/dev/null; fi
  remove $ETC/notify.conf $ETC
}

# The unit of `vipshift keepalived-config --hold both`, and what it put on lo: older ones do not take it away when they stop.
remove_addresses() {
  local line addresses=()
  local -r unit=$ROOT$UNITS/$VIP_UNIT
  [[ -r $unit ]] || return 0
  while read -r line; do
    [[ $line =~ ^ExecStart=.*\ address\ (replace|add)\ ([0-9a-fA-F.:]+/[0-9]+)\ dev\ lo$ ]] && addresses+=("${BASH_REMATCH[2]}")
  done <"$unit"
  if [[ ! $ROOT ]]; then
    systemctl disable --now $VIP_UNIT 2>/dev/null
    for line in "${addresses[@]}"; do ip address delete "$line" dev lo 2>/dev/null && printf 'removed    %s from lo\n' "$line"; done
  fi
  remove_with_folder $UNITS/multi-user.target.wants/$VIP_UNIT $UNITS/$VIP_UNIT
}
