# The configuration: one small file of `key = value` lines, read and never sourced. Environment variables (AWS's own
# names) win over it for the endpoints.
#
# Invariant: nothing of the file is ever evaluated (no `-v` and no arithmetic on its words, which bash expands twice), and
# what load_config lets through needs no escaping later: VIP names are [A-Za-z0-9._-], instance names are printable ASCII
# without quote and backslash, paths are absolute, endpoints are https unless loopback or allow_http says otherwise.

declare -A CONFIG=([bus]='' [fifo]=/run/vipshift/notify.fifo [state_dir]=/var/lib/vipshift
  [run_dir]=/run/vipshift [spool_max]=1000 [keepalived_pid]=auto [keepalived_json]=auto [keepalived_conf]=auto
  [leaving_poll]=5 [leaving_file]='' [demote_file]=/run/vipshift/demote
  [region]='' [role_id]='' [ca_file]='' [allow_http]=no [proxy]='' [dual_stack]=auto
  [endpoint_events]='' [endpoint_sts]='' [endpoint_imds]='' [direct]='')
declare -A VIPS_OF=()  # "INSTANCE VI_WEB" → "web other": the VIPs of this VRRP instance or sync group
declare -A NAMED_BY=() # VIP → "INSTANCE VI_WEB", since two voices for one VIP on one node would contradict each other
VIP_NAMES=()           # in the order of the file
CONFIG_ERRORS=()       # everything that is wrong with it, a line each
CONFIG_FILE=$DEFAULT_CONFIG
readonly NAME_MAX=255 # of the event's schema

wrong_config() { CONFIG_ERRORS+=("$CONFIG_FILE$1: $2"); }
wrong_line() { wrong_config " line $1" "$2"; }

# Reads all of it; CONFIG_ERRORS says what is wrong, and what is right is set all the same.
load_config() {
  CONFIG_FILE=$1
  if [[ -e $CONFIG_FILE && ! -r $CONFIG_FILE ]]; then
    CONFIG_ERRORS+=("cannot read $CONFIG_FILE: run this as root")
  elif [[ ! -r $CONFIG_FILE || -d $CONFIG_FILE ]]; then
    CONFIG_ERRORS+=("cannot read $CONFIG_FILE: run vipshift-notify install, or name another file with --config")
  else
    read_lines <"$CONFIG_FILE"
  fi
  CONFIG[leaving_poll]=$((10#${CONFIG[leaving_poll]}))
  CONFIG[leaving_file]=${CONFIG[leaving_file]:-${CONFIG[run_dir]}/leaving}
  override_endpoints
  check_endpoint endpoint_events
  check_endpoint endpoint_sts
  check_direct
  check_proxy
}

# The lines of the configuration, from standard input.
read_lines() {
  local line words key value number=0 named=0
  local -A seen=()
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    ((number > 1)) || line=${line#$'\xef\xbb\xbf'} # the mark that some editors put first
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    if ! [[ $line =~ ^[[:space:]]*([^=]*[^=[:space:]])[[:space:]]*=[[:space:]]*(.*)$ ]]; then
      without_password "$line"
      wrong_line $number "found \"$REPLY\", expected \"key = value\""
      continue
    fi
    value=${BASH_REMATCH[2]} words=(${BASH_REMATCH[1]})
    value=${value%"${value##*[![:space:]]}"} key=${words[*]} # one blank between `instance` and its name
    [[ $key == instance\ * || $key == group\ * ]] && named=1
    if [[ ${seen[$key]-} ]]; then
      wrong_line $number "\"$key\" is already set on line ${seen[$key]}: keep one of the two"
      continue
    fi
    seen[$key]=$number
    set_config "$number" "$key" "$value"
  done
  ((named)) || wrong_config '' 'names no VIP: add a line such as "instance VI_WEB = web"'
  # No default: to a bus that does not exist, PutEvents answers success.
  [[ ${seen[bus]-} ]] || wrong_config '' 'names no bus: add a line such as "bus = vipshift-prod"'
}

# A text as the journal may have it: without user and password of a URL.
without_password() { REPLY=${1/:\/\/*@/://...@}; }

set_config() {
  local -r number=$1 key=$2 value=$3
  local REPLY
  local -r path='^/[A-Za-z0-9._/@:+-]+$' host='[][A-Za-z0-9.:-]+/?$'
  local -r user='([A-Za-z0-9._~%!*+,;=-]+(:[A-Za-z0-9._~%!*+,;=-]*)?@)?'
  local expected=''
  case $key in
    instance\ * | group\ *)
      set_vips "$number" "$key" "$value"
      return
      ;;
    fifo | state_dir | run_dir | ca_file | leaving_file | demote_file) [[ $value =~ $path ]] || expected='an absolute path' ;;
    keepalived_pid) [[ $value == auto || $value == none || $value =~ $path ]] || expected='auto, none or an absolute path' ;;
    keepalived_json | keepalived_conf) [[ $value == auto || $value =~ $path ]] || expected='auto or an absolute path' ;;
    spool_max) [[ $value =~ ^[1-9][0-9]{0,5}$ ]] && ((value >= 20 && value <= 100000)) || expected='a number from 20 to 100000' ;;
    leaving_poll) [[ $value =~ ^[0-9]{1,2}$ ]] && ((10#$value <= 60)) || expected='whole seconds from 0 (off) to 60' ;;
    allow_http) [[ $value == yes || $value == no ]] || expected='yes or no' ;;
    dual_stack) [[ $value == yes || $value == no || $value == auto ]] || expected='auto, yes or no' ;;
    bus) [[ $value =~ ^[A-Za-z0-9._/:-]{1,400}$ ]] || expected='the name or ARN of an event bus' ;;
    region) [[ $value =~ ^[a-z]{2,4}(-[a-z]+)+-[0-9]+$ ]] || expected='one such as eu-west-1' ;;
    role_id) [[ $value =~ ^AROA[A-Z0-9]{4,60}$ ]] || expected="the AROA... id of the nodes' role" ;;
    proxy) [[ $value =~ ^https?://$user$host ]] || expected='http://HOST:PORT' ;;
    direct) [[ $value =~ ^https?://$host ]] || expected="the stack's output DirectUrl: https://ID.lambda-url.REGION.on.aws/" ;;
    endpoint_events | endpoint_sts | endpoint_imds)
      [[ $value =~ ^https?://$host ]] || expected='https://HOST or https://HOST:PORT'
      ;;
    *)
      wrong_line "$number" "unknown key \"$key\", expected one of: ${!CONFIG[*]}, \"instance NAME\", \"group NAME\""
      return
      ;;
  esac
  if [[ $expected ]]; then
    without_password "$value"
    wrong_line "$number" "$key is \"$REPLY\", expected $expected"
  else
    CONFIG[$key]=$value
  fi
}

set_vips() {
  local -r number=$1 kind=${2%% *} value=${3//,/ }
  local name=${2#* } vip wrong=''
  name=${name#"${name%%[![:space:]]*}"}
  local -r source="${kind^^} $name"
  if [[ $name == *[[:space:]\"\\]* ]]; then
    wrong="the name \"$name\" holds a blank, quote or backslash, expected keepalived's name of the $kind"
  elif [[ $name == *[![:graph:]]* ]]; then
    wrong="the name \"$name\" holds a letter that is not ASCII: rename the $kind in keepalived.conf"
  elif ((${#name} > NAME_MAX)); then
    wrong="the name of the $kind has ${#name} characters, expected at most $NAME_MAX: rename it in keepalived.conf"
  elif [[ ! ${value// /} ]]; then
    wrong="$kind $name names no VIP, expected one or more VIP names"
  fi
  if [[ $wrong ]]; then
    wrong_line "$number" "$wrong"
    return
  fi
  for vip in $value; do
    if [[ ! $vip =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ ]]; then
      wrong_line "$number" "\"$vip\" is no VIP name, expected letters, digits, dot, dash and underscore, at most 64"
    elif [[ ${NAMED_BY[$vip]-} ]]; then
      wrong_line "$number" "VIP \"$vip\" is already spoken for by ${NAMED_BY[$vip]}: a VIP has one voice per node, remove one line"
    else
      NAMED_BY[$vip]=$source
      VIP_NAMES+=("$vip")
    fi
  done
  VIPS_OF[$source]=$value
}

override_endpoints() {
  local key
  [[ -n ${AWS_ENDPOINT_URL_EVENTBRIDGE-} ]] && CONFIG[endpoint_events]=$AWS_ENDPOINT_URL_EVENTBRIDGE
  [[ -n ${AWS_ENDPOINT_URL_STS-} ]] && CONFIG[endpoint_sts]=$AWS_ENDPOINT_URL_STS
  [[ -n ${AWS_EC2_METADATA_SERVICE_ENDPOINT-} ]] && CONFIG[endpoint_imds]=$AWS_EC2_METADATA_SERVICE_ENDPOINT
  CONFIG[ca_file]=${CONFIG[ca_file]:-${AWS_CA_BUNDLE-}}
  for key in endpoint_events endpoint_sts endpoint_imds; do CONFIG[$key]=${CONFIG[$key]%/}; done
}

readonly LOOPBACK='^https?://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?$'

# Over plain http anyone on the path can read the session token, so it needs loopback or an explicit setting.
check_endpoint() {
  local -r url=${CONFIG[$1]}
  [[ -z $url || $url == https://* || $url =~ $LOOPBACK || ${CONFIG[allow_http]} == yes ]] ||
    wrong_config '' "$1 is \"$url\", expected https: plain http is only for loopback (or set allow_http = yes for a laboratory)"
}

readonly FUNCTION_URL='^https://[a-z0-9]+\.lambda-url\.([a-z]{2,4}(-[a-z]+)+-[0-9]+)\.on\.[a-z.]+$'

# Claims say who is master: they go to a function URL of the Region, and in a laboratory wherever it says.
check_direct() {
  local -r url=${CONFIG[direct]%/} region=${CONFIG[region]}
  CONFIG[direct]=$url
  [[ $url && ! $url =~ $LOOPBACK && ${CONFIG[allow_http]} == no ]] || return
  if ! [[ $url =~ $FUNCTION_URL ]]; then
    wrong_config '' "direct is \"$url\", expected the stack's output DirectUrl: https://ID.lambda-url.REGION.on.aws/"
  elif [[ $region && ${BASH_REMATCH[1]} != "$region" ]]; then
    wrong_config '' "direct is \"$url\", and region is $region: the stack's output DirectUrl of the same Region is expected"
  fi
}

# Where a proxy cannot do its work it is refused: it tunnels TLS to EventBridge, STS and the function URL, and never sees the metadata service.
check_proxy() {
  local key mode
  [[ ${CONFIG[proxy]} ]] || return
  for key in endpoint_events endpoint_sts direct; do
    if [[ ${CONFIG[$key]} =~ $LOOPBACK ]]; then
      wrong_config '' "$key is \"${CONFIG[$key]}\" on this machine, which the proxy cannot reach: remove one of the two"
    elif [[ ${CONFIG[$key]} == http://* ]]; then
      wrong_config '' "$key is \"${CONFIG[$key]}\", and the proxy would read the session token: expected https"
    fi
  done
  [[ ${CONFIG[proxy]} == *@* ]] || return
  mode=$(stat -L -c %a -- "$CONFIG_FILE" 2>/dev/null) || return
  (((8#$mode & 8#7) == 0)) || wrong_config '' "the proxy has a password, and others may read this file: chmod 600 $CONFIG_FILE"
}

warn_of_proxy() {
  [[ $PROXY_IN_ENVIRONMENT && ! ${CONFIG[proxy]} ]] || return 0
  warn "a proxy in the environment (https_proxy, all_proxy) is not used: where it is needed, say proxy = http://HOST:PORT in $CONFIG_FILE"
}

# --config FILE for every command; whatever else there is stays in REST. CONFIG_ERRORS is the caller's to look at.
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

# For commands that cannot do without.
require_config() {
  local error
  ((${#CONFIG_ERRORS[@]} > 0)) || return
  for error in "${CONFIG_ERRORS[@]}"; do complain "$error"; done
  exit 2
}
