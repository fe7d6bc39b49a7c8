# Source-based routing for the ENI of an Elastic IP: replies from its addresses must leave by it, or AWS drops them. Amazon
# Linux does so by itself (amazon-ec2-net-utils); Debian and Ubuntu often do not.
#
# Invariant: only rules of our own priority and the table of this interface are touched; doing it twice changes nothing.
# Limits: IPv4 only, as Elastic IPs are. The VPC's router is taken to be the subnet's first address, as AWS documents. An
# address that is assigned later needs `systemctl restart vipshift-eip-route@NAME`.

readonly RULE_PRIORITY=20151 TABLE_BASE=20000

# --- at install ---

place_routing() {
  local -r unit=vipshift-eip-route@$1.service
  if [[ -e $ROOT/usr/lib/systemd/system/policy-routes@.service || -e $ROOT/usr/lib/udev/rules.d/99-vpc-policy-routes.rules ]]; then
    printf 'not needed policy routing for %s: amazon-ec2-net-utils does it\n' "$1"
    return
  fi
  place "$LIB/assets/$ROUTE_UNIT" "$UNITS/$ROUTE_UNIT" 644
  place <(printf '# Replies take the way of their source address; a strict filter would drop what comes in here.\nnet.ipv4.conf.%s.rp_filter = 2\n' "${1//.//}") \
    "/etc/sysctl.d/60-vipshift-$1.conf" 644
  [[ -e $ROOT/usr/lib/systemd/systemd-networkd || -e $ROOT/lib/systemd/systemd-networkd ]] &&
    place "$LIB/assets/networkd-foreign-rules.conf" "$NETWORKD" 644
  if [[ $ROOT ]]; then
    enable_in_root multi-user.target "$unit" "$ROUTE_UNIT"
    return
  fi
  sysctl -q -p "/etc/sysctl.d/60-vipshift-$1.conf"
  systemctl daemon-reload
  systemctl enable --now "$unit" || die 1 "cannot start $unit: see systemctl status $unit"
}

remove_routing() {
  local path name
  set +f
  for path in "$ROOT$UNITS"/multi-user.target.wants/vipshift-eip-route@*.service; do
    [[ -L $path ]] || continue
    name=${path##*/}
    [[ $ROOT ]] || systemctl disable --now "$name"
    rm -f -- "$path"
    printf 'removed    %s\n' "${path#"$ROOT"}"
  done
  for path in "$ROOT"/etc/sysctl.d/60-vipshift-*.conf; do [[ -e $path ]] && remove "${path#"$ROOT"}"; done
  set -f
  remove "$UNITS/$ROUTE_UNIT" "$NETWORKD"
}

# --- at boot, and by hand: vipshift-notify route NAME [--remove] ---

route_command() {
  local -r name=${1-}
  [[ $name =~ ^[A-Za-z0-9._-]{1,15}$ && ( -z ${2-} || $2 == --remove ) && $# -le 2 ]] ||
    die 2 'usage: vipshift-notify route INTERFACE [--remove]'
  command -v ip >/dev/null || die 3 'ip is missing: apt-get install iproute2, or dnf install iproute'
  local index
  index=$(ip -o link show dev "$name" 2>/dev/null) || die 1 "there is no interface $name: ip link shows those that are"
  index=${index%%:*}
  local -r table=$((TABLE_BASE + index))
  drop_rules "$table"
  if [[ ${2-} == --remove ]]; then
    ip -4 route flush table "$table" 2>/dev/null
    return 0
  fi
  add_rules "$name" "$table"
}

drop_rules() {
  local tries=0
  while ((tries++ < 100)) && ip -4 rule del priority $RULE_PRIORITY table "$1" 2>/dev/null; do :; done
}

add_rules() {
  local -r name=$1 table=$2
  local family address count=0
  while read -r _ _ family address _; do
    [[ $family == inet ]] || continue
    ip -4 rule add from "${address%/*}" lookup "$table" priority $RULE_PRIORITY || die 1 "cannot add the rule for ${address%/*}: are you root?"
    if ((count++ == 0)); then
      subnet_of "$address"
      ip -4 route replace "$SUBNET" dev "$name" scope link table "$table" &&
        ip -4 route replace default via "$ROUTER" dev "$name" table "$table" || die 1 "cannot set the default route of $name to $ROUTER"
    fi
    printf '%s leaves by %s to %s\n' "${address%/*}" "$name" "$ROUTER"
  done < <(ip -4 -o address show dev "$name")
  ((count > 0)) || die 1 "$name has no IPv4 address yet: is it up, and does DHCP run on it?"
}

# 10.0.1.20/24 → SUBNET 10.0.1.0/24, ROUTER 10.0.1.1 (the first address of a subnet is the VPC's router).
subnet_of() {
  local a b c d bits=${1#*/}
  IFS=. read -r a b c d <<<"${1%/*}"
  local -r base=$(((a << 24 | b << 16 | c << 8 | d) & (0xffffffff << (32 - bits) & 0xffffffff)))
  dotted "$base"
  SUBNET=$DOTTED/$bits
  dotted $((base + 1))
  ROUTER=$DOTTED
}

dotted() { DOTTED=$(($1 >> 24 & 255)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255)); }
