# AWS's notices to this instance, asked of IMDS every `leaving_poll` seconds: a spot interruption, scheduled events, and the
# recommendation to rebalance. curl writes into a nameless pipe, and the daemon does not wait for it.
#
# Invariant: only an answer that is whole, of this request and of the documented form says anything; everything else, and no answer,
# leaves what is known as it is.
# Limit: a scheduled event is dated by the wall clock, AWS's by nature.

NOTICES_FD='' NOTICES_ID='' NOTICES_PID='' NOTICES_AT_MS=0 NOTICES_UNTIL_MS=0 NOTICES_DUE_MS=0 NOTICES_TEXT='' NOTICES_PART=''
NOTICES_TOKEN='' NOTICES_ERROR='' NOTICES_FAILED=0 NOTICES_LAST=0
declare -A NOTICE=() # place in NOTICE_PATHS → "HTTP-STATUS text"
readonly NOTICES_LIMIT_MS=3000 NOTICES_MAX=16384 NOTICES_BACKOFF_MAX_MS=5000 NOTICES_PATIENCE=3
readonly SPOT=0 SCHEDULED=1 REBALANCE=2 HISTORY=3
readonly NOTICE_PATHS=(spot/instance-action events/maintenance/scheduled events/recommendations/rebalance events/maintenance/history)

# Called by the daemon between lines: starts asking when it is due, takes what has come, gives up what hangs.
watch_notices() {
  if [[ $NOTICES_ID ]]; then
    take_notices
    [[ $NOTICES_ID ]] && ((NOW_MS >= NOTICES_UNTIL_MS)) || return 0
    kill "$NOTICES_PID" 2>/dev/null
    exec {NOTICES_FD}>&-
    exec {NOTICES_FD}<> <(:)
    notices_failed 'no answer in time'
  fi
  ((CONFIG[leaving_poll] > 0 && NOW_MS >= NOTICES_DUE_MS)) && ask_notices
  return 0
}

ask_notices() {
  local path url=${CONFIG[endpoint_imds]:-http://169.254.169.254} urls=()
  ((BY_IPV6)) && [[ ! ${CONFIG[endpoint_imds]} ]] && url='http://[fd00:ec2::254]'
  NOTICES_ID=$NOW_US NOTICES_AT_MS=$NOW_MS NOTICES_UNTIL_MS=$((NOW_MS + NOTICES_LIMIT_MS)) NOTICES_TEXT='' NOTICES_PART='' NOTICE=()
  if [[ ! $NOTICES_TOKEN ]]; then
    "${CURL[@]}" "${DIRECTLY[@]}" -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 21600' \
      -w "\nvipshift notice $NOTICES_ID token %{http_code} %{exitcode}\n" "$url/latest/api/token" >&"$NOTICES_FD" 2>/dev/null &
  else
    # What became of an event is asked for only by who left for it.
    NOTICES_LAST=$REBALANCE
    [[ $LEAVING_KEY == event* ]] && NOTICES_LAST=$HISTORY
    for path in "${NOTICE_PATHS[@]:0:NOTICES_LAST+1}"; do urls+=("$url/latest/meta-data/$path"); done
    "${CURL[@]}" "${DIRECTLY[@]}" -K /dev/fd/8 -w "\nvipshift notice $NOTICES_ID %{urlnum} %{http_code} %{exitcode}\n" \
      "${urls[@]}" 8<<<"header = \"x-aws-ec2-metadata-token: $NOTICES_TOKEN\"" >&"$NOTICES_FD" 2>/dev/null &
  fi
  NOTICES_PID=$!
}

# Bodies, each followed by `vipshift notice ID WHICH HTTP-STATUS CURL-STATUS`.
take_notices() {
  local line words
  while [[ $NOTICES_ID ]] && read -r -t 0 -u "$NOTICES_FD"; do
    IFS= read -r -t 0.02 -u "$NOTICES_FD" line || {
      NOTICES_PART+=$line
      ((${#NOTICES_PART} <= NOTICES_MAX)) || NOTICES_UNTIL_MS=0
      return
    }
    line=$NOTICES_PART$line NOTICES_PART=''
    if [[ $line == 'vipshift notice '* ]]; then
      words=($line)
      [[ ${words[2]} == "$NOTICES_ID" && ${words[3]-} =~ ^([0-3]|token)$ && ${words[4]-} =~ ^[0-9]+$ && ${words[5]-} =~ ^[0-9]+$ ]] && take_notice "${words[@]:3}"
      NOTICES_TEXT=''
    elif ((${#NOTICES_TEXT} <= NOTICES_MAX)); then
      NOTICES_TEXT+=$line$'\n'
    fi
  done
}

take_notice() {
  local -r which=$1 http=$2 curl=$3
  if [[ $which == token ]]; then
    if ((curl == 0)) && [[ $http == 200 && ${NOTICES_TEXT%$'\n'} =~ ^[A-Za-z0-9+/=_.-]+$ ]]; then
      NOTICES_TOKEN=${BASH_REMATCH[0]} NOTICES_ID=''
      ask_notices
    else
      notices_failed "no IMDSv2 token (curl status $curl, HTTP $http)"
    fi
    return
  fi
  if ((curl != 0)) || [[ $http != 200 && $http != 404 ]]; then
    # A token ends after six hours, and with the metadata service that gave it.
    [[ $http == 401 ]] && NOTICES_TOKEN=''
    NOTICES_ERROR="curl status $curl, HTTP $http"
  else
    NOTICE[$which]="$http $NOTICES_TEXT"
  fi
  ((which == NOTICES_LAST)) || return 0
  if ((${#NOTICE[@]} == NOTICES_LAST + 1)); then
    NOTICES_ID='' NOTICES_FAILED=0 NOTICES_ERROR=''
    wait "$NOTICES_PID" 2>/dev/null
    NOTICES_DUE_MS=$((NOW_MS + CONFIG[leaving_poll] * 1000))
    judge_notices
  else
    notices_failed "$NOTICES_ERROR"
  fi
}

# One that is not answered once or twice is not worth a word.
notices_failed() {
  local -r period=$((CONFIG[leaving_poll] * 1000))
  wait "$NOTICES_PID" 2>/dev/null
  NOTICES_ID='' NOTICES_ERROR='' NOTICES_FAILED=$((NOTICES_FAILED + 1))
  ((NOTICES_FAILED < NOTICES_PATIENCE)) || NOTICES_ERROR="the metadata service does not say whether this instance is to go: $1"
  NOTICES_DUE_MS=$((NOW_MS + (period < NOTICES_BACKOFF_MAX_MS ? period : NOTICES_BACKOFF_MAX_MS)))
}
