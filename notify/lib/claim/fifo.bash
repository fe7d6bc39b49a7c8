# keepalived's notify FIFO: lines such as `INSTANCE "VI_WEB" MASTER 254`, in order. keepalived writes without blocking and
# drops the newest line when the FIFO is full, so it is drained at once and worked on afterwards.
#
# Invariant: a FIFO into which others may write is not read, and no line, whole or not, holds the daemon up for longer than
# LINE_LIMIT_S. A FIFO that is refused is looked at again each second; meanwhile everything else goes on.
# Limit: with `fifo_write_vrrp_states_on_reload` keepalived repeats states that did not change; the shim cannot tell that
# from transitions, so that option has to stay off.

FIFO_FD='' FIFO_ERROR='' FIFO_LOOK_MS=0 PARTIAL_LINE='' PARTIAL_IS_NEW=0 BAD_LINES=0
readonly DRAIN_LIMIT=50 LINE_LIMIT_S=0.05 PARTIAL_WAIT_MS=100 PARTIAL_MAX=4096 FIFO_LOOK_EVERY_MS=1000

# Opens what has the name now; false, with FIFO_ERROR, if it is not ours to read. What was open stays open then.
open_fifo() {
  local -r path=${CONFIG[fifo]}
  local fd
  FIFO_ERROR=''
  if [[ ! -e $path && ! -L $path ]]; then
    [[ -d ${path%/*} ]] || install -d -m 700 -- "${path%/*}" 2>/dev/null
    mkfifo -m 600 -- "$path" 2>/dev/null
  fi
  if [[ ! -p $path ]]; then
    FIFO_ERROR="$path is no FIFO: remove it, or name another one (fifo = ...)"
    [[ -e $path ]] || FIFO_ERROR="cannot make the FIFO $path: is the disk full or read-only?"
    return 1
  fi
  # A process that may write here reports as this node.
  if ! is_private "$path" 'the FIFO' "$path"; then
    FIFO_ERROR=$TROUBLE
    [[ -O $path ]] || FIFO_ERROR+="; where keepalived makes it, its configuration says the owner: vrrp_notify_fifo $path root"
    return 1
  fi
  # Opened for both ways it neither blocks nor ends, and holds the lines of a keepalived that is gone. Opened here and
  # not taken from systemd, whose own descriptor is non-blocking, which bash's read does not understand.
  if ! { exec {fd}<>"$path"; } 2>/dev/null || [[ ! -O /dev/fd/$fd ]]; then
    FIFO_ERROR="cannot open the FIFO $path"
    return 1
  fi
  FIFO_FD=$fd
}

# At start. Without a FIFO that may be read, one without a name takes its place, on which the daemon can wait.
open_first_fifo() {
  open_fifo && return
  exec {FIFO_FD}<> <(:)
}

# Another process may have replaced the FIFO under its name: keepalived does that at a reload if it made the FIFO.
follow_fifo() {
  local -r old=$FIFO_FD
  [[ ${CONFIG[fifo]} -ef /dev/fd/$old && -O /dev/fd/$old ]] && return
  ((NOW_MS >= FIFO_LOOK_MS)) || return
  FIFO_LOOK_MS=$((NOW_MS + FIFO_LOOK_EVERY_MS)) STATUS_CHANGED=1
  while read -r -t 0 -u "$old"; do drain_fifo 0.01; done
  open_fifo || return
  say "the FIFO ${CONFIG[fifo]} is another one now, reading that"
  exec {old}>&-
  FIFO_LOOK_MS=0 PARTIAL_LINE='' ASK_ALL=1
}

# Waits up to $1 seconds for something, then takes the whole lines that are there, at most DRAIN_LIMIT. One character first:
# waiting for the end of a line would make the daemon wait for as long as a torn line lies there. Lines that wait together get
# the time of the second of them, which saves reading the clock for each; it has steps of 10 ms.
drain_fifo() {
  local first='' line count=0
  IFS= read -r -N 1 -t "$1" -u "$FIFO_FD" first || {
    # It may have come in the very moment in which the time was over.
    if [[ $first ]]; then keep_partial_line "$first"; else settle_partial_line; fi
    return
  }
  while :; do
    line=''
    if [[ $first != $'\n' ]]; then
      IFS= read -r -t $LINE_LIMIT_S -u "$FIFO_FD" line || {
        CLOCK_IS_HELD=0
        keep_partial_line "$first$line"
        return
      }
      line=$first$line
    fi
    take_line "$PARTIAL_LINE$line"
    PARTIAL_LINE='' first=''
    ((++count < DRAIN_LIMIT)) && read -r -t 0 -u "$FIFO_FD" || break
    ((CLOCK_IS_HELD)) || hold_clock
  done
  CLOCK_IS_HELD=0
}

# The beginning of a line whose end has not come yet.
keep_partial_line() {
  PARTIAL_LINE+=$1 PARTIAL_IS_NEW=1
  read_clock
  PARTIAL_SINCE_MS=$NOW_MS
  ((${#PARTIAL_LINE} > PARTIAL_MAX)) || return 0
  PARTIAL_LINE=${PARTIAL_LINE: -300} # longer than any line of keepalived's
  BAD_LINES=$((BAD_LINES + 1)) ASK_ALL=1
}

# Nothing more comes: a line that says all, but has no end, is taken; the beginning of one waits for the rest.
settle_partial_line() {
  ((PARTIAL_IS_NEW)) || return
  read -r -t 0 -u "$FIFO_FD" && return # on a busy machine the time may be over although something waits
  read_clock
  ((NOW_MS - PARTIAL_SINCE_MS >= PARTIAL_WAIT_MS)) || return
  PARTIAL_IS_NEW=0
  [[ $PARTIAL_LINE =~ $RECORD$ ]] || return
  take_line "$PARTIAL_LINE"
  PARTIAL_LINE=''
}
