# keepalived's notify FIFO: lines such as `INSTANCE "VI_WEB" MASTER 254`, in order. keepalived writes without blocking and
# drops the newest line when the FIFO is full, so it is drained at once and worked on afterwards.
#
# The FIFO also carries the shim's own short words (`vipshift …`, written by curl as it ends and by the credential job):
# bash can wait for one descriptor only, and a line within PIPE_BUF is never torn or mixed with another.
#
# Invariant: a line about a mapped instance or group becomes one claim per VIP, stamped when it is read.
# Limit: with `fifo_write_vrrp_states_on_reload` keepalived repeats states that did not change; the shim cannot tell that
# from transitions, so that option has to stay off.

FIFO_FD='' PARTIAL_LINE='' BAD_LINES=0
declare -A ADVERT_PENDING=() # VIP → "seq since atMs state priority vip kind name": the newest lower-advert not yet taken
declare -A ADVERT_AT=()      # VIP → ms of the last lower-advert that was let through
readonly ADVERT_EVERY_MS=10000 DRAIN_LIMIT=2000

open_fifo() {
  local -r path=${CONFIG[fifo]}
  if [[ ! -e $path ]]; then
    [[ -d ${path%/*} ]] || mkdir -p -- "${path%/*}"
    mkfifo -m 600 -- "$path" || die 1 "cannot make the FIFO $path"
  fi
  [[ -p $path ]] || die 2 "$path is no FIFO: remove it, or name another one (fifo = …)"
  # A process that may write here reports as this node.
  require_private "$path" 'the FIFO'
  # Opened for both ways it neither blocks nor ends, and holds the lines of a keepalived that is gone. Opened here and
  # not taken from systemd, whose own descriptor is non-blocking, which bash's read does not understand.
  exec {FIFO_FD}<>"$path" || die 1 "cannot open the FIFO $path"
}

# Another process may have replaced the FIFO under its name: keepalived does that at a reload if it made the FIFO.
follow_fifo() {
  [[ ${CONFIG[fifo]} -ef /dev/fd/$FIFO_FD ]] && return
  local old=$FIFO_FD
  say "${CONFIG[fifo]} is another one now, reading that"
  while read -r -t 0 -u "$old"; do drain_fifo 0.01; done
  open_fifo
  exec {old}>&-
}

# Waits up to $1 seconds for a line, then takes all that are there.
drain_fifo() {
  local line count=0
  IFS= read -r -t "$1" -u "$FIFO_FD" line || {
    PARTIAL_LINE+=$line
    return 1
  }
  while :; do
    take_line "$PARTIAL_LINE$line"
    PARTIAL_LINE=''
    count=$((count + 1))
    ((count < DRAIN_LIMIT)) && read -r -t 0 -u "$FIFO_FD" || return 0
    IFS= read -r -u "$FIFO_FD" line || return 0
  done
}

take_line() {
  local -r pattern='^(INSTANCE|GROUP) "([^"]*)" ([A-Z_]+) ([0-9]+)'
  if [[ $1 == 'vipshift '* ]]; then
    take_own_word "$1"
  elif [[ $1 =~ $pattern ]]; then
    take_word "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}" "$((10#${BASH_REMATCH[4]}))"
  elif [[ $1 ]]; then
    BAD_LINES=$((BAD_LINES + 1)) # the rest of a line whose first half a killed shim had read, for example
    ASK_ALL=1
  fi
}

take_word() {
  local -r kind=$1 name=$2 state=$3 priority=$4
  local -r vips=${VIPS_OF["$kind $name"]-}
  local vip claims=()
  [[ $vips ]] || return 0
  case $state in
    MASTER | BACKUP | FAULT | STOP | DELETED)
      read_wall_clock
      for vip in $vips; do
        draw_seq
        claims+=("$SEQ $SEQ $WALL_MS $state $priority $vip $kind $name")
        unset "ADVERT_PENDING[$vip]" "ADVERT_AT[$vip]"
      done
      spool_claims "${claims[@]}"
      for vip in $vips; do assert_after_transition "$vip"; done
      FRESH=1
      ;;
    # Only with notify_priority_changes: no transition, but worth saying soon.
    MASTER_PRIORITY | BACKUP_PRIORITY)
      for vip in $vips; do take_priority "$vip" "${state%_PRIORITY}" "$priority"; done
      ;;
    MASTER_RX_LOWER_PRI)
      for vip in $vips; do take_lower_advert "$vip" "$priority" "$kind" "$name"; done
      ;;
  esac
}

take_priority() {
  local state since
  read -r state _ since <<<"${WORD[$1]-}"
  [[ $state == "$2" ]] || return
  WORD[$1]="$state $3 $since"
  drop_assertion "$1"
  read_clock
  ASSERT_AT[$1]=$NOW_MS
}

# keepalived says this with every advert it hears: the first goes out at once, then one in ten seconds.
take_lower_advert() {
  local -r vip=$1 priority=$2 kind=$3 name=$4
  local state since
  draw_seq
  [[ ${ADVERT_AT[$vip]-} ]] && ((NOW_MS - ADVERT_AT[$vip] < ADVERT_EVERY_MS)) && return
  read -r state _ since <<<"${WORD[$vip]-}"
  read_wall_clock
  # Only a MASTER hears them as such. Unheard of so far: this line is then the first that is known of its transition.
  ADVERT_PENDING[$vip]="$SEQ ${since:-$SEQ} $WALL_MS MASTER $priority $vip $kind $name"
  [[ $state == MASTER ]] || {
    ASK_ALL=1
    [[ $state ]] && unset "ADVERT_PENDING[$vip]" && return
  }
  ADVERT_AT[$vip]=$NOW_MS
  drop_assertion "$vip"
  FRESH=1
}
