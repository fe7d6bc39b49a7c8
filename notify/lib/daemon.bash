# The daemon: one loop that waits for a line or for whatever is due next, and never for the network.
#
# Invariant: between two reads of the FIFO nothing blocks for longer than a fork takes. It ends by SIGTERM alone: whatever is
# wrong with files, disks or keepalived is reported, looked at again, and done without meanwhile.
# Limit: on SIGTERM it goes on for at most STOP_LIMIT_MS, so that the STOP of a node that shuts down still gets out.

STOPPING=0 STOP_AT_MS=0 WAIT_MS=0 LISTENING_FROM_MS=0 CONFIG_ERROR='' RUN_DIR_ERROR='' RUN_DIR_USABLE=0 RUN_DIR_LOOK_MS=0
declare -A REPORTED=() # variable of a trouble → what was said of it
readonly STOP_LIMIT_MS=2000 WAIT_MAX_MS=3000 ANSWER_POLL_MIN_MS=4 ANSWER_POLL_MAX_MS=50 RUN_DIR_LOOK_EVERY_MS=10000

run_command() {
  read_config_option "$@"
  ((${#REST[@]} == 0)) || die 2 "run takes no \"${REST[0]}\" (see --help)"
  check_files
  use_run_dir
  refuse_second_daemon
  ((${#CONFIG_ERRORS[@]} == 0)) || stand_by
  require_curl
  [[ ${CONFIG[keepalived_pid]} == none ]] || require_keepalived
  warn_of_proxy
  exec {ANSWERS_FD}<> <(:) {JOB_FD}<> <(:) {DIRECT_FD}<> <(:)
  open_first_fifo
  open_spool
  prepare_trust
  read_clock
  resume_leaving
  learn_to_ask 2
  trap stop_soon TERM INT
  trap '' PIPE HUP
  read_clock
  LISTENING_FROM_MS=$NOW_MS
  if load_credentials; then schedule_refresh 0; else CREDENTIALS_DUE_MS=$NOW_MS; fi
  ASK_ALL=1
  write_status
  say "version $SHIM_VERSION, ${#VIP_NAMES[@]} VIPs, $Q_COUNT claims in the spool, reading ${CONFIG[fifo]}"
  serve
  write_status
}

# A word of its own wakes the read, which some versions of bash otherwise resume after the trap. Where lines wait the read does
# not sleep, and the FIFO may be full.
stop_soon() {
  STOPPING=1
  read -r -t 0 -u "$FIFO_FD" || printf 'vipshift stop\n' >&"$FIFO_FD"
}

# A wrong configuration does not get better by starting again, and the socket would start it again at once for as long as a
# line waits. The FIFO is held open and not read, so that what keepalived says meanwhile is there after the restart.
stand_by() {
  local error fd
  for error in "${CONFIG_ERRORS[@]}"; do complain "$error"; done
  complain "nothing is reported until that is corrected: vipshift-notify check, then systemctl restart vipshift-notify"
  CONFIG_ERROR=${CONFIG_ERRORS[0]}
  open_first_fifo
  [[ $FIFO_ERROR ]] && complain "$FIFO_ERROR"
  write_status
  trap 'exit 0' TERM INT
  trap '' PIPE HUP
  exec {fd}<> <(:)
  while :; do read -r -t 3600 -u "$fd"; done
}

# Credentials, status and the spare journal lie there; without it they are in memory, or are not.
use_run_dir() {
  RUN_DIR_USABLE=0 RUN_DIR_ERROR='' RUN_DIR_LOOK_MS=$((NOW_MS + RUN_DIR_LOOK_EVERY_MS))
  if usable_folder "${CONFIG[run_dir]}" 'credentials and status'; then
    RUN_DIR_USABLE=1
    export TMPDIR=${CONFIG[run_dir]} # bash < 5.1 puts here-strings into files
    read_daemon_status
    STATUS_SERIAL=$((${STATUS[serial]--1} + 1))
  else
    RUN_DIR_ERROR="$TROUBLE; credentials are kept in memory only, and there is no status"
  fi
}

refuse_second_daemon() {
  read_daemon_status
  ((RUNNING)) && [[ ${STATUS[pid]} != "$$" ]] || return 0
  die 1 "already running as process ${STATUS[pid]} with ${CONFIG[run_dir]}: stop that one, or use another run_dir"
}

serve() {
  local wait_s
  while :; do
    read_clock
    step
    report_troubles
    if ((STOPPING)); then stopped && return; fi
    next_wait
    printf -v wait_s '%d.%03d' $((WAIT_MS / 1000)) $((WAIT_MS % 1000))
    drain_fifo "$wait_s"
  done
}

# Each once, until it changes: a number in it (milliseconds of a timeout) is no change.
report_troubles() {
  local trouble text before
  for trouble in "${!TROUBLES[@]}"; do
    text=${!trouble} before=${REPORTED[$trouble]-}
    [[ $text == "$before" ]] && continue
    if [[ ! $text ]]; then
      say "over: $before"
    elif [[ ${text//[0-9]/} != "${before//[0-9]/}" ]]; then
      complain "$text"
    fi
    REPORTED[$trouble]=$text
  done
}

# Whatever waits for a clock that is right is tried at once.
take_new_time() {
  say "the clock of this node was set, by $CLOCK_SET_BY_S s"
  RETRY_AT_MS=$NOW_MS
  resume_direct_way
  refresh_by_new_time
}

# Everything that can be done now, what came back and the sending first.
step() {
  wall_clock_was_set && take_new_time
  take_answers
  send_batch
  take_direct_answers
  send_directly
  follow_fifo
  give_up_request
  follow_pulse
  watch_notices
  refresh_credentials
  give_up_probe
  collect_assertions
  watch_keepalived
  if may_assert; then begin_assertions; fi
  send_batch
  send_directly
  repair_journal
  list_rest
  [[ $RUN_DIR_ERROR ]] && ((NOW_MS >= RUN_DIR_LOOK_MS)) && use_run_dir
  ((STATUS_CHANGED)) && write_status
  return 0
}

# The bus is free, or fails.
may_assert() { ((!STOPPING)) && [[ $USER_ID ]] && { ((Q_COUNT == 0)) && [[ -z $SEND_ID ]] || asserts_directly; }; }

stopped() {
  ((STOP_AT_MS)) || STOP_AT_MS=$((NOW_MS + STOP_LIMIT_MS))
  ((NOW_MS >= STOP_AT_MS)) && return
  ASKED=() READY=()
  [[ -z $SEND_ID ]] && ! work_waits && ! read -r -t 0 -u "$FIFO_FD"
}

sooner() { (($1 - NOW_MS < WAIT_MS)) && WAIT_MS=$(($1 - NOW_MS)); }

# bash waits for one descriptor only, so an answer in another one is looked for: the later, the longer it has taken so far.
poll_since() {
  local wait_ms=$(((NOW_MS - $1) / 8))
  ((wait_ms < ANSWER_POLL_MIN_MS)) && wait_ms=$ANSWER_POLL_MIN_MS
  ((wait_ms > ANSWER_POLL_MAX_MS)) && wait_ms=$ANSWER_POLL_MAX_MS
  sooner $((NOW_MS + wait_ms))
}

# How long nothing is due, unless a line comes.
next_wait() {
  local vip
  WAIT_MS=$WAIT_MAX_MS
  if [[ $SEND_ID ]]; then
    sooner "$SEND_UNTIL_MS"
    poll_since "$SENT_AT_MS"
  elif [[ $USER_ID ]]; then
    if work_waits; then sooner "$RETRY_AT_MS"; fi
  fi
  if ((${#CALLS[@]})); then sooner $((NOW_MS + DIRECT_POLL_MS)); elif direct_waits; then sooner "$DIRECT_DUE_MS"; fi
  # Those that are made wait to be sent, and no others are made until then.
  if ((${#ASKED[@]} + ${#READY[@]} == 0)) && may_assert; then for vip in "${!ASSERT_AT[@]}"; do sooner "${ASSERT_AT[$vip]}"; done; fi
  if [[ $NOTICES_ID ]]; then poll_since "$NOTICES_AT_MS"; elif ((CONFIG[leaving_poll])); then sooner "$NOTICES_DUE_MS"; fi
  ((PULSE_UNTIL_MS)) && sooner "$PULSE_UNTIL_MS"
  if [[ $CREDENTIALS_JOB ]]; then poll_since "$CREDENTIALS_STARTED_MS"; else sooner "$CREDENTIALS_DUE_MS"; fi
  ((${#PROBE_PENDING[@]} + ${#DIRECT_PROBE[@]} > 0)) && sooner "$PROBE_UNTIL_MS"
  ((${#ASKED[@]} > 0)) && sooner $((NOW_MS + ASK_POLL_MS))
  ((STOPPING)) && sooner "$STOP_AT_MS"
  ((PARTIAL_IS_NEW)) && sooner $((PARTIAL_SINCE_MS + PARTIAL_WAIT_MS))
  [[ $FIFO_ERROR ]] && sooner $((NOW_MS + FIFO_LOOK_EVERY_MS))
  ((WAIT_MS < 1)) && WAIT_MS=1
  return 0
}
