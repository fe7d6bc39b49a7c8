# The credential job, a process of its own: IMDSv2 for instance, Region and the role's keys, STS for the user id.
#
# Invariant: it answers with both or with one reason, which has what IMDS or STS said themselves.
# Limit: IMDS does not give the role's id, so a node without a way to STS needs `role_id` in its configuration.

readonly UNREACHABLE=7 TIMED_OUT=28
IMDS_HEADER='' IMDS_SECRET='' IMDS_URL='' HTTP_STATUS='' ROLE=''

credentials_job() {
  local reason='it ended early'
  trap 'printf "failed %s %s\n" "$CREDENTIALS_JOB" "$reason" >&"$JOB_FD"' EXIT
  trap - TERM INT
  FETCH_ERROR=''
  if fetch_credentials; then
    trap - EXIT
    exit 0
  fi
  printable "${FETCH_ERROR:0:500}"
  reason=$REPLY
  exit 0
}

fetch_credentials() {
  local kept=0
  fetch_instance && fetch_keys || return 1
  secrets_for_curl "$KEY" "$SECRET" "$TOKEN"
  keep_secrets credentials.new "$SECRETS"
  learn_user_id || return 1
  read_wall_seconds
  local -r about="$EXPIRES_S $WALL_S $REGION $NODE $USER_ID $BY_IPV6"
  keep_credentials "$about" && kept=1
  printf 'secrets %s %s %s %s\nok %s %s %s\n' "$CREDENTIALS_JOB" "$KEY" "$SECRET" "$TOKEN" "$CREDENTIALS_JOB" "$about" $kept >&"$JOB_FD"
}

# For the next start, where there is room. By rename, the keys before the line about them.
keep_credentials() {
  local -r dir=${CONFIG[run_dir]}
  [[ $SECRETS_FILE == "$dir/credentials.new" ]] || return 1
  {
    printf '%s\n' "$1" >"$dir/credentials.about.new" && mv -f -- "$SECRETS_FILE" "$dir/credentials" &&
      mv -f -- "$dir/credentials.about.new" "$dir/credentials.about" && return
    rm -f -- "$dir/credentials.new" "$dir/credentials.about.new"
  } 2>/dev/null
  return 1
}

# REPLY and HTTP_STATUS of one request; the status is curl's.
ask() {
  local status
  REPLY=$("${CURL[@]}" -w '\n%{http_code}' "$@" 2>/dev/null)
  status=$?
  HTTP_STATUS=${REPLY##*$'\n'} REPLY=${REPLY%$'\n'*}
  return "$status"
}

imds() {
  ask "${DIRECTLY[@]}" -K "$IMDS_SECRET" "$IMDS_URL/latest/meta-data/$1" 8<<<"$IMDS_HEADER" && [[ $HTTP_STATUS == 200 ]]
}

# What IMDS answered instead, for a reason.
imds_said() { REPLY="$IMDS_URL answered HTTP $HTTP_STATUS to $1"; }

fetch_instance() {
  fetch_token || return 1
  if ! imds instance-id || ! [[ $REPLY =~ ^i-[0-9a-f]{8,17}$ ]]; then
    imds_said instance-id
    FETCH_ERROR="no instance id: $REPLY"
    return 1
  fi
  NODE=$REPLY REGION=${CONFIG[region]}
  [[ $REGION ]] && return
  if ! imds placement/region || ! [[ $REPLY =~ ^[a-z0-9-]+$ ]]; then
    imds_said placement/region
    FETCH_ERROR="no Region: $REPLY; set region in $CONFIG_FILE"
    return 1
  fi
  REGION=$REPLY
}

# By IPv4, else by IPv6, which is all that an IPv6-only subnet has.
fetch_token() {
  local url status first=0 urls=(http://169.254.169.254 'http://[fd00:ec2::254]')
  [[ ${CONFIG[endpoint_imds]} ]] && urls=("${CONFIG[endpoint_imds]}")
  BY_IPV6=0
  for url in "${urls[@]}"; do
    ask "${DIRECTLY[@]}" -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 300' "$url/latest/api/token"
    status=$?
    if ((status == 0)) && [[ $HTTP_STATUS == 200 && $REPLY =~ ^[A-Za-z0-9+/=_.-]+$ ]]; then
      IMDS_URL=$url IMDS_HEADER="header = \"x-aws-ec2-metadata-token: $REPLY\""
      keep_secrets imds "$IMDS_HEADER"
      IMDS_SECRET=$SECRETS_FILE
      [[ $url == *'[fd00:ec2::254]' ]] && BY_IPV6=1
      return 0
    fi
    ((first)) || first=$status
    # It is there, and refuses; then the other address would do the same.
    ((status == 0)) && break
  done
  explain_token "${urls[*]}" "$first"
  return 1
}

explain_token() {
  FETCH_ERROR="no IMDSv2 token from ${1// / or } (curl status $2): "
  case $2 in
    "$TIMED_OUT") FETCH_ERROR+='no answer; in a container HttpPutResponseHopLimit must be 2, else is this no EC2 instance?' ;;
    "$UNREACHABLE") FETCH_ERROR+='unreachable; in an IPv6-only subnet switch on HttpProtocolIpv6 (endpoint_imds = http://[fd00:ec2::254]), else is the metadata service switched off, or is this no EC2 instance?' ;;
    0)
      if [[ $HTTP_STATUS == 200 ]]; then
        FETCH_ERROR+='HTTP 200 with something that is no token; is it the metadata service that answers there?'
      else
        FETCH_ERROR+="HTTP $HTTP_STATUS; is the metadata service switched off (HttpEndpoint)?"
      fi
      ;;
    *) FETCH_ERROR+='is the metadata service switched off, or is this no EC2 instance?' ;;
  esac
}

fetch_keys() {
  if ! imds iam/security-credentials/ || ! [[ $REPLY =~ ^[A-Za-z0-9+=,.@_-]+ ]]; then
    imds_said iam/security-credentials/
    FETCH_ERROR="the instance has no role ($REPLY): attach an instance profile with the node policy"
    return 1
  fi
  ROLE=${BASH_REMATCH[0]}
  imds "iam/security-credentials/$ROLE" &&
    json_string "$REPLY" AccessKeyId && KEY=$REPLY_STRING &&
    json_string "$REPLY" SecretAccessKey && SECRET=$REPLY_STRING &&
    json_string "$REPLY" Token && TOKEN=$REPLY_STRING &&
    json_string "$REPLY" Expiration && epoch_of "$REPLY_STRING" && EXPIRES_S=$EPOCH_S && return
  explain_keys "$REPLY"
  return 1
}

# IMDS answers 200 with Code and Message where EC2 may not assume the role.
explain_keys() {
  local code=''
  FETCH_ERROR="no credentials of role $ROLE from $IMDS_URL (HTTP $HTTP_STATUS)"
  json_string "$1" Code && code=$REPLY_STRING
  [[ $code && $code != Success ]] || return
  FETCH_ERROR+=": $code"
  [[ $1 =~ \"Message\"[[:space:]]*:[[:space:]]*\"([^\"]{0,300}) ]] && FETCH_ERROR+=": ${BASH_REMATCH[1]}"
  [[ $code == AssumeRole* ]] && FETCH_ERROR+='; the trust policy of the role must name ec2.amazonaws.com'
}

# A string of a flat JSON object; only of the characters that keys, tokens and dates are made of, which need no escape.
json_string() { [[ $1 =~ \"$2\"[[:space:]]*:[[:space:]]*\"([A-Za-z0-9/+=:._-]+)\" ]] && REPLY_STRING=${BASH_REMATCH[1]}; }

# <role id>:<instance id>, from the cache on disk unless the role or the instance changed or the bus refused it.
learn_user_id() {
  local -r cache=${CONFIG[state_dir]}/identity
  local words=()
  if [[ ${CONFIG[role_id]} ]]; then
    USER_ID=${CONFIG[role_id]}:$NODE
    return
  fi
  [[ -r $cache ]] && { read -r -a words <"$cache"; } 2>/dev/null
  if [[ ${words[1]-} == "$NODE" && ${words[2]-} == "$ROLE" && ${words[0]-} =~ ^[A-Za-z0-9]+:"$NODE"$ ]] && ((!WANT_IDENTITY)); then
    USER_ID=${words[0]}
    return
  fi
  ask_sts || return 1
  # What cannot be kept is asked for again.
  { printf '%s %s %s\n' "$USER_ID" "$NODE" "$ROLE" >"$cache.new" && mv -f -- "$cache.new" "$cache" || rm -f -- "$cache.new"; } 2>/dev/null
  return 0
}

ask_sts() {
  local status code=''
  url_of sts
  get_caller_identity
  status=$?
  if ((status == UNTRUSTED || status == NO_ROOTS)); then
    trust_whole_store
    get_caller_identity
    status=$?
  fi
  if ! [[ $REPLY =~ \<UserId\>([A-Za-z0-9]+:[A-Za-z0-9=,.@_-]+)\</UserId\> ]]; then
    FETCH_ERROR="no GetCallerIdentity from $URL (curl status $status, HTTP $HTTP_STATUS)"
    [[ $REPLY =~ \<Code\>([A-Za-z0-9.]+)\</Code\> ]] && code=${BASH_REMATCH[1]} && FETCH_ERROR+=": $code"
    [[ $REPLY =~ \<Message\>([^\<]{1,300})\</Message\> ]] && FETCH_ERROR+=": ${BASH_REMATCH[1]}"
    [[ $code ]] || FETCH_ERROR+=": give the node a way to STS, or set role_id in $CONFIG_FILE"
    return 1
  fi
  USER_ID=${BASH_REMATCH[1]}
  [[ $USER_ID == *:"$NODE" ]] && return
  FETCH_ERROR="STS says $USER_ID, IMDS says $NODE: the role is not assumed by EC2 itself, so its user id proves nothing"
  return 1
}

get_caller_identity() {
  ask "${TLS[@]}" -K "$SECRETS_FILE" --aws-sigv4 "aws:amz:$REGION:sts" \
    --data 'Action=GetCallerIdentity&Version=2011-06-15' "$URL/" 8<<<"$SECRETS"
}
