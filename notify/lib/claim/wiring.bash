# Whether keepalived writes into the FIFO at all: an instance without `vrrp_notify_fifo`, or one that was not reloaded since,
# says nothing, and the failover would wait for the next assertion.
#
# Told by keepalived's descriptors under /proc, which only root with its capabilities may see; the daemon under its unit has
# none, so keepalived.service asks `vipshift-notify wiring` at its start and reload, and that tells the daemon. Told also by an
# answer of keepalived's that no line announced.

declare -A UNHEARD=() # "INSTANCE VI_WEB" → the state that only an answer told
WIRING=unknown DESCRIPTORS=unknown WIRING_ERROR='' WATCH_AT_MS=0 WATCHED_PID='' WAS_WIRED=0 UNWIRED_LOOKS=0 ASK_AGAIN=0
LINES_HEARD=0
readonly WATCH_EVERY_MS=3000 WIRING_ADVICE='is vrrp_notify_fifo set in keepalived.conf, and was keepalived reloaded since?'

# Called by the daemon between lines: has keepalived started again, and is it wired?
watch_keepalived() {
  ((NOW_MS >= WATCH_AT_MS)) || return
  WATCH_AT_MS=$((NOW_MS + WATCH_EVERY_MS))
  local -r before=$KEEPALIVED
  find_keepalived
  [[ $KEEPALIVED == "$before" ]] || STATUS_CHANGED=1
  if [[ $KEEPALIVED != running ]]; then
    DESCRIPTORS=unknown UNHEARD=()
  elif [[ $KEEPALIVED_PID != "$WATCHED_PID" ]]; then
    # Its first word may have been said by now, and once more when it has had the time.
    ASK_ALL=1 ASK_AGAIN=1 WATCHED_PID=$KEEPALIVED_PID WAS_WIRED=0 UNWIRED_LOOKS=0 LINES_HEARD=0 UNHEARD=()
    DESCRIPTORS=unknown
    [[ $JSON_SIGNAL ]] || learn_to_ask 0.5
  elif ((ASK_AGAIN)); then
    ASK_ALL=1 ASK_AGAIN=0
  fi
  [[ $KEEPALIVED == running ]] && look_twice
  explain_wiring
}

# While it reloads it has none for a moment. Lines that come all the same come from a script of its.
look_twice() {
  look_at_descriptors "$KEEPALIVED_PID"
  case $WIRING in
    wired) DESCRIPTORS=wired WAS_WIRED=1 UNWIRED_LOOKS=0 ;;
    unwired)
      UNWIRED_LOOKS=$((UNWIRED_LOOKS + 1))
      ((UNWIRED_LOOKS >= 2)) && ((WAS_WIRED || !LINES_HEARD)) && DESCRIPTORS=unwired
      ;;
  esac
  return 0
}

# WIRING of the keepalived with this pid: wired, unwired, or unknown where one may not look.
look_at_descriptors() {
  local pid fd pids='' hidden=0 seen
  WIRING=unknown
  [[ -p ${CONFIG[fifo]} ]] || return 0
  { read -r pids <"/proc/$1/task/$1/children"; } 2>/dev/null
  [[ $pids ]] || return 0 # it has not started its children yet, or the kernel does not say
  set +f
  for pid in $1 $pids; do
    seen=0
    for fd in "/proc/$pid/fd"/*; do
      # Root without capabilities sees that they are there, and not where they lead.
      [[ -e $fd ]] || continue
      seen=1
      [[ $fd -ef ${CONFIG[fifo]} ]] && WIRING=wired
    done
    ((seen)) || hidden=1
  done
  set -f
  [[ $WIRING == wired ]] || ((hidden)) || WIRING=unwired
  return 0
}

heard_through_fifo() {
  LINES_HEARD=1
  [[ $WIRING_ERROR ]] || return 0
  unset "UNHEARD[$1]"
  explain_wiring
}

# An answer told a state of "INSTANCE VI_WEB" that no line had told, and it changed while we were listening.
missed_line() {
  UNHEARD[$1]=$2
  explain_wiring
}

# vipshift wiring wired|unwired, by keepalived.service.
take_wiring_word() {
  [[ $1 == wired || $1 == unwired ]] || return 0
  # It is of the keepalived that runs now, which the daemon may not have met yet.
  WATCH_AT_MS=0
  watch_keepalived
  DESCRIPTORS=$1
  [[ $1 == wired ]] && WAS_WIRED=1
  explain_wiring
}

explain_wiring() {
  local -r before=$WIRING_ERROR
  local of
  WIRING_ERROR=''
  if [[ $DESCRIPTORS == unwired ]]; then
    WIRING_ERROR="keepalived does not have the FIFO ${CONFIG[fifo]} open, so a failover waits for the next assertion: $WIRING_ADVICE"
  else
    for of in "${!UNHEARD[@]}"; do
      WIRING_ERROR="keepalived says ${UNHEARD[$of]} of $of, but nothing came through the FIFO ${CONFIG[fifo]}: $WIRING_ADVICE"
    done
  fi
  [[ $WIRING_ERROR == "$before" ]] || STATUS_CHANGED=1
}

# `vipshift-notify wiring [--tell]`: with --tell in the background and for the daemon, a few seconds later, since a reload
# takes a moment.
wiring_command() {
  read_config_option "$@"
  [[ ${#REST[@]} -eq 0 || ( ${#REST[@]} -eq 1 && ${REST[0]} == --tell ) ]] || die 2 'usage: vipshift-notify wiring [--tell]'
  require_config
  if ((${#REST[@]})); then
    tell_wiring </dev/null >/dev/null &
    return 0
  fi
  find_keepalived
  [[ $KEEPALIVED == running ]] || die 1 "no keepalived runs here by ${CONFIG[keepalived_pid]} (keepalived_pid)"
  look_at_descriptors "$KEEPALIVED_PID"
  [[ $WIRING == wired ]] || die 1 "keepalived (process $KEEPALIVED_PID) is $WIRING: $WIRING_ADVICE"
  printf 'keepalived (process %s) has %s open\n' "$KEEPALIVED_PID" "${CONFIG[fifo]}"
}

tell_wiring() {
  local fd try
  exec {fd}<> <(:)
  read -r -t 2 -u "$fd"
  for ((try = 0; try < 6; try++)); do
    find_keepalived
    [[ $KEEPALIVED == running ]] && look_at_descriptors "$KEEPALIVED_PID"
    [[ $WIRING == wired ]] && break
    read -r -t 0.5 -u "$fd"
  done
  [[ $WIRING == unknown || ! -p ${CONFIG[fifo]} ]] && return
  [[ $WIRING == unwired ]] && complain "keepalived (process $KEEPALIVED_PID) does not have ${CONFIG[fifo]} open: $WIRING_ADVICE"
  printf 'vipshift wiring %s\n' "$WIRING" 1<>"${CONFIG[fifo]}"
}
