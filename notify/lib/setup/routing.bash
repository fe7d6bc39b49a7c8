# Source-based routing for the ENI of an Elastic IP, at setup: replies from its addresses must leave by it, or AWS drops them. Amazon
# Linux does so by itself (amazon-ec2-net-utils); Debian and Ubuntu often do not. route.bash sets the rules.
#
# Invariant: it does not depend on who configures the interface: systemd-networkd, ifupdown, NetworkManager or dhclient.

place_routing() {
  local -r unit=vipshift-eip-route@$1.service
  if [[ -e $ROOT/usr/lib/systemd/system/policy-routes@.service || -e $ROOT/usr/lib/udev/rules.d/99-vpc-policy-routes.rules ]]; then
    printf 'not needed policy routing for %s: amazon-ec2-net-utils does it\n' "$1"
    return
  fi
  [[ -e $ROOT$PACKAGE_UNITS/$ROUTE_UNIT ]] || place_unit "$ROUTE_UNIT" "$UNITS/$ROUTE_UNIT"
  place_text "# Replies take the way of their source address; a strict filter would drop what comes in here.
net.ipv4.conf.${1//.//}.rp_filter = 2" "/etc/sysctl.d/60-vipshift-$1.conf"
  [[ -e $ROOT/usr/lib/systemd/systemd-networkd || -e $ROOT/lib/systemd/systemd-networkd ]] &&
    place "$LIB/assets/networkd-foreign-rules.conf" "$NETWORKD" 644
  if [[ $ROOT ]]; then
    enable_in_root multi-user.target "$unit" "$ROUTE_UNIT"
    return
  fi
  sysctl -q -p "/etc/sysctl.d/60-vipshift-$1.conf"
  systemctl daemon-reload
  systemctl enable "$unit"
  # Also over an earlier version, whose unit had ended. It takes nothing away as it stops.
  if ((CHANGED)); then systemctl restart "$unit"; else systemctl start "$unit"; fi ||
    die 1 "cannot start $unit: see systemctl status $unit"
}

# Each interface has a setting next to its unit, and that goes last: an uninstall that was interrupted finds it again.
remove_routing() {
  local path paths name
  set +f
  paths=("$ROOT"/etc/sysctl.d/60-vipshift-*.conf)
  set -f
  for path in "${paths[@]}"; do
    [[ -e $path ]] || continue
    name=${path##*/60-vipshift-} name=${name%.conf}
    if [[ -z $ROOT ]]; then
      systemctl disable --now "vipshift-eip-route@$name.service" 2>/dev/null
      "$SELF" route "$name" --remove
    fi
    remove_with_folder "$UNITS/multi-user.target.wants/vipshift-eip-route@$name.service" "${path#"$ROOT"}"
  done
  remove_with_folder "$UNITS/$ROUTE_UNIT" "$NETWORKD"
}
