# `route NAME`: sets the source-based routing of one interface, once or (--watch) again whenever something of it is gone. The kernel drops
# the routes when the link goes down or the address changes, and reports it to all who listen.
#
# Invariant: only rules of our own priority and the table of this interface are touched, and in these nothing that another program has set:
# a network manager names itself as a route's protocol. What is missing is added before what is left over is removed, and what is right is
# never removed: to do it again opens no gap. An interface without an address keeps what it has.
# Limits: IPv4 only, as Elastic IPs are. The VPC's router is taken to be the subnet's first address, as AWS documents.

readonly RULE_PRIORITY=20151 TABLE_BASE=20000 TABLES='^2[0-9]{4}$'
# For what no event reports, and how many events that wait are one change.
readonly LOOK_AGAIN_S=60 EVENTS_MAX=1000
NAME='' TABLE='' SUBNET='' ROUTER='' TROUBLE=''
ADDRESSES=()

route_command() {
  NAME=${1-}
  [[ $NAME =~ ^[A-Za-z0-9._-]{1,15}$ && $# -le 2 && ${2-} =~ ^(|--remove|--watch)$ ]] ||
    die 2 'usage: vipshift-notify route INTERFACE [--watch|--remove]'
  command -v ip >/dev/null || die 3 'ip is missing: apt-get install iproute2, or dnf install iproute'
  case ${2-} in
    --remove) remove_route ;;
    --watch) watch_route ;;
    *)
      repair_route || die 1 "$TROUBLE"
      say_route
      ;;
  esac
}

say_route() {
  local address
  for address in "${ADDRESSES[@]}"; do printf '%s leaves by %s to %s\n' "$address" "$NAME" "$ROUTER"; done
}

# --- what there is, what should be, and the difference ---

# TABLE; without one TROUBLE says why.
find_table() {
  local index
  index=$(ip -o link show dev "$NAME" 2>/dev/null) || {
    TROUBLE="there is no interface $NAME: ip link shows those that are"
    return 1
  }
  TABLE=$((TABLE_BASE + ${index%%:*}))
}

# ADDRESSES, SUBNET and ROUTER.
find_addresses() {
  local family address
  ADDRESSES=()
  while read -r _ _ family address _; do
    [[ $family == inet ]] || continue
    ((${#ADDRESSES[@]} > 0)) || subnet_of "$address"
    ADDRESSES+=("${address%/*}")
  done < <(ip -4 -o address show dev "$NAME" 2>/dev/null)
  ((${#ADDRESSES[@]} > 0)) || {
    TROUBLE="$NAME has no IPv4 address yet: is it up, and does DHCP run on it?"
    return 1
  }
}

# 0: all of it is there. The routes first: a rule without a route sends replies the main table's way.
repair_route() {
  TROUBLE=''
  find_table && find_addresses && repair_routes && repair_rules
}

repair_routes() {
  local line destination kept=''
  while read -r line; do kept+="$line"$'\n'; done < <(ip -4 route show table "$TABLE" 2>/dev/null)
  { [[ $'\n'$kept == *$'\n'"$SUBNET dev $NAME scope link"* ]] || ip -4 route replace "$SUBNET" dev "$NAME" scope link table "$TABLE"; } &&
    { [[ $'\n'$kept == *$'\n'"default via $ROUTER dev $NAME"* ]] || ip -4 route replace default via "$ROUTER" dev "$NAME" table "$TABLE"; } || {
    TROUBLE="cannot set the default route of $NAME to $ROUTER: is it up, and are you root?"
    return 1
  }
  while read -r destination line; do
    [[ -z $destination || $destination == default || $destination == "$SUBNET" || " $line" == *' proto '* ]] ||
      ip -4 route del "$destination" dev "$NAME" table "$TABLE"
  done <<<"$kept"
}

repair_rules() {
  local priority from table address stale=()
  local -A wanted=() found=()
  for address in "${ADDRESSES[@]}"; do wanted[$address]=1; done
  # 20151: from 10.0.1.20 lookup 20003
  while read -r priority _ from _ table _; do
    [[ $priority == "$RULE_PRIORITY:" ]] || continue
    if [[ $table == "$TABLE" && ${wanted[$from]-} ]]; then
      found[$from]=1
    elif [[ $table == "$TABLE" || (${wanted[$from]-} && $table =~ $TABLES) ]]; then
      stale+=("$from $table")
    fi
  done < <(ip -4 rule show 2>/dev/null)
  for address in "${ADDRESSES[@]}"; do
    [[ ${found[$address]-} ]] || ip -4 rule add from "$address" lookup "$TABLE" priority $RULE_PRIORITY || {
      TROUBLE="cannot add the rule for $address: are you root?"
      return 1
    }
  done
  for address in "${stale[@]}"; do
    ip -4 rule del from "${address% *}" lookup "${address#* }" priority $RULE_PRIORITY
  done
  return 0
}

remove_route() {
  local tries=0
  find_table || return 0
  while ((tries++ < 100)) && ip -4 rule del priority $RULE_PRIORITY table "$TABLE" 2>/dev/null; do :; done
  ip -4 route flush table "$TABLE" 2>/dev/null
  return 0
}

# --- for as long as its unit runs ---

watch_route() {
  local events count state said='' wait_s=1
  exec {events}< <(exec ip -4 -o monitor link address route rule)
  while :; do
    repair_route 2>/dev/null
    state=${TROUBLE:-"set: $(say_route)"}
    [[ $state == "$said" ]] || say "$NAME: $state"
    said=$state
    # At first the kernel may not have been listened to yet.
    if read -r -t "$wait_s" -u "$events" _; then
      for ((count = 0; count < EVENTS_MAX; count++)); do read -r -t 0.002 -u "$events" _ || break; done
    elif (($? <= 128)); then
      die 1 'ip monitor ended'
    fi
    wait_s=$LOOK_AGAIN_S
  done
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
