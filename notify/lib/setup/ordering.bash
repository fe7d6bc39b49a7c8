# The order of a boot and of a shutdown, which systemd then keeps. At boot: the VIP's address, the service, keepalived. At a shutdown:
# keepalived says STOP and the shim sends it, the service goes on until the route has moved, then the rest.
#
# Invariant: what the operator's units say is added to, by drop-ins named vipshift.conf, and never changed.
# Limits: which service answers on the VIP, the operator says. An order that goes round over further units is systemd's to find.

readonly LINGER_UNIT=vipshift-linger.service LINGER_MAX_S=60
SERVICES=() LINGER_S=''

# UNIT: nginx → nginx.service.
add_service() {
  local unit=$1
  [[ $unit == *.* ]] || unit+=.service
  [[ $unit =~ ^[A-Za-z0-9:_.@\\-]+\.(service|socket|target)$ ]] ||
    die 2 "--service is \"$1\", expected the unit that answers on the VIP, such as nginx.service"
  [[ ! $unit =~ ^(keepalived|vipshift-(vip|notify|linger|eip-route@.*))\.[a-z]+$ ]] ||
    die 2 "--service is \"$1\", expected the unit that answers on the VIP and not one that moves it"
  SERVICES+=("$unit")
}

set_linger() {
  [[ $1 =~ ^[0-9]{1,2}$ ]] && ((10#$1 <= LINGER_MAX_S)) ||
    die 2 "--linger is \"$1\", expected whole seconds from 0 to $LINGER_MAX_S"
  LINGER_S=$((10#$1))
}

# Before anything is written.
look_at_services() {
  local unit
  [[ $ROOT ]] && return
  for unit in "${SERVICES[@]}"; do
    [[ $(property_of LoadState "$unit") != not-found ]] ||
      die 1 "there is no unit $unit: systemctl list-unit-files shows those that are"
    is_after_keepalived "$unit" &&
      die 1 "$unit is ordered after keepalived.service, so it cannot serve before keepalived takes part: systemctl cat $unit shows where"
  done
  look_at_resolvers
}

# keepalived starts after the shim, and the shim after what it resolves names by: a resolver behind the VIP that waits for keepalived would
# close a circle, which systemd breaks at a boot by leaving one of them out.
look_at_resolvers() {
  local line unit units=''
  while read -r line; do [[ $line == After=* ]] && units+=" ${line#After=}"; done <"$LIB/assets/vipshift-notify.service"
  for unit in $units $(property_of After nss-lookup.target); do
    [[ $unit == *.service ]] && is_after_keepalived "$unit" &&
      die 1 "$unit is ordered after keepalived.service, and keepalived after the shim, which may resolve names by it: take keepalived.service out of its After= (systemctl cat $unit)"
  done
  return 0
}

property_of() { systemctl show --property "$1" --value -- "$2"; }

is_after_keepalived() { [[ " $(property_of After "$1") " == *' keepalived.service '* ]]; }

place_ordering() {
  local unit
  for unit in "${SERVICES[@]}"; do place "$LIB/assets/service-order.conf" "$UNITS/$unit.d/vipshift.conf" 644; done
  [[ -z $LINGER_S ]] || place_text "[Service]
Environment=LINGER_S=$LINGER_S" "$UNITS/$LINGER_UNIT.d/vipshift.conf"
}

# keepalived wants it, but may have been running before.
start_linger() {
  systemctl start "$LINGER_UNIT" || die 1 "cannot start $LINGER_UNIT: see systemctl status $LINGER_UNIT"
}

say_service() {
  local path paths
  set +f
  paths=("$ROOT$UNITS"/*.d/vipshift.conf)
  set -f
  for path in "${paths[@]}"; do
    [[ -e $path ]] && cmp -s -- "$path" "$LIB/assets/service-order.conf" && return
  done
  printf '  - name the service that answers on the VIP, or a reboot cuts it: vipshift-notify setup --service nginx.service\n'
}

# Its file first: an active unit without one ends at once.
remove_ordering() {
  local path paths
  remove "$UNITS/$LINGER_UNIT"
  set +f
  paths=("$ROOT$UNITS"/*.d/vipshift.conf)
  set -f
  for path in "${paths[@]}"; do
    [[ -e $path ]] || continue
    remove "${path#"$ROOT"}"
    rmdir --ignore-fail-on-non-empty -- "${path%/*}"
  done
  [[ $ROOT ]] && return
  systemctl daemon-reload
  systemctl stop "$LINGER_UNIT" 2>/dev/null
  return 0
}
