# `status`: what waits, what was sent, what failed, and what the shim believes of each VIP; for people and, with --json,
# for programs. Exit status 0 if the daemon runs, 4 if not.

status_command() {
  local json=0 word
  read_config_option "$@"
  require_config
  for word in "${REST[@]}"; do
    [[ $word == --json ]] || die 2 "status takes no \"$word\" (see --help)"
    json=1
  done
  [[ ! -d ${CONFIG[run_dir]} || -r ${CONFIG[run_dir]} && -x ${CONFIG[run_dir]} ]] ||
    die 1 "cannot look into ${CONFIG[run_dir]}, where the daemon keeps its status: run this as root"
  read_daemon_status
  ((RUNNING)) || count_spool
  find_keepalived
  # Seen by its pid file now, or by the daemon until the file went with it.
  [[ $KEEPALIVED == unknown && ${STATUS[keepalived]-} == gone ]] && KEEPALIVED=gone
  read_clock
  printf -v NOW_S '%(%s)T' -1
  if ((json)); then print_json; else print_text; fi
  ((RUNNING)) || exit 4
}

# Without a daemon the journal itself is counted.
count_spool() {
  read_boot_id
  replay_journal "${CONFIG[run_dir]}/spool" || replay_journal "${CONFIG[state_dir]}/spool" || return
  STATUS[spooled]=$Q_COUNT STATUS[dropped]=$DROPPED
}

# 65 → 1 min, in the largest unit that says something.
span() {
  if (($1 < 120)); then REPLY="$1 s"; elif (($1 < 7200)); then
    REPLY="$(($1 / 60)) min"
  elif (($1 < 172800)); then REPLY="$(($1 / 3600)) h"; else REPLY="$(($1 / 86400)) d"; fi
}

ago() {
  if ((!${1:-0})); then REPLY=never; elif ((NOW_S < $1)); then REPLY='before the clock was set back'; else
    span $((NOW_S - $1))
    REPLY+=' ago'
  fi
}

print_text() {
  local key line vip state priority since voice
  if ((RUNNING)); then REPLY="running as process ${STATUS[pid]}"; else REPLY='not running'; fi
  printf 'vipshift-notify %s, %s\n' "${STATUS[version]:-$SHIM_VERSION}" "$REPLY"
  printf 'node         %s, %s, bus %s\n' "${STATUS[node]:-unknown}" "${STATUS[region]:-unknown Region}" "${CONFIG[bus]}"
  printf 'identity     %s\n' "${STATUS[user]:-not known yet}"
  ago "${STATUS[lastSentAt]-}"
  printf 'spool        %s waiting, %s dropped in this boot%s\n' "${STATUS[spooled]:-0}" "${STATUS[dropped]:-0}" "${STATUS[spoolError]+; ${STATUS[spoolError]}}"
  printf 'sent         %s claims, the last %s\n' "${STATUS[sent]:-0}" "$REPLY"
  ago "${STATUS[lastErrorAt]-}"
  printf 'last error   %s\n' "${STATUS[lastError]+$REPLY: }${STATUS[lastError]:-none}"
  if [[ ${STATUS[direct]-} ]]; then
    ago "${STATUS[directLastSaidAt]-}"
    printf 'direct       the last claim %s' "$REPLY"
    ago "${STATUS[directErrorAt]-}"
    printf '%s\n' "${STATUS[directError]+; $REPLY: ${STATUS[directError]}}"
  else printf 'direct       off\n'; fi
  if ((${STATUS[credentialsFetchedAt]:-0})); then
    ago "${STATUS[credentialsFetchedAt]}"
    line="fetched $REPLY"
    if ((STATUS[credentialsExpireAt] > NOW_S)); then
      span $((STATUS[credentialsExpireAt] - NOW_S))
      line+=", valid for $REPLY"
    else line+=', expired by the clock of this node'; fi
  else line=none; fi
  printf 'credentials  %s%s\n' "$line" "${STATUS[credentialsError]+; ${STATUS[credentialsError]}}"
  printf 'keepalived   %s\n' "$KEEPALIVED${KEEPALIVED_PID:+, process $KEEPALIVED_PID}${KEEPALIVED_ERROR:+: $KEEPALIVED_ERROR}"
  if [[ ${STATUS[leaving]-} ]]; then
    ago "${STATUS[leavingSince]-}"
    line='a standby of low priority now'
    ((STATUS[leavingStep] == 2)) && line='in FAULT until another node has taken over'
    printf 'leaving      %s, since %s; %s\n' "${STATUS[leaving]}" "$REPLY" "$line"
  fi
  [[ ${STATUS[atRisk]-} ]] && printf 'at risk      AWS recommends to rebalance\n'
  for key in config fifo wiring instance runDir leaving notices; do
    [[ ${STATUS[${key}Error]-} ]] && printf 'wrong        %s\n' "${STATUS[${key}Error]}"
  done
  for line in "${STATUS_VIPS[@]}"; do
    read -r vip state priority since voice <<<"$line"
    span $(((NOW_US - since) / 1000000))
    if [[ $state == UNKNOWN ]]; then
      printf 'VIP %-8s no word of %s yet\n' "$vip" "$voice"
    elif [[ $KEEPALIVED == gone && $state != STOP && $state != DELETED ]]; then
      printf 'VIP %-8s keepalived is gone, so nothing is reported; its last word was %s, %s ago, by %s\n' "$vip" "$state" "$REPLY" "$voice"
    else
      printf 'VIP %-8s %s for %s, priority %s, by %s\n' "$vip" "$state" "$REPLY" "$priority" "$voice"
    fi
  done
}

json_text() {
  printable "$1"
  REPLY=${REPLY//\\/\\\\}
  REPLY=\"${REPLY//\"/\\\"}\"
}

json_or_null() { if [[ ${STATUS[$1]-} ]]; then json_text "${STATUS[$1]}"; else REPLY=null; fi; }
ms_or_null() { if ((${STATUS[$1]:-0})); then REPLY=$((STATUS[$1] * 1000)); else REPLY=null; fi; }

print_json() {
  local key line vip state priority since voice separator=''
  printf '{"running":%s,"pid":%s,"version":"%s"' "$( ((RUNNING)) && echo true || echo false)" \
    "$( ((RUNNING)) && echo "${STATUS[pid]}" || echo null)" "${STATUS[version]:-$SHIM_VERSION}"
  json_text "${CONFIG[bus]}"
  printf ',"bus":%s' "$REPLY"
  json_text "$KEEPALIVED"
  printf ',"keepalived":%s' "$REPLY"
  STATUS[keepalivedError]=$KEEPALIVED_ERROR
  for key in node user region direct {last,direct,credentials,spool,fifo,keepalived,instance,wiring,runDir,config,leaving,notices}Error leaving; do
    json_or_null "$key"
    printf ',"%s":%s' "$key" "$REPLY"
  done
  for key in spooled dropped sent badLines; do printf ',"%s":%d' "$key" "${STATUS[$key]:-0}"; done
  printf ',"atRisk":%s' "$([[ ${STATUS[atRisk]-} ]] && echo true || echo false)"
  for key in lastSentAt lastErrorAt directLastSaidAt directErrorAt credentialsFetchedAt credentialsExpireAt leavingSince; do
    ms_or_null "$key"
    printf ',"%sMs":%s' "$key" "$REPLY"
  done
  printf ',"vips":['
  for line in "${STATUS_VIPS[@]}"; do
    read -r vip state priority since voice <<<"$line"
    json_text "$voice"
    printf '%s{"vip":"%s","state":"%s","priority":%d,"since":%d,"forMs":%d,"voice":%s}' "$separator" "$vip" "$state" \
      "$priority" "$since" "$(((NOW_US - since) / 1000))" "$REPLY"
    separator=,
  done
  printf ']}\n'
}
