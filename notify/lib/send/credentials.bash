# Credentials of the instance's role (IMDSv2) and the node's own user id (STS), fetched ahead by a job of the daemon's.
#
# Invariant: keys and tokens exist only in files of mode 0600 in run_dir (tmpfs) and in the memory of that job; they reach
# curl by `-K FILE`, never by a command line or the environment.
# Limit: IMDS does not give the role's id, so a node without a way to STS needs `role_id` in its configuration.

REGION='' NODE='' USER_ID='' ROLE='' EXPIRES_S=0 FETCHED_S=0 CREDENTIALS_ERROR=''
CREDENTIALS_JOB='' CREDENTIALS_PID='' CREDENTIALS_UNTIL_MS=0 CREDENTIALS_STARTED_MS=-100000 CREDENTIALS_DUE_MS=0
CREDENTIALS_SPACING_MS=100 WANT_IDENTITY=0
readonly REFRESH_BEFORE_S=600 CREDENTIALS_LIMIT_MS=10000 SPACING_MIN_MS=100 SPACING_MAX_MS=60000

CURL=(curl -q -s --noproxy '*' --connect-timeout 0.5 --max-time 2 --max-filesize 1000000 --http1.1)

# Called by the daemon between lines: starts the job when it is due, gives one up that hangs.
refresh_credentials() {
  if [[ $CREDENTIALS_JOB ]]; then
    ((NOW_MS < CREDENTIALS_UNTIL_MS)) && return
    kill "$CREDENTIALS_PID" 2>/dev/null
    credentials_failed 'no answer within 10 s'
  fi
  ((NOW_MS >= CREDENTIALS_DUE_MS)) || return
  CREDENTIALS_JOB=$NOW_US CREDENTIALS_STARTED_MS=$NOW_MS CREDENTIALS_UNTIL_MS=$((NOW_MS + CREDENTIALS_LIMIT_MS))
  CREDENTIALS_SPACING_MS=$((CREDENTIALS_SPACING_MS * 2 > SPACING_MAX_MS ? SPACING_MAX_MS : CREDENTIALS_SPACING_MS * 2))
  credentials_job &
  CREDENTIALS_PID=$!
}

# After a refusal: at once, then ever more seldom until the bus accepts something again.
want_credentials() {
  local -r earliest=$((CREDENTIALS_STARTED_MS + CREDENTIALS_SPACING_MS))
  ((earliest < CREDENTIALS_DUE_MS)) && CREDENTIALS_DUE_MS=$earliest
  return 0
}

# The job's last word, through the FIFO: `vipshift credentials JOB ok`, or the reason instead of ok.
take_credentials_word() {
  [[ $1 == "$CREDENTIALS_JOB" ]] || return
  wait "$CREDENTIALS_PID" 2>/dev/null
  read_clock
  if [[ $2 == ok ]] && load_credentials; then
    CREDENTIALS_JOB='' CREDENTIALS_ERROR='' WANT_IDENTITY=0
    schedule_refresh 60
    RETRY_AT_MS=$NOW_MS
  else
    credentials_failed "$2"
  fi
  STATUS_CHANGED=1
}

credentials_failed() {
  CREDENTIALS_ERROR=$1 CREDENTIALS_JOB=''
  CREDENTIALS_DUE_MS=$((NOW_MS + CREDENTIALS_SPACING_MS * (75 + RANDOM % 51) / 100))
  STATUS_CHANGED=1
}

# Ahead of their end, but never sooner than in $1 seconds.
schedule_refresh() {
  local now_s
  printf -v now_s '%(%s)T' -1
  local -r wait_s=$((EXPIRES_S - now_s - REFRESH_BEFORE_S))
  CREDENTIALS_DUE_MS=$((NOW_MS + (wait_s < $1 ? $1 : wait_s) * 1000))
}

# What a job left behind, also one of a shim before this one: then there is no wait at all.
load_credentials() {
  local expires fetched region node user
  [[ -s ${CONFIG[run_dir]}/credentials && -r ${CONFIG[run_dir]}/credentials.about ]] || return 1
  read -r expires fetched region node user <"${CONFIG[run_dir]}/credentials.about" || return 1
  [[ $expires =~ ^[0-9]+$ && $user == *:"$node" ]] || return 1
  EXPIRES_S=$expires FETCHED_S=$fetched REGION=$region NODE=$node USER_ID=$user
}

# Runs in parallel with the daemon. Its files appear by rename, the keys before the line about them.
credentials_job() {
  local reason='it ended early'
  trap 'printf "vipshift credentials %s %s\n" "$CREDENTIALS_JOB" "$reason" >&"$FIFO_FD"' EXIT
  trap - TERM INT
  if fetch_credentials; then reason=ok; else reason=${FETCH_ERROR//$'\n'/ }; fi
  exit 0
}

fetch_credentials() {
  local -r dir=${CONFIG[run_dir]}
  local now_s
  fetch_instance && fetch_keys && learn_user_id || return 1
  printf -v now_s '%(%s)T' -1
  printf '%s %s %s %s %s\n' "$EXPIRES_S" "$now_s" "$REGION" "$NODE" "$USER_ID" >"$dir/credentials.about.new" &&
    mv -f -- "$dir/credentials.new" "$dir/credentials" && mv -f -- "$dir/credentials.about.new" "$dir/credentials.about" &&
    return
  FETCH_ERROR="cannot write in $dir"
  return 1
}

imds() { REPLY=$("${CURL[@]}" -f -K "${CONFIG[run_dir]}/imds" "${CONFIG[endpoint_imds]}/latest/$1"); }

fetch_instance() {
  local token
  local -r dir=${CONFIG[run_dir]}
  token=$("${CURL[@]}" -f -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 300' "${CONFIG[endpoint_imds]}/latest/api/token")
  FETCH_ERROR="no IMDSv2 token from ${CONFIG[endpoint_imds]} (curl status $?): is the metadata service switched off, or is this no EC2 instance?"
  [[ $token =~ ^[A-Za-z0-9+/=_.-]+$ ]] || return 1
  printf 'header = "x-aws-ec2-metadata-token: %s"\n' "$token" >"$dir/imds" || return 1
  FETCH_ERROR="no instance id from ${CONFIG[endpoint_imds]}"
  imds meta-data/instance-id && [[ $REPLY =~ ^i-[0-9a-f]{8,17}$ ]] || return 1
  NODE=$REPLY REGION=${CONFIG[region]}
  [[ $REGION ]] && return
  FETCH_ERROR="no Region from ${CONFIG[endpoint_imds]}: set region in $CONFIG_FILE"
  imds meta-data/placement/region && [[ $REPLY =~ ^[a-z0-9-]+$ ]] || return 1
  REGION=$REPLY
}

fetch_keys() {
  local key secret token
  FETCH_ERROR='the instance has no role: attach an instance profile with the node policy'
  imds meta-data/iam/security-credentials/ && [[ $REPLY =~ ^[A-Za-z0-9+=,.@_-]+ ]] || return 1
  ROLE=${BASH_REMATCH[0]}
  FETCH_ERROR="no credentials of role $ROLE from ${CONFIG[endpoint_imds]}"
  imds "meta-data/iam/security-credentials/$ROLE" || return 1
  json_string "$REPLY" AccessKeyId && key=$REPLY_STRING &&
    json_string "$REPLY" SecretAccessKey && secret=$REPLY_STRING &&
    json_string "$REPLY" Token && token=$REPLY_STRING &&
    json_string "$REPLY" Expiration && epoch_of "$REPLY_STRING" || return 1
  EXPIRES_S=$EPOCH_S
  printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$key" "$secret" "$token" >"${CONFIG[run_dir]}/credentials.new"
}

# A string of a flat JSON object; only of the characters that keys, tokens and dates are made of, which need no escape.
json_string() { [[ $1 =~ \"$2\"[[:space:]]*:[[:space:]]*\"([A-Za-z0-9/+=:._-]+)\" ]] && REPLY_STRING=${BASH_REMATCH[1]}; }

# <role id>:<instance id>, from the cache on disk unless the role or the instance changed or the bus refused it.
learn_user_id() {
  local -r cache=${CONFIG[state_dir]}/identity
  local user='' node='' role=''
  if [[ ${CONFIG[role_id]} ]]; then
    USER_ID=${CONFIG[role_id]}:$NODE
    return
  fi
  [[ -r $cache ]] && read -r user node role <"$cache"
  if [[ $node == "$NODE" && $role == "$ROLE" && $user == *:"$NODE" ]] && ((!WANT_IDENTITY)); then
    USER_ID=$user
    return
  fi
  ask_sts || return 1
  printf '%s %s %s\n' "$USER_ID" "$NODE" "$ROLE" >"$cache.new" && mv -f -- "$cache.new" "$cache"
}

aws_host() { if [[ $REGION == cn-* ]]; then HOST=$1.$REGION.amazonaws.com.cn; else HOST=$1.$REGION.amazonaws.com; fi; }

ask_sts() {
  aws_host sts
  local -r url=${CONFIG[endpoint_sts]:-https://$HOST}
  local answer status
  answer=$(get_caller_identity "$url")
  status=$?
  if ((status == UNTRUSTED)); then
    trust_whole_store
    answer=$(get_caller_identity "$url")
    status=$?
  fi
  FETCH_ERROR="no GetCallerIdentity from $url (curl status $status): give the node a way to STS, or set role_id in $CONFIG_FILE"
  [[ $answer =~ \<UserId\>([A-Za-z0-9]+:[A-Za-z0-9=,.@_-]+)\</UserId\> ]] || return 1
  USER_ID=${BASH_REMATCH[1]}
  FETCH_ERROR="STS says $USER_ID, IMDS says $NODE: the role is not assumed by EC2 itself, so its user id proves nothing"
  [[ $USER_ID == *:"$NODE" ]]
}

get_caller_identity() {
  "${CURL[@]}" "${TLS[@]}" -K "${CONFIG[run_dir]}/credentials.new" --aws-sigv4 "aws:amz:$REGION:sts" \
    --data 'Action=GetCallerIdentity&Version=2011-06-15' "$1/"
}
