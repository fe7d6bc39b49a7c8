# One PutEvents request: up to ten claims, in order, signed by curl. One request is under way at a time, and the daemon
# does not wait for it: curl writes its last word into the FIFO.
#
# Invariant: uptimeMs, ageMs, dropped and superseded are those of this attempt; everything else is the claim's own.
# Order within a request: spooled transitions, and once the spool fits, lower-adverts, assertions and probes.

declare -a BATCH=()         # what is under way: "spool INDEX", "advert VIP SEQ", "assertion VIP" or "probe VIP"
declare -a IN_FLIGHT=()     # index in Q → 1
SEND_ID='' SEND_PID='' SEND_UNTIL_MS=0 SENT_AT_MS=0 RETRY_AT_MS=0 BACKOFF_MS=100 BATCH_LIMIT=10 FRESH=0 ENTRIES='' WORK=0
readonly BATCH_MAX=10 BACKOFF_MIN_MS=100 BACKOFF_MAX_MS=5000 SEND_LIMIT_MS=3000

work_waits() { ((WORK = Q_COUNT + ${#ADVERT_PENDING[@]} + ${#READY[@]} + ${#PROBE_PENDING[@]}, WORK > 0)); }

# Starts a request if there is something to say, nothing under way and no back-off to sit out.
send_batch() {
  [[ -z $SEND_ID ]] || return
  work_waits || return
  # A new line goes out at once, whatever the back-off says: it may be the failover.
  if ((FRESH)); then RETRY_AT_MS=$NOW_MS BACKOFF_MS=$BACKOFF_MIN_MS; fi
  ((NOW_MS >= RETRY_AT_MS)) || return
  if [[ -z $USER_ID ]]; then
    ((FRESH)) && want_credentials
    FRESH=0
    return
  fi
  FRESH=0
  read_clock
  fill_batch
  put_events
}

fill_batch() {
  local i vip
  BATCH=() IN_FLIGHT=() ENTRIES=''
  for ((i = Q_HEAD; i < Q_TAIL && ${#BATCH[@]} < BATCH_LIMIT; i++)); do
    [[ -v Q[i] ]] || continue
    read -r _ _ _ _ _ vip _ <<<"${Q[i]}"
    BATCH+=("spool $i") IN_FLIGHT[$i]=1
    add_entry "${Q[i]}" transition "$((NEWEST[$vip] > i))"
  done
  ((i < Q_TAIL)) && return
  for vip in "${VIP_NAMES[@]}"; do
    [[ ${ADVERT_PENDING[$vip]-} ]] && ((${#BATCH[@]} < BATCH_LIMIT)) || continue
    BATCH+=("advert $vip ${ADVERT_PENDING[$vip]%% *}")
    add_entry "${ADVERT_PENDING[$vip]}" lower-advert 0
  done
  for vip in "${VIP_NAMES[@]}"; do
    [[ ${READY[$vip]-} ]] && ((${#BATCH[@]} < BATCH_LIMIT)) || continue
    BATCH+=("assertion $vip")
    add_entry "${READY[$vip]}" assertion 0
    unset "READY[$vip]"
  done
  for vip in "${VIP_NAMES[@]}"; do
    [[ ${PROBE_PENDING[$vip]-} ]] && ((${#BATCH[@]} < BATCH_LIMIT)) || continue
    BATCH+=("probe $vip")
    add_entry "${PROBE_PENDING[$vip]}" probe 0
  done
}

# Adds one entry; the event itself is a JSON string within JSON, hence the \" in it.
add_entry() {
  local seq since at state priority vip kind name from superseded=false
  read -r seq since at state priority vip kind name from <<<"$1"
  (($3)) && superseded=true
  # Numbers drawn within one step of the clock run ahead of it by microseconds; nothing is sent before it was said.
  local -r uptime_ms=$((NOW_US >= seq ? NOW_MS : (seq + 999) / 1000))
  local detail
  printf -v detail '{\\"version\\":1,\\"vip\\":\\"%s\\",\\"node\\":\\"%s\\",\\"state\\":\\"%s\\",\\"kind\\":\\"%s\\",\\"instance\\":\\"%s\\",\\"priority\\":%d,\\"bootId\\":\\"%s\\",\\"seq\\":%d,\\"since\\":%d,\\"uptimeMs\\":%d,\\"ageMs\\":%d,\\"superseded\\":%s,\\"dropped\\":%d,\\"atMs\\":%d,\\"shim\\":\\"%s\\"' \
    "$vip" "$NODE" "$state" "$2" "$name" "$priority" "$BOOT_ID" "$seq" "$since" "$uptime_ms" "$((uptime_ms - seq / 1000))" \
    "$superseded" "$DROPPED" "$at" "$SHIM_VERSION"
  [[ $from ]] && detail+=",\\\"stateFrom\\\":\\\"$from\\\""
  ENTRIES+="${ENTRIES:+,}{\"Source\":\"vipshift.notify/$USER_ID\",\"DetailType\":\"VRRP State Change\",\"EventBusName\":\"${CONFIG[bus]}\",\"Detail\":\"$detail}\"}"
}

put_events() {
  local -r dir=${CONFIG[run_dir]}
  aws_host events
  printf '{"Entries":[%s]}' "$ENTRIES" >"$dir/request"
  : >"$dir/reply" # curl leaves it alone where an answer has no body, and the last one would be believed
  SEND_ID=$NOW_US SEND_UNTIL_MS=$((NOW_MS + SEND_LIMIT_MS)) SENT_AT_MS=$NOW_MS
  "${CURL[@]}" "${TLS[@]}" -K "$dir/credentials" --aws-sigv4 "aws:amz:$REGION:events" \
    -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSEvents.PutEvents' --data-binary "@$dir/request" \
    -o "$dir/reply" -w "vipshift sent $SEND_ID %{exitcode} %{http_code} %{errormsg}\n" \
    "${CONFIG[endpoint_events]:-https://$HOST}/" >&"$FIFO_FD" 2>/dev/null </dev/null &
  SEND_PID=$!
}
