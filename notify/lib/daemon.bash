# The daemon: one loop that waits for a line or for whatever is due next, and never for the network.
#
# Invariant: between two reads of the FIFO nothing blocks for longer than a fork takes.
# Limit: on SIGTERM it goes on for at most STOP_LIMIT_MS, so that the STOP of a node that shuts down still gets out.

STOPPING=0 STOP_AT_MS=0 WAIT_MS=0
readonly STOP_LIMIT_MS=2000 WAIT_MAX_MS=5000

run_command() {
  read_config_option "$@"
  ((${#REST[@]} == 0)) || die 2 "run takes no \"${REST[0]}\" (see --help)"
  require_curl
  require_folder "${CONFIG[run_dir]}" 'credentials and status'
  export TMPDIR=${CONFIG[run_dir]} # bash < 5.1 puts here-strings into files
  refuse_second_daemon
  open_fifo
  open_spool
  prepare_trust
  learn_json_signal
  # A word of its own wakes the read, which some versions of bash otherwise resume after the trap.
  trap 'STOPPING=1; printf "vipshift stop\n" >&"$FIFO_FD"' TERM INT
  trap '' PIPE HUP
  STATUS_SERIAL=$((${STATUS[serial]--1} + 1))
  read_clock
  if load_credentials; then schedule_refresh 0; else CREDENTIALS_DUE_MS=$NOW_MS; fi
  ASK_ALL=1
  write_status
  say "version $SHIM_VERSION, ${#VIP_NAMES[@]} VIPs, $Q_COUNT claims in the spool, reading ${CONFIG[fifo]}"
  serve
  write_status
}

refuse_second_daemon() {
  read_daemon_status
  ((RUNNING)) && [[ ${STATUS[pid]} != "$$" ]] || return 0
  die 1 "already running as process ${STATUS[pid]} with ${CONFIG[run_dir]}: stop that one, or use another run_dir"
}

serve() {
  local wait_s reported=''
  while :; do
    read_clock
    step
    [[ $LAST_ERROR$CREDENTIALS_ERROR$SPOOL_ERROR == "$reported" ]] || {
      reported=$LAST_ERROR$CREDENTIALS_ERROR$SPOOL_ERROR
      [[ $reported ]] && say "$LAST_ERROR $CREDENTIALS_ERROR $SPOOL_ERROR"
    }
    if ((STOPPING)); then stopped && return; fi
    next_wait
    printf -v wait_s '%d.%03d' $((WAIT_MS / 1000)) $((WAIT_MS % 1000))
    drain_fifo "$wait_s"
  done
}

# Everything that can be done now, the sending first.
step() {
  send_batch
  follow_fifo
  give_up_request
  refresh_credentials
  give_up_probe
  collect_assertions
  if ((Q_COUNT == 0 && !STOPPING)) && [[ -z $SEND_ID && $USER_ID ]]; then begin_assertions; fi
  send_batch
  ((STATUS_CHANGED)) && write_status
  return 0
}

stopped() {
  ((STOP_AT_MS)) || STOP_AT_MS=$((NOW_MS + STOP_LIMIT_MS))
  ((NOW_MS >= STOP_AT_MS)) && return
  ASKED=() READY=()
  [[ -z $SEND_ID ]] && ! work_waits && ! read -r -t 0 -u "$FIFO_FD"
}

sooner() { (($1 - NOW_MS < WAIT_MS)) && WAIT_MS=$(($1 - NOW_MS)); }

# How long nothing is due, unless a line comes.
next_wait() {
  local vip
  WAIT_MS=$WAIT_MAX_MS
  if [[ $SEND_ID ]]; then
    sooner "$SEND_UNTIL_MS"
  elif [[ $USER_ID ]]; then
    if work_waits; then sooner "$RETRY_AT_MS"; fi
    if ((Q_COUNT == 0)); then for vip in "${!ASSERT_AT[@]}"; do sooner "${ASSERT_AT[$vip]}"; done; fi
  fi
  if [[ $CREDENTIALS_JOB ]]; then sooner "$CREDENTIALS_UNTIL_MS"; else sooner "$CREDENTIALS_DUE_MS"; fi
  ((${#PROBE_PENDING[@]} > 0)) && sooner "$PROBE_UNTIL_MS"
  ((${#ASKED[@]} > 0)) && sooner $((NOW_MS + ASK_POLL_MS))
  ((STOPPING)) && sooner "$STOP_AT_MS"
  ((WAIT_MS < 1)) && WAIT_MS=1
  return 0
}

take_own_word() {
  local word what id rest
  read -r word what id rest <<<"$1"
  case $what in
    sent)
      local status http message
      read -r status http message <<<"$rest"
      [[ $status =~ ^[0-9]+$ && $http =~ ^[0-9]+$ ]] && take_sent_word "$id" "$status" "$http" "$message"
      ;;
    credentials) take_credentials_word "$id" "$rest" ;;
    probe) take_probe_word "$id" ;;
  esac
  return 0
}
