# What the bus said to a request, entry by entry: HTTP 200 alone means nothing (FailedEntryCount).
#
# Invariant: an entry leaves the spool only when its own line in the answer has no ErrorCode. The others are sent again,
# in their order, before anything newer.
# Limit: an entry that the bus calls malformed would be refused for ever; it is dropped and counted, so that those
# behind it get through.

LAST_ERROR='' LAST_ERROR_AT_S=0 LAST_SENT_AT_S=0 SENT_COUNT=0 STATUS_CHANGED=0 ANSWER_TEXT='' ANSWER_PART=''
readonly ANSWER_MAX=65536 MESSAGE_MAX=300

# What curl has written so far: the body, and as the last line `vipshift sent ID CURL-STATUS HTTP-STATUS MESSAGE`.
take_answers() {
  local line words
  while [[ $SEND_ID ]] && read -r -t 0 -u "$ANSWERS_FD"; do
    IFS= read -r -t 0.02 -u "$ANSWERS_FD" line || {
      ANSWER_PART+=$line
      limit_answer
      return
    }
    line=$ANSWER_PART$line ANSWER_PART=''
    if [[ $line == 'vipshift sent '* ]]; then
      words=($line)
      if [[ ${words[2]-} == "$SEND_ID" && ${words[3]-} =~ ^[0-9]+$ && ${words[4]-} =~ ^[0-9]+$ ]]; then
        take_sent_word "${words[3]}" "${words[4]}" "${words[*]:5}"
      fi
      ANSWER_TEXT=''
    else
      ANSWER_TEXT+=$line$'\n'
      limit_answer
    fi
  done
  return 0
}

limit_answer() {
  ((${#ANSWER_TEXT} + ${#ANSWER_PART} > ANSWER_MAX)) || return
  give_up_request_because "an answer of more than $ANSWER_MAX characters: is this really EventBridge?"
}

take_sent_word() {
  local -r curl_status=$1 http_status=$2 message=$3
  wait "$SEND_PID" 2>/dev/null
  SEND_ID='' STATUS_CHANGED=1 CONNECT_S=$CONNECT_QUICK_S
  ((curl_status != TIMED_OUT)) || CONNECT_S=$CONNECT_SLOW_S
  if ((curl_status == 0)); then
    case $http_status in
      200) take_answer "$ANSWER_TEXT" ;;
      4??) take_refusal "$http_status" "$ANSWER_TEXT" ;;
      *) send_failed "the bus answered HTTP $http_status" ;;
    esac
  else
    ((curl_status == UNTRUSTED || curl_status == NO_ROOTS)) && trust_whole_store
    send_failed "curl status $curl_status: $message${CONFIG[proxy]:+ (by the proxy ${CONFIG[proxy]##*[@/]})}"
  fi
  BATCH=() IN_FLIGHT=()
}

give_up_request() {
  [[ $SEND_ID ]] && ((NOW_MS >= SEND_UNTIL_MS)) && give_up_request_because 'curl did not end in time'
}

# What that curl has written, or still will, is in a pipe that is not read any more: another request's answer never begins with it.
give_up_request_because() {
  kill "$SEND_PID" 2>/dev/null
  exec {ANSWERS_FD}>&-
  exec {ANSWERS_FD}<> <(:)
  SEND_ID='' STATUS_CHANGED=1 ANSWER_TEXT='' ANSWER_PART=''
  send_failed "$1"
  BATCH=() IN_FLIGHT=()
}

take_answer() {
  local i refused lines='' failed='' accepted=0
  if ! [[ $1 =~ \"FailedEntryCount\"[[:space:]]*:[[:space:]]*([0-9]+) ]]; then
    send_failed 'HTTP 200 without a FailedEntryCount: is this really EventBridge?'
    return
  fi
  refused=$((10#${BASH_REMATCH[1]:0:4})) ERROR_CODES=() EVENT_IDS=()
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
    SENT_COUNT=$((SENT_COUNT + accepted)) REFUSED_SPACING_MS=$SPACING_MIN_MS
    read_wall_seconds
    LAST_SENT_AT_S=$WALL_S
  fi
  if [[ $failed ]]; then
    [[ $failed == *Denied* || $failed == NotAuthorized* ]] && want_credentials && WANT_IDENTITY=1
    send_failed "the bus refused an entry: $failed"
  else
    RETRY_AT_MS=0 BACKOFF_MS=$BACKOFF_MIN_MS BATCH_LIMIT=$BATCH_MAX LAST_ERROR='' BUS_FAILURES=0
  fi
}

# Takes one entry that the bus accepted off what waits. `lines` of the caller collects what goes to the journal.
settle() {
  local -r item=($1)
  local -r key=${item[1]} seq=${item[2]-}
  case ${item[0]} in
    spool)
      lines+="- $key"$'\n'
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
  [[ $2 =~ \"[Mm]essage\"[[:space:]]*:[[:space:]]*\"([^\"]{0,300}) ]] && text=": ${BASH_REMATCH[1]}"
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
  printable "${1:0:MESSAGE_MAX}"
  LAST_ERROR=$REPLY
  read_wall_seconds
  LAST_ERROR_AT_S=$WALL_S
  read_clock
  RETRY_AT_MS=$((NOW_MS + BACKOFF_MS * (75 + RANDOM % 51) / 100))
  BACKOFF_MS=$((BACKOFF_MS * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : BACKOFF_MS * 2)) BUS_FAILURES=$((BUS_FAILURES + 1))
  assert_again
}
