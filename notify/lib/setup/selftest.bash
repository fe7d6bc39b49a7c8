# `selftest`: a probe through FIFO, daemon, credentials and bus to the controller.
#
# That the bus took an event proves nothing: PutEvents to a bus that does not exist, or has no rule, is answered with 200,
# too. A node may only put events and read nothing, by intent; so the last step is an operator's (who may read the
# record), or that of a URL which shows it (--confirm-url). Without either the result is "unconfirmed", never "ok".

readonly PROBE_ANSWER_S=10 CONFIRM_TRIES=30

selftest_command() {
  local confirm=''
  read_config_option "$@"
  require_config
  set -- "${REST[@]}"
  while (($# > 0)); do
    case $1 in
      --confirm-url)
        [[ ${2-} =~ ^https?://[^[:space:]]+$ ]] || die 2 "--confirm-url needs an http or https address"
        confirm=$2
        shift
        ;;
      *) die 2 "selftest takes no \"$1\" (see --help)" ;;
    esac
    shift
  done
  require_curl
  require_authorities
  read_daemon_status
  ((RUNNING)) || die 4 "the daemon is not running, so nothing would read the FIFO: systemctl start vipshift-notify"
  [[ ${STATUS[configError]-} ]] && die 1 "the daemon waits for a right configuration: systemctl restart vipshift-notify"
  test_wiring
  report_tracked
  send_probe
  report_probe
  ((WELL_WIRED)) || exit 1
  if [[ $confirm ]]; then confirm_probe "$confirm"; else unconfirmed; fi
}

# WELL_WIRED unless keepalived runs and does not have the FIFO open: then nothing of what follows helps in a failover.
test_wiring() {
  WELL_WIRED=1
  [[ ${CONFIG[keepalived_pid]} == none ]] && return
  find_keepalived
  if [[ $KEEPALIVED != running ]]; then
    warn "keepalived does not run, so nothing writes into the FIFO${KEEPALIVED_ERROR:+: $KEEPALIVED_ERROR}"
    return
  fi
  look_at_descriptors "$KEEPALIVED_PID"
  case $WIRING in
    wired) printf 'keepalived (process %s) has the FIFO open\n' "$KEEPALIVED_PID" ;;
    unwired)
      complain "keepalived (process $KEEPALIVED_PID) does not have the FIFO ${CONFIG[fifo]} open: $WIRING_ADVICE"
      WELL_WIRED=0
      ;;
    *) warn "cannot see whether keepalived has the FIFO open: run this as root" ;;
  esac
}

send_probe() {
  local id fd
  read_clock
  id=$NOW_US
  [[ -p ${CONFIG[fifo]} && -w ${CONFIG[fifo]} ]] || die 1 "cannot write into the FIFO ${CONFIG[fifo]}: run this as root"
  exec {fd}<>"${CONFIG[fifo]}"
  printf 'vipshift probe %s\n' "$id" >&"$fd"
  await_probe "$id" || die 1 "the daemon gave no answer within $PROBE_ANSWER_S s: see vipshift-notify status"
}

# EVENTS and FAILURES of this probe on the bus, SAYS and REFUSALS on the direct way. A nameless FIFO of our own is what bash can sleep on without a fork.
await_probe() {
  local verb rest id fd
  # By the clock that cannot be set.
  local -r until_ms=$((NOW_MS + PROBE_ANSWER_S * 1000))
  exec {fd}<> <(:)
  while read_clock && ((NOW_MS <= until_ms)); do
    EVENTS=() FAILURES=() SAYS=() REFUSALS=() id=''
    while read -r verb rest; do
      case $verb in
        id) id=$rest ;;
        event) EVENTS+=("$rest") ;;
        failed) FAILURES+=("$rest") ;;
        said) SAYS+=("$rest") ;;
        unsaid) REFUSALS+=("$rest") ;;
        end) [[ $id == "$1" ]] && return 0 ;;
      esac
    done 2>/dev/null <"${CONFIG[run_dir]}/probe"
    read -r -t 0.05 -u "$fd"
  done
  return 1
}

report_probe() {
  local line
  for line in "${FAILURES[@]}"; do printf '%s: not taken by the bus: %s\n' "${line%% *}" "${line#* }"; done
  for line in "${EVENTS[@]}"; do printf '%s: taken by bus %s as event %s\n' "${line%% *}" "${STATUS[bus]}" "${line#* }"; done
  for line in "${SAYS[@]}"; do printf '%s: taken by the function URL as call %s\n' "${line%% *}" "${line#* }"; done
  for line in "${REFUSALS[@]}"; do printf '%s: not taken by the direct way: %s\n' "${line%% *}" "${line#* }"; done
  ((${#FAILURES[@]} == 0)) || die 1 "the way to the bus is broken, see above"
  ((${#REFUSALS[@]} == 0)) || die 1 "the direct way is broken, see above; the bus is not"
}

unconfirmed() {
  local line
  printf '%s\n' 'Only the record of the controller shows whether it arrived. Where you may read it, run:'
  for line in "${EVENTS[@]}"; do printf '  npx vipshift explain %s/probe/%s\n' "${line%% *}" "${line#* }"; done
  exit 5
}

# The page must name every event; it appears there a second or so after the bus took it.
confirm_probe() {
  local page line missing='' fd try
  exec {fd}<> <(:)
  for ((try = 0; try < CONFIRM_TRIES; try++)); do
    page=$(curl -q -s -f --max-time 5 ${CONFIG[ca_file]:+--cacert "${CONFIG[ca_file]}"} "$1") || page=''
    missing=''
    for line in "${EVENTS[@]}"; do [[ $page == *"${line#* }"* ]] || missing+=" ${line%% *}"; done
    [[ $missing ]] || {
      printf 'The controller has recorded every probe.\n'
      exit 0
    }
    read -r -t 1 -u "$fd"
  done
  die 1 "the bus took the probe, but $1 does not name it for:$missing. Is the bus's name right, and its rule enabled?"
}
