# The second way: a node that is configured with the controller's function URL (`direct`) sends each transition there, too, at once.
# Each call is one curl process, with a transfer for every claim that is new.
#
# Invariant: neither way waits for the other; each has its own process, limits and back-off. What this way took stays in the spool
# until the bus has it, since the bus alone is archived.
# Nothing superseded goes this way. Of answers only the status and two short headers are read, so a server that says a lot, or
# nothing, holds nothing up.
# Limit: a failover that takes longer than curl waits is asked for again; the controller knows the claim by its number.

declare -A CALLS=()     # call → "pid until-ms transfers"
declare -A UNDER_WAY=() # "kind VIP seq" → call
declare -A TRIED=()     # VIP → seq of the newest transition that went this way
declare -A SAID=()      # VIP → seq of the newest transition that this way has answered
declare -A ASSERTED=()  # VIP → seq of the newest assertion that went this way
declare -A DIRECT_PROBE=()
DIRECT_FD='' DIRECT_ERROR='' DIRECT_ERROR_AT_S=0 LAST_SAID_AT_S=0 DIRECT_DUE_MS=0 DIRECT_PAUSE_MS=1000 DIRECT_PAUSED_UNTIL_MS=0 DIRECT_RETRY_AT_MS=0
DIRECT_BACKOFF_MS=100 DIRECT_SECOND=0 DIRECT_STARTED=0 DIRECT_CONNECT_S=0.5 DIRECT_STORE='few' CALL=0 TRANSFERS='' DIRECT_PART='' TRANSFER_COUNT=0 BUS_FAILURES=0
# Calls at once, and in a second; what curl has for one, and what the daemon has; and how often it looks for an answer.
readonly CALLS_MAX=4 CALLS_A_SECOND=10 DIRECT_MAX_S=2 DIRECT_LIMIT_MS=2500 DIRECT_POLL_MS=40
# After a refusal that is not about one claim: the URL, the rights or the name are wrong, which an operator has to correct.
readonly DIRECT_PAUSE_MIN_MS=1000 DIRECT_PAUSE_MAX_MS=60000
# From so many failures of the bus in a row on an assertion goes this way, too.
readonly BUS_FAILS_FROM=2 ASSERTED_AGAIN_MS=3000 NO_SUCH_HOST=6

# Starts a call for whatever has not been said this way. Returns at once.
send_directly() {
  local vip
  has_direct_way && ((${#CALLS[@]} < CALLS_MAX)) || return 0
  TRANSFERS='' TRANSFER_COUNT=0 CALL=$((CALL + 1))
  for vip in "${!DIRECT_PROBE[@]}"; do add_transfer probe "$vip" "${DIRECT_PROBE[$vip]}"; done
  if ((NOW_MS >= DIRECT_PAUSED_UNTIL_MS)) && calls_left; then
    for vip in "${!NEWEST[@]}"; do add_transition "$vip"; done
    if asserts_directly; then add_assertions; fi
  fi
  # While the spool waits no assertion goes by the bus.
  ((BUS_FAILURES >= BUS_FAILS_FROM && Q_COUNT > 0)) && READY=()
  ((TRANSFER_COUNT)) && start_call
  return 0
}

has_direct_way() {
  [[ ${CONFIG[direct]} && $USER_ID ]] || return
  [[ ! ${CONFIG[direct]} =~ $FUNCTION_URL || ${BASH_REMATCH[1]} == "$REGION" ]] && return
  [[ $DIRECT_ERROR == *' Region '* ]] || direct_trouble "direct is \"${CONFIG[direct]}\", and the Region is $REGION"
  return 1
}

calls_left() {
  ((NOW_MS / 1000 == DIRECT_SECOND)) || DIRECT_SECOND=$((NOW_MS / 1000)) DIRECT_STARTED=0
  ((DIRECT_STARTED < CALLS_A_SECOND))
}

# Whether a transition waits to be said, or said again; DIRECT_DUE_MS is when.
direct_waits() {
  local vip
  has_direct_way || return
  for vip in "${!NEWEST[@]}"; do is_said "$vip" || break; done
  [[ ${vip-} ]] && ! is_said "$vip" || return
  DIRECT_DUE_MS=$DIRECT_PAUSED_UNTIL_MS
  [[ ${TRIED[$vip]-} == "${NEWEST[$vip]}" ]] && ((DIRECT_RETRY_AT_MS > DIRECT_DUE_MS)) && DIRECT_DUE_MS=$DIRECT_RETRY_AT_MS
  calls_left || ((DIRECT_DUE_MS >= (DIRECT_SECOND + 1) * 1000)) || DIRECT_DUE_MS=$(((DIRECT_SECOND + 1) * 1000))
  return 0
}

# What is newest of this VIP has been answered, or is left to the bus because nothing waits.
is_said() { [[ ! ${NEWEST[$1]-} || ${SAID[$1]-} == "${NEWEST[$1]}" ]]; }

add_transition() {
  local -r seq=${NEWEST[$1]}
  is_said "$1" && return
  [[ ${TRIED[$1]-} != "$seq" ]] || ((NOW_MS >= DIRECT_RETRY_AT_MS)) || return
  add_transfer transition "$1" "${Q[$seq]}"
  TRIED[$1]=$seq
}

# The bus fails, and no transition waits that this way has not said.
asserts_directly() {
  local vip
  ((BUS_FAILURES >= BUS_FAILS_FROM && NOW_MS >= DIRECT_PAUSED_UNTIL_MS)) && has_direct_way || return
  for vip in "${!NEWEST[@]}"; do is_said "$vip" || return; done
}

add_assertions() {
  local vip
  for vip in "${!READY[@]}"; do
    [[ ${ASSERTED[$vip]-} == "${READY[$vip]%% *}" ]] && continue
    add_transfer assertion "$vip" "${READY[$vip]}"
    ASSERTED[$vip]=${READY[$vip]%% *}
  done
}

# Of a claim that is under way nothing is added; as curl's configuration, where keys are on no command line.
add_transfer() { # KIND VIP CLAIM
  local -r key="$1 $2 ${3%% *}"
  ((TRANSFER_COUNT < BATCH_MAX)) && [[ ! ${UNDER_WAY[$key]-} ]] || return 0
  describe_claim "$3" "$1"
  UNDER_WAY[$key]=$CALL
  TRANSFER_COUNT=$((TRANSFER_COUNT + 1))
  TRANSFERS+="${TRANSFERS:+next$'\n'}url = \"${CONFIG[direct]}/\"
silent
http1.1
output = \"/dev/null\"
max-time = $DIRECT_MAX_S
connect-timeout = $DIRECT_CONNECT_S
aws-sigv4 = \"aws:amz:$REGION:lambda\"
header = \"content-type: application/json\"
data-binary = \"$DETAIL\"
write-out = \"\\nvipshift said $CALL $key %{exitcode} %{http_code} id:%header{x-amzn-requestid} type:%header{x-amzn-errortype} reason:%header{vipshift-reason} message:%{errormsg}\\n\"
$SECRETS"
  [[ $DIRECT_STORE == few && ${TLS[1]-} ]] && TRANSFERS+="cacert = \"${TLS[1]}\""$'\n'
  return 0
}

start_call() {
  printf '%s' "$TRANSFERS" 2>/dev/null | curl -q --parallel -K - >&"$DIRECT_FD" 2>/dev/null &
  CALLS[$CALL]="$! $((NOW_MS + DIRECT_LIMIT_MS)) $TRANSFER_COUNT"
  DIRECT_STARTED=$((DIRECT_STARTED + 1)) TRANSFERS=''
}

# What ended since; a bounded number of lines, the rest in the next step.
take_direct_answers() {
  local line count=0
  local -r word='^vipshift said ([0-9]+) ([a-z]+) ([^ ]+) ([0-9]+) ([0-9]+) ([0-9]+) id:(.*) type:(.*) reason:(.*) message:(.*)$'
  while ((${#CALLS[@]} && count++ < 50)) && read -r -t 0 -u "$DIRECT_FD"; do
    IFS= read -r -n 2000 -t 0.02 -u "$DIRECT_FD" line || {
      DIRECT_PART=${DIRECT_PART:0:2000}$line
      break
    }
    [[ $DIRECT_PART$line =~ $word ]] && end_transfer "${BASH_REMATCH[@]:1}"
    DIRECT_PART=''
  done
  give_up_calls
}

# CALL KIND VIP SEQ CURL-STATUS HTTP-STATUS REQUEST-ID ERROR-TYPE REASON MESSAGE
end_transfer() {
  local -r key="$2 $3 $4"
  local -r call=(${CALLS[$1]-})
  [[ ${UNDER_WAY[$key]-} == "$1" ]] || return
  unset "UNDER_WAY[$key]"
  STATUS_CHANGED=1 DIRECT_CONNECT_S=$CONNECT_QUICK_S
  if ((call[2] > 1)); then
    CALLS[$1]="${call[0]} ${call[1]} $((call[2] - 1))"
  else
    unset "CALLS[$1]"
  fi
  if (($5 == 0 && $6 == 200)); then
    said "$2" "$3" "$4" "$7"
  elif (($5 == 0)) && [[ $9 ]]; then
    # No better if it were said again.
    [[ $2 == transition ]] && SAID[$3]=$4
    not_said "$2" "$3" "the controller refused the claim of $3: $9 (HTTP $6)"
  elif (($5 == 0)); then
    not_said "$2" "$3" "the function URL answered HTTP $6${8:+: $8}"
    case $6 in
      408 | 429) ;;
      4??) pause_direct_way ;;
    esac
  else
    (($5 != TIMED_OUT)) || DIRECT_CONNECT_S=$CONNECT_SLOW_S
    not_said "$2" "$3" "curl status $5 on the direct way: ${10}${CONFIG[proxy]:+ (by the proxy ${CONFIG[proxy]##*[@/]})}"
    case $5 in
      "$NO_SUCH_HOST") pause_direct_way ;;
      "$UNTRUSTED" | "$NO_ROOTS") if [[ $DIRECT_STORE == few && ! ${CONFIG[ca_file]} ]]; then DIRECT_STORE=whole; else DIRECT_STORE=few; fi ;;
    esac
  fi
}

said() { # KIND VIP SEQ REQUEST-ID
  [[ $1 == transition ]] && SAID[$2]=$3
  read_wall_seconds
  LAST_SAID_AT_S=$WALL_S DIRECT_ERROR='' DIRECT_BACKOFF_MS=$BACKOFF_MIN_MS DIRECT_PAUSE_MS=$DIRECT_PAUSE_MIN_MS DIRECT_PAUSED_UNTIL_MS=0
  [[ $1 == probe ]] && direct_probe_ended "$2" "said $2 ${4:-unknown}"
  return 0
}

not_said() { # KIND VIP REASON
  direct_trouble "$3"
  DIRECT_RETRY_AT_MS=$((NOW_MS + DIRECT_BACKOFF_MS * (75 + RANDOM % 51) / 100))
  doubled "$DIRECT_BACKOFF_MS" $BACKOFF_MAX_MS
  DIRECT_BACKOFF_MS=$REPLY
  [[ $1 == probe ]] && direct_probe_ended "$2" "unsaid $2 $DIRECT_ERROR"
  return 0
}

direct_trouble() {
  printable "${1:0:MESSAGE_MAX}"
  DIRECT_ERROR=$REPLY STATUS_CHANGED=1
  read_wall_seconds
  DIRECT_ERROR_AT_S=$WALL_S
}

pause_direct_way() {
  DIRECT_PAUSED_UNTIL_MS=$((NOW_MS + DIRECT_PAUSE_MS))
  doubled "$DIRECT_PAUSE_MS" $DIRECT_PAUSE_MAX_MS
  DIRECT_PAUSE_MS=$REPLY
}

# New keys, or a clock that is right, may be what this way waited for.
resume_direct_way() { DIRECT_PAUSED_UNTIL_MS=0 DIRECT_RETRY_AT_MS=0; }

# curl keeps its limits; a name server that does not answer may keep it longer.
give_up_calls() {
  local call key words
  for call in "${!CALLS[@]}"; do
    words=(${CALLS[$call]})
    ((NOW_MS >= words[1])) || continue
    kill "${words[0]}" 2>/dev/null
    for key in "${!UNDER_WAY[@]}"; do
      [[ ${UNDER_WAY[$key]-} == "$call" ]] || continue
      words=($key)
      end_transfer "$call" "${words[@]}" $TIMED_OUT 0 '' '' '' 'curl did not end in time'
    done
  done
}

# A heartbeat that the bus did not take is made once more soon, to know that the bus fails, and not one request.
assert_again() {
  local item vip
  [[ ${CONFIG[direct]} ]] && ((BUS_FAILURES == 1)) || return 0
  for item in "${BATCH[@]}"; do
    [[ $item == assertion\ * ]] || continue
    vip=${item#assertion }
    ((${ASSERT_AT[$vip]:-0} <= NOW_MS + ASSERTED_AGAIN_MS)) || ASSERT_AT[$vip]=$((NOW_MS + ASSERTED_AGAIN_MS))
  done
}
