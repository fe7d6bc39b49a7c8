# What the bus said to a request, entry by entry: HTTP 200 alone means nothing (FailedEntryCount).
#
# Invariant: an entry leaves the spool only when its own line in the answer has no ErrorCode. The others are sent again,
# in their order, before anything newer.
# Limit: an entry that the bus calls malformed would be refused for ever; it is dropped and counted, so that those
# behind it get through.

LAST_ERROR='' LAST_ERROR_AT_S=0 LAST_SENT_AT_S=0 SENT_COUNT=0 STATUS_CHANGED=0
declare -a ERROR_CODES=() EVENT_IDS=()

# vipshift sent ID CURL-STATUS HTTP-STATUS MESSAGE
take_sent_word() {
  local -r id=$1 curl_status=$2 http_status=$3 message=$4
  [[ $id == "$SEND_ID" ]] || return # the last word of a request of a shim before this one
  wait "$SEND_PID" 2>/dev/null
  SEND_ID=''
  STATUS_CHANGED=1
  local reply=''
  if ((curl_status == 0)); then
    IFS= read -r -d '' reply <"${CONFIG[run_dir]}/reply"
    case $http_status in
      200) take_answer "$reply" ;;
      4??) take_refusal "$http_status" "$reply" ;;
      *) send_failed "the bus answered HTTP $http_status" ;;
    esac
  else
    ((curl_status == UNTRUSTED)) && trust_whole_store
    send_failed "curl status $curl_status: $message"
  fi
  BATCH=() IN_FLIGHT=()
}

give_up_request() {
  [[ $SEND_ID ]] && ((NOW_MS >= SEND_UNTIL_MS)) || return
  kill "$SEND_PID" 2>/dev/null
  SEND_ID='' BATCH=() IN_FLIGHT=() STATUS_CHANGED=1
  send_failed 'curl did not end in time'
}

take_answer() {
  local i refused lines='' failed='' accepted=0
  if ! [[ $1 =~ \"FailedEntryCount\"[[:space:]]*:[[:space:]]*([0-9]+) ]]; then
    send_failed 'HTTP 200 without a FailedEntryCount: is this really EventBridge?'
    return
  fi
  refused=${BASH_REMATCH[1]} ERROR_CODES=() EVENT_IDS=()
  ((refused + ${#PROBE_PENDING[@]} > 0)) && read_entries "$1"
  if ((refused > 0 && ${#ERROR_CODES[@]} != ${#BATCH[@]})); then
    send_failed 'an answer about another number of entries than were sent'
    return
  fi
  for i in "${!BATCH[@]}"; do
    case ${ERROR_CODES[i]-} in
      '')
        settle "${BATCH[i]}" "${EVENT_IDS[i]-}"
        accepted=$((accepted + 1))
        ;;
      MalformedDetail | InvalidArgument | ValidationException)
        failed=${ERROR_CODES[i]}
        drop_refused "${BATCH[i]}" "$failed"
        ;;
      *) failed=${ERROR_CODES[i]} ;;
    esac
  done
  journal "$lines"
  if ((accepted > 0)); then
    SENT_COUNT=$((SENT_COUNT + accepted)) CREDENTIALS_SPACING_MS=$SPACING_MIN_MS
    printf -v LAST_SENT_AT_S '%(%s)T' -1
  fi
  if [[ $failed ]]; then
    [[ $failed == *Denied* || $failed == NotAuthorized* ]] && want_credentials && WANT_IDENTITY=1
    send_failed "the bus refused an entry: $failed"
  else
    RETRY_AT_MS=0 BACKOFF_MS=$BACKOFF_MIN_MS BATCH_LIMIT=$BATCH_MAX LAST_ERROR=''
  fi
}

# Takes one entry that the bus accepted off what waits. `lines` of the caller collects what goes to the journal.
settle() {
  local what key seq
  read -r what key seq <<<"$1"
  case $what in
    spool)
      lines+="- ${Q[key]%% *}"$'\n'
      dequeue "$key"
      ;;
    # Another one may have come meanwhile.
    advert) [[ ${ADVERT_PENDING[$key]-} == "$seq "* ]] && unset "ADVERT_PENDING[$key]" ;;
    probe) probe_answered "$key" "${2:-unknown}" ;;
  esac
  return 0
}

drop_refused() {
  local -r item=$1
  if [[ $item == probe\ * ]]; then
    probe_refused "${item#probe }" "$2"
    return
  fi
  settle "$item"
  [[ $item == spool\ * ]] || return
  DROPPED=$((DROPPED + 1))
  lines+="dropped $DROPPED"$'\n'
}

# The whole request was refused: keys that expired or were taken away, a source that is not ours, or a bad request.
take_refusal() {
  local type="HTTP $1" text=''
  [[ $2 =~ \"__type\"[[:space:]]*:[[:space:]]*\"([^\"]*#)?([A-Za-z0-9.]+)\" ]] && type=${BASH_REMATCH[2]}
  [[ $2 =~ \"[Mm]essage\"[[:space:]]*:[[:space:]]*\"([^\"\\]{0,300}) ]] && text=": ${BASH_REMATCH[1]}"
  want_credentials
  case $type in
    *Denied* | NotAuthorized*) WANT_IDENTITY=1 ;;
    ValidationException | SerializationException | 'HTTP 413') isolate ;;
  esac
  send_failed "the bus refused the request: $type$text"
}

# One bad entry must not hold up the others: alone it is known, and dropped.
isolate() {
  local lines=''
  if ((${#BATCH[@]} > 1)); then
    BATCH_LIMIT=1
  else
    drop_refused "${BATCH[0]}" ValidationException
    journal "$lines"
  fi
}

send_failed() {
  LAST_ERROR=$1
  printf -v LAST_ERROR_AT_S '%(%s)T' -1
  read_clock
  RETRY_AT_MS=$((NOW_MS + BACKOFF_MS * (75 + RANDOM % 51) / 100))
  BACKOFF_MS=$((BACKOFF_MS * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : BACKOFF_MS * 2))
}

# ERROR_CODES[i] and EVENT_IDS[i] of every member of Entries, '' where there is none. Walks the JSON token by token, since
# messages may hold braces and quotes; only ever done for the few hundred bytes of a partial failure or a probe.
read_entries() {
  local -r token='^[[:space:],:]*("([^"\\]|\\.)*"|[][{}]|[^][{}",:[:space:]]+)'
  local rest depth=0 key='' i=-1
  [[ $1 =~ \"Entries\"[[:space:]]*:[[:space:]]*\[(.*)$ ]] || return
  rest=${BASH_REMATCH[1]}
  while [[ $rest =~ $token ]]; do
    rest=${rest:${#BASH_REMATCH[0]}}
    case ${BASH_REMATCH[1]} in
      '{')
        depth=$((depth + 1)) key=''
        if ((depth == 1)); then i=$((i + 1)) && ERROR_CODES[i]='' EVENT_IDS[i]=''; fi
        ;;
      '}') depth=$((depth - 1)) key='' ;;
      ']') ((depth == 0)) && return ;;
      *)
        # Within an object names and values alternate.
        if [[ -z $key ]]; then
          key=${BASH_REMATCH[1]}
        else
          case $key:${BASH_REMATCH[1]} in
            '"ErrorCode":"'*) ERROR_CODES[i]=${BASH_REMATCH[1]//\"/} ;;
            '"EventId":"'*) EVENT_IDS[i]=${BASH_REMATCH[1]//[!A-Za-z0-9-]/} ;;
          esac
          key=''
        fi
        ;;
    esac
  done
}
