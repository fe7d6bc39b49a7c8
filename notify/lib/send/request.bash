# One PutEvents request: up to ten claims, signed by curl. One request is under way at a time, and the daemon does not wait for
# it: curl writes answer and last word into a nameless pipe of its own, where no line of keepalived's can be in front.
#
# Invariant: uptimeMs, ageMs, dropped and superseded are those of this attempt; everything else is the claim's own.
# What goes first: the newest transition of each VIP, then superseded ones, and once the spool fits, lower-adverts, assertions
# and probes. Within a request claims stand in the order of their numbers.
# Nothing of it needs a disk.
# Limit: a way that is dead is left after CONNECT_QUICK_S, so that the next address is tried soon. A machine that is short of CPU may
# take longer for its part of a handshake, so the attempt after one that was too slow has all its time for that.

declare -a BATCH=()     # what is under way: "spool SEQ", "advert VIP SEQ", "assertion VIP" or "probe VIP"
declare -A IN_FLIGHT=() # seq of a spooled claim that is under way → 1
ANSWERS_FD='' SEND_ID='' SEND_PID='' SEND_UNTIL_MS=0 SENT_AT_MS=0 RETRY_AT_MS=0 BACKOFF_MS=100 BATCH_LIMIT=10 FRESH=0 ENTRIES='' DETAIL='' WORK=0
readonly CONNECT_QUICK_S=0.5 CONNECT_SLOW_S=2
CONNECT_S=$CONNECT_QUICK_S
readonly BATCH_MAX=10 BACKOFF_MIN_MS=100 BACKOFF_MAX_MS=5000 SEND_LIMIT_MS=3000
# How far past holes a batch is filled up with superseded claims; the newest ones are found without looking.
readonly HOLES_MAX=500

work_waits() { ((WORK = Q_COUNT + ${#ADVERT_PENDING[@]} + ${#READY[@]} + ${#PROBE_PENDING[@]}, WORK > 0)); }

# Starts a request if there is something to say, nothing under way and no back-off to sit out.
send_batch() {
  [[ -z $SEND_ID ]] || return
  work_waits || return
  # A new line goes out at once, whatever the back-off says: it may be the failover.
  if ((FRESH)); then RETRY_AT_MS=$NOW_MS BACKOFF_MS=$BACKOFF_MIN_MS; fi
  ((NOW_MS >= RETRY_AT_MS)) || return
  if [[ -z $USER_ID ]]; then
    ((FRESH)) && want_first_credentials
    FRESH=0
    return
  fi
  FRESH=0
  read_clock
  fill_batch
  put_events
}

fill_batch() {
  local vip seq chosen
  BATCH=() IN_FLIGHT=() ENTRIES=''
  choose_transitions
  for seq in "${chosen[@]}"; do
    BATCH+=("spool $seq") IN_FLIGHT[$seq]=1
    add_entry "${Q[$seq]}" transition
  done
  ((${#chosen[@]} < Q_COUNT)) && return
  for vip in "${VIP_NAMES[@]}"; do
    [[ ${ADVERT_PENDING[$vip]-} ]] && ((${#BATCH[@]} < BATCH_LIMIT)) || continue
    BATCH+=("advert $vip ${ADVERT_PENDING[$vip]%% *}")
    add_entry "${ADVERT_PENDING[$vip]}" lower-advert
  done
  for vip in "${VIP_NAMES[@]}"; do
    [[ ${READY[$vip]-} ]] && ((${#BATCH[@]} < BATCH_LIMIT)) || continue
    BATCH+=("assertion $vip")
    add_entry "${READY[$vip]}" assertion
    unset "READY[$vip]"
  done
  for vip in "${VIP_NAMES[@]}"; do
    [[ ${PROBE_PENDING[$vip]-} ]] && ((${#BATCH[@]} < BATCH_LIMIT)) || continue
    BATCH+=("probe $vip")
    add_entry "${PROBE_PENDING[$vip]}" probe
  done
}

# `chosen` of the caller: the newest of each VIP, those that waited longest first, then superseded ones, in order.
choose_transitions() {
  local vip place seq
  local -a newest=()
  chosen=()
  for vip in "${!NEWEST[@]}"; do newest+=("${NEWEST[$vip]}"); done
  sorted "${newest[@]}"
  chosen=("${SORTED[@]}")
  skip_old
  for ((place = OLD_HEAD; place < OLD_TAIL && place < OLD_HEAD + HOLES_MAX && ${#chosen[@]} < BATCH_LIMIT; place++)); do
    seq=${OLD[$place]}
    [[ ${Q[$seq]-} ]] && chosen+=("$seq")
  done
  sorted "${chosen[@]}"
  chosen=("${SORTED[@]}")
}

# SORTED: the smallest BATCH_LIMIT of these numbers, in order.
sorted() {
  local number i
  SORTED=()
  for number in "$@"; do
    ((${#SORTED[@]} < BATCH_LIMIT || number < SORTED[-1])) || continue
    for ((i = ${#SORTED[@]}; i > 0 && SORTED[i - 1] > number; i--)); do SORTED[i]=${SORTED[i - 1]}; done
    SORTED[i]=$number
    ((${#SORTED[@]} > BATCH_LIMIT)) && unset 'SORTED[-1]'
  done
}

# Adds one entry; the event itself is a JSON string within JSON, hence the \" in it.
add_entry() { # CLAIM KIND
  describe_claim "$1" "$2"
  ENTRIES+="${ENTRIES:+,}{\"Source\":\"vipshift.notify/$USER_ID\",\"DetailType\":\"VRRP State Change\",\"EventBusName\":\"${CONFIG[bus]}\",\"Detail\":\"$DETAIL\"}"
}

# DETAIL: the event of a claim as it is at this moment, every quote with a backslash before it.
describe_claim() { # CLAIM KIND
  local -r claim=($1)
  local -r seq=${claim[0]}
  local old=false
  [[ $2 == transition ]] && is_superseded "${claim[@]}" && old=true
  # Numbers drawn within one step of the clock run ahead of it by microseconds; nothing is sent before it was said.
  local -r uptime_ms=$((NOW_US >= seq ? NOW_MS : (seq + 999) / 1000))
  printf -v DETAIL '{\\"version\\":2,\\"vip\\":\\"%s\\",\\"node\\":\\"%s\\",\\"state\\":\\"%s\\",\\"kind\\":\\"%s\\",\\"instance\\":\\"%s\\",\\"priority\\":%d,\\"bootId\\":\\"%s\\",\\"seq\\":%d,\\"since\\":%d,\\"uptimeMs\\":%d,\\"ageMs\\":%d,\\"superseded\\":%s,\\"dropped\\":%d,\\"atMs\\":%d,\\"shim\\":\\"%s\\"' \
    "${claim[5]}" "$NODE" "${claim[3]}" "$2" "${claim[7]}" "${claim[4]}" "$BOOT_ID" "$seq" "${claim[1]}" "$uptime_ms" \
    "$((uptime_ms - seq / 1000))" "$old" "$DROPPED" "${claim[2]}" "$SHIM_VERSION"
  [[ $LEAVING ]] && DETAIL+=",\\\"leaving\\\":\\\"$LEAVING\\\""
  ((AT_RISK)) && DETAIL+=',\"atRisk\":true'
  [[ ${claim[8]-} ]] && DETAIL+=",\\\"stateFrom\\\":\\\"${claim[8]}\\\""
  DETAIL+='}'
}

put_events() {
  url_of events
  # Someone may have removed it.
  [[ -r $SECRETS_FILE ]] || SECRETS_FILE=/dev/fd/8
  SEND_ID=$NOW_US SEND_UNTIL_MS=$((NOW_MS + SEND_LIMIT_MS)) SENT_AT_MS=$NOW_MS ANSWER_TEXT='' ANSWER_PART=''
  "${CURL[@]}" --connect-timeout "$CONNECT_S" "${TLS[@]}" -K "$SECRETS_FILE" --aws-sigv4 "aws:amz:$REGION:events" \
    -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSEvents.PutEvents' --data-binary @- \
    -w "\nvipshift sent $SEND_ID %{exitcode} %{http_code} %{errormsg}\n" \
    "$URL/" 8<<<"$SECRETS" <<<"{\"Entries\":[$ENTRIES]}" >&"$ANSWERS_FD" 2>/dev/null &
  SEND_PID=$!
}
