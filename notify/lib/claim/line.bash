# What a line says. keepalived's own are `INSTANCE "NAME" STATE PRIORITY` and `GROUP "NAME" STATE PRIORITY`; with
# `notify_fifo` its lines about virtual and real servers (`VS`, `RS`) come through the same FIFO and are not ours.
# `selftest` and the units write short words (`vipshift ...`).
#
# Invariant: a line about a mapped instance or group becomes one claim per VIP, stamped when it is read. A torn line costs
# itself, never the whole one that follows it without a break.

declare -A ADVERT_PENDING=() # VIP → "seq since atMs state priority vip kind name": the newest lower-advert not yet taken
declare -A ADVERT_AT=()      # VIP → ms of the last lower-advert that was let through
LISTED_FROM_MS=0 LISTED=0 NOT_LISTED=0
readonly ADVERT_EVERY_MS=10000 PRIORITY_MAX=255 LISTED_MAX=200 LISTED_WITHIN_MS=10000
# bash may lose the character that comes in the very moment in which a read has waited for long enough, so a first letter may be
# missing.
readonly RECORD='(I?NSTANCE|G?ROUP) "([^"]*)" ([A-Z_]+) ([0-9]+)'

take_line() {
  local rest=$1 record left=''
  if [[ $rest =~ ^$RECORD$ ]]; then
    take_word "${BASH_REMATCH[@]:1}"
    return
  fi
  while [[ $rest =~ $RECORD ]]; do
    record=${BASH_REMATCH[0]}
    left+=${rest%%"$record"*}
    rest=${rest#*"$record"}
    take_word "${BASH_REMATCH[@]:1}"
  done
  left+=$rest
  if [[ $left =~ vipshift\ ([a-z]+)\ ?([a-z0-9]*)$ ]]; then
    take_command "${BASH_REMATCH[@]:1}"
  elif [[ $left && ! $left =~ ^(VS|RS)\ .*\ (UP|DOWN)$ ]]; then
    BAD_LINES=$((BAD_LINES + 1)) # the rest of a line whose first half a killed shim had read, for example
    ASK_ALL=1
  fi
}

take_command() {
  case $1 in
    probe) take_probe_word "$2" ;;
    wiring) take_wiring_word "$2" ;;
    stay) take_stay_word ;;
  esac
}

take_word() {
  local -r name=$2 state=$3
  local vip vips kind=INSTANCE priority=$PRIORITY_MAX
  [[ $1 == *ROUP ]] && kind=GROUP
  vips=${VIPS_OF["$kind $name"]-}
  [[ $vips ]] || return 0
  ((${#4} <= 3 && 10#$4 < PRIORITY_MAX)) && priority=$((10#$4))
  heard_through_fifo "$kind $name"
  case $state in
    MASTER | BACKUP | FAULT | STOP | DELETED)
      ((CLOCK_IS_HELD)) || read_wall_clock
      SPOOL_LINES=''
      for vip in $vips; do
        draw_seq
        spool_claim "$vip" "$SEQ" "$state $priority" "$SEQ $SEQ $WALL_MS $state $priority $vip $kind $name"
        ((${#ADVERT_AT[@]})) && unset "ADVERT_PENDING[$vip]" "ADVERT_AT[$vip]"
        assert_after_transition "$vip"
      done
      journal "$SPOOL_LINES"
      for vip in $vips; do list_transition "$vip" "$state" "$priority" "$kind $name"; done
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

# One line in the journal for each; of a storm the first ones, and how many there were.
list_transition() {
  if ((NOW_MS - LISTED_FROM_MS >= LISTED_WITHIN_MS)); then
    list_rest
    LISTED_FROM_MS=$NOW_MS LISTED=0
  fi
  if ((LISTED < LISTED_MAX)); then
    LISTED=$((LISTED + 1))
    say "VIP $1: $2, priority $3, by $4"
  else
    NOT_LISTED=$((NOT_LISTED + 1))
  fi
}

list_rest() {
  ((NOT_LISTED && NOW_MS - LISTED_FROM_MS >= LISTED_WITHIN_MS)) || return 0
  warn "$NOT_LISTED more transitions within ten seconds, not listed here"
  NOT_LISTED=0
}

take_priority() {
  local -r word=(${WORD[$1]-})
  [[ ${word[0]-} == "$2" ]] || return
  WORD[$1]="$2 $3 ${word[2]}"
  drop_assertion "$1"
  read_clock
  ASSERT_AT[$1]=$NOW_MS
}

# keepalived says this with every advert it hears: the first goes out at once, then one in ten seconds.
take_lower_advert() {
  local -r vip=$1 priority=$2 kind=$3 name=$4
  local -r word=(${WORD[$1]-})
  draw_seq
  [[ ${ADVERT_AT[$vip]-} ]] && ((NOW_MS - ADVERT_AT[$vip] < ADVERT_EVERY_MS)) && return
  read_wall_clock
  # Only a MASTER hears them as such. Unheard of so far: this line is then the first that is known of its transition.
  ADVERT_PENDING[$vip]="$SEQ ${word[2]:-$SEQ} $WALL_MS MASTER $priority $vip $kind $name"
  [[ ${word[0]-} == MASTER ]] || {
    ASK_ALL=1
    [[ ${word[0]-} ]] && unset "ADVERT_PENDING[$vip]" && return
  }
  ADVERT_AT[$vip]=$NOW_MS
  drop_assertion "$vip"
  FRESH=1
}
