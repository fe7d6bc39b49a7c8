# The configuration: one small file of `key = value` lines, read and never sourced. Environment variables (AWS's own
# names) win over it for the endpoints.
#
# Invariant: nothing of the file is ever evaluated (no `-v` and no arithmetic on its words, which bash expands twice), and
# what load_config lets through needs no escaping later: VIP names are [A-Za-z0-9._-], instance names hold
# neither quote nor backslash, paths are absolute, endpoints are https unless loopback or allow_http says otherwise.

declare -A CONFIG=([bus]='' [fifo]=/run/vipshift/notify.fifo [state_dir]=/var/lib/vipshift
  [run_dir]=/run/vipshift [spool_max]=1000 [keepalived_pid]=auto [keepalived_json]=/tmp/keepalived.json
  [region]='' [role_id]='' [ca_file]='' [allow_http]=no [endpoint_events]='' [endpoint_sts]=''
  [endpoint_imds]=http://169.254.169.254)
declare -A VIPS_OF=()  # "INSTANCE VI_WEB" → "web other": the VIPs of this VRRP instance or sync group
declare -A NAMED_BY=() # VIP → "INSTANCE VI_WEB", since two voices for one VIP on one node would contradict each other
VIP_NAMES=() # in the order of the file
CONFIG_FILE=$DEFAULT_CONFIG

bad_config() { die 2 "$CONFIG_FILE line $1: $2"; }

load_config() {
  CONFIG_FILE=$1
  [[ -r $CONFIG_FILE ]] || die 2 "cannot read $CONFIG_FILE: run vipshift-notify install, or name another file with --config"
  local line number=0
  local -A seen=()
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    [[ $line =~ ^[[:space:]]*([^=]*[^=[:space:]])[[:space:]]*=[[:space:]]*(.*)$ ]] ||
      bad_config $number "found \"$line\", expected \"key = value\""
    local key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    value=${value%"${value##*[![:space:]]}"}
    [[ ${seen[$key]-} ]] && bad_config $number "\"$key\" is already set on line ${seen[$key]}: keep one of the two"
    seen[$key]=$number
    set_config "$number" "$key" "$value"
  done <"$CONFIG_FILE"
  ((${#VIPS_OF[@]} > 0)) || die 2 "$CONFIG_FILE names no VIP: add a line such as \"instance VI_WEB = web\""
  # No default: to a bus that does not exist, PutEvents answers success.
  [[ ${CONFIG[bus]} ]] || die 2 "$CONFIG_FILE names no bus: add a line such as \"bus = vipshift-prod\""
  override_endpoints
}

set_config() {
  local -r number=$1 key=$2 value=$3
  local -r path='^/[A-Za-z0-9._/@:+-]+$'
  case $key in
    instance\ * | group\ *) set_vips "$number" "$key" "$value" && return ;;
    fifo | state_dir | run_dir | ca_file | keepalived_json)
      [[ $value =~ $path ]] || bad_config "$number" "$key is \"$value\", expected an absolute path"
      ;;
    keepalived_pid)
      [[ $value == auto || $value == none || $value =~ $path ]] ||
        bad_config "$number" "keepalived_pid is \"$value\", expected auto, none or an absolute path"
      ;;
    spool_max)
      [[ $value =~ ^[1-9][0-9]{0,5}$ ]] && ((value >= 20 && value <= 100000)) ||
        bad_config "$number" "spool_max is \"$value\", expected a number from 20 to 100000"
      ;;
    allow_http) [[ $value == yes || $value == no ]] || bad_config "$number" "allow_http is \"$value\", expected yes or no" ;;
    bus) [[ $value =~ ^[A-Za-z0-9._/:-]{1,400}$ ]] || bad_config "$number" "bus is \"$value\", expected the name or ARN of an event bus" ;;
    region) [[ $value =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]+$ ]] || bad_config "$number" "region is \"$value\", expected one such as eu-west-1" ;;
    role_id) [[ $value =~ ^AROA[A-Z0-9]{4,60}$ ]] || bad_config "$number" "role_id is \"$value\", expected the AROA… id of the nodes' role" ;;
    endpoint_events | endpoint_sts | endpoint_imds)
      [[ $value =~ ^https?://[][A-Za-z0-9.:-]+/?$ ]] || bad_config "$number" "$key is \"$value\", expected https://HOST or https://HOST:PORT"
      ;;
    *) bad_config "$number" "unknown key \"$key\", expected one of: ${!CONFIG[*]}, \"instance NAME\", \"group NAME\"" ;;
  esac
  CONFIG[$key]=$value
}

set_vips() {
  local -r number=$1 kind=${2%% *} value=$3
  local name=${2#* } vip
  name=${name#"${name%%[![:space:]]*}"}
  local -r source="${kind^^} $name"
  [[ $name =~ ^[[:graph:]]+$ && $name != *[\"\\]* ]] || bad_config "$number" "the name \"$name\" holds a blank, quote or backslash, expected keepalived's name of the $kind"
  [[ $value ]] || bad_config "$number" "$kind $name names no VIP, expected one or more VIP names"
  for vip in ${value//,/ }; do
    [[ $vip =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ ]] ||
      bad_config "$number" "\"$vip\" is no VIP name, expected letters, digits, dot, dash and underscore, at most 64"
    [[ ${NAMED_BY[$vip]-} ]] &&
      bad_config "$number" "VIP \"$vip\" is already spoken for by ${NAMED_BY[$vip]}: a VIP has one voice per node, remove one line"
    NAMED_BY[$vip]=$source
    VIP_NAMES+=("$vip")
  done
  VIPS_OF[$source]=${value//,/ }
}

override_endpoints() {
  local key
  [[ -n ${AWS_ENDPOINT_URL_EVENTBRIDGE-} ]] && CONFIG[endpoint_events]=$AWS_ENDPOINT_URL_EVENTBRIDGE
  [[ -n ${AWS_ENDPOINT_URL_STS-} ]] && CONFIG[endpoint_sts]=$AWS_ENDPOINT_URL_STS
  [[ -n ${AWS_EC2_METADATA_SERVICE_ENDPOINT-} ]] && CONFIG[endpoint_imds]=$AWS_EC2_METADATA_SERVICE_ENDPOINT
  CONFIG[ca_file]=${CONFIG[ca_file]:-${AWS_CA_BUNDLE-}}
  for key in endpoint_events endpoint_sts; do
    CONFIG[$key]=${CONFIG[$key]%/}
    check_endpoint "$key" "${CONFIG[$key]}"
  done
  CONFIG[endpoint_imds]=${CONFIG[endpoint_imds]%/}
}

# Over plain http anyone on the path can read the session token, so it needs loopback or an explicit setting.
check_endpoint() {
  local -r loopback='^http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?$'
  [[ -z $2 || $2 == https://* || $2 =~ $loopback || ${CONFIG[allow_http]} == yes ]] ||
    die 2 "$1 is \"$2\", expected https: plain http is only for loopback (or set allow_http = yes for a laboratory)"
}

# --config FILE for every command; whatever else there is stays in REST.
read_config_option() {
  local file=$DEFAULT_CONFIG
  REST=()
  while (($# > 0)); do
    case $1 in
      --config)
        (($# > 1)) || die 2 "--config needs a file name"
        file=$2
        shift
        ;;
      --config=*) file=${1#--config=} ;;
      *) REST+=("$1") ;;
    esac
    shift
  done
  load_config "$file"
}
