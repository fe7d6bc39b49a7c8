# Assertions: the state said again, 1, 3 and 10 s after a transition, then every 10 s as MASTER and every 60 s otherwise.
# They heal whatever was lost, and their absence shows the controller that a node is silent.
#
# Invariant: an assertion is made when it is sent, its number drawn before keepalived is asked; a line that arrives
# meanwhile drops it. It waits until the spool is empty, is never spooled itself, and is not sent again.
# Nothing is asserted for a keepalived that died, or of an instance that it has not: such a node is silent, unless its last
# word was STOP or DELETED.

declare -A ASSERT_AT=() READY=() # VIP → ms when it is due; VIP → the claim to send, with stateFrom at its end

# Right after a claim was dated, so that the clock need not be read again.
assert_after_transition() {
  ASSERT_AT[$1]=$((NOW_MS + 1000))
  drop_assertion "$1"
}

drop_assertion() { ((${#ASKED[@]} + ${#READY[@]})) && unset "ASKED[$1]" "READY[$1]"; }

schedule_assertion() {
  local since after period=60000
  local -r word=(${WORD[$1]-NONE 0 0})
  since=${word[2]}
  [[ ${word[0]} == MASTER ]] && period=10000
  after=$((NOW_MS - since / 1000))
  if ((after < 3000)); then
    ASSERT_AT[$1]=$((since / 1000 + (after < 1000 ? 1000 : 3000)))
  elif ((after < 10000)); then
    ASSERT_AT[$1]=$((since / 1000 + 10000))
  else
    ASSERT_AT[$1]=$((NOW_MS + period))
  fi
}

# At start and after a torn line: whatever keepalived says is news.
assert_everything() {
  local vip
  ASK_ALL=0
  for vip in "${VIP_NAMES[@]}"; do ASSERT_AT[$vip]=$NOW_MS; done
}

# Draws the numbers of those that are due and asks; the answer is collected by collect_assertions.
begin_assertions() {
  local vip due=()
  ((ASK_ALL)) && assert_everything
  ((${#ASKED[@]} + ${#READY[@]} == 0)) || return
  for vip in "${!ASSERT_AT[@]}"; do
    ((ASSERT_AT[$vip] <= NOW_MS && ${#due[@]} < BATCH_MAX)) && due+=("$vip")
  done
  ((${#due[@]} > 0)) || return
  find_keepalived
  for vip in "${due[@]}"; do
    draw_seq
    read_wall_clock
    ASKED[$vip]="$SEQ $WALL_MS"
    schedule_assertion "$vip"
  done
  ask_keepalived || answer_all ''
}

collect_assertions() {
  ((${#ASKED[@]} > 0)) || return
  if read_answer; then
    # keepalived writes its line before it answers: what changed meanwhile lies in the FIFO by now.
    read -r -t 0 -u "$FIFO_FD" && return
    answer_all keepalived
  elif ((NOW_MS >= ASK_UNTIL_MS)); then
    answer_all ''
  fi
}

# Makes assertions of all that were asked, from keepalived's answer or else from the last word.
answer_all() {
  local vip asked missing=''
  for vip in "${!ASKED[@]}"; do
    asked=(${ASKED[$vip]})
    if [[ $1 == keepalived && ${NAMED_BY[$vip]} == INSTANCE\ * ]]; then
      state_in_answer "${NAMED_BY[$vip]#* }"
      case $? in
        0)
          assert_answer "$vip" "${asked[@]}"
          continue
          ;;
        2)
          if ! is_of_another_keepalived "${NAMED_BY[$vip]#* }"; then
            missing+="${missing:+, }${NAMED_BY[$vip]#* }"
            is_out "$vip" || continue
          fi
          ;;
      esac
    fi
    assert_last_word "$vip" "${asked[@]}"
  done
  [[ $1 == keepalived ]] && explain_missing "$missing"
  ASKED=() ANSWER=''
}

explain_missing() {
  local -r before=$INSTANCE_ERROR
  INSTANCE_ERROR=''
  if [[ $1 ]]; then
    instances_in_answer
    INSTANCE_ERROR="keepalived has no instance $1; it has $REPLY: correct $CONFIG_FILE or keepalived.conf"
  fi
  [[ $INSTANCE_ERROR == "$before" ]] || STATUS_CHANGED=1
}

# Whether the last word of this VIP was that keepalived left it.
is_out() {
  local -r word=(${WORD[$1]-})
  [[ ${word[0]-} == STOP || ${word[0]-} == DELETED ]]
}

assert_last_word() {
  local -r word=(${WORD[$1]-})
  [[ ${word[0]-NONE} != NONE ]] || return
  [[ $KEEPALIVED == gone ]] && ! is_out "$1" && return
  READY[$1]="$2 ${word[2]} $3 ${word[0]} ${word[1]} $1 ${NAMED_BY[$1]} fifo"
}

assert_answer() {
  local -r vip=$1 seq=$2 at=$3
  local -r word=(${WORD[$1]-})
  if [[ ${word[0]-} == "$ANSWER_STATE" ]]; then
    WORD[$vip]="$ANSWER_STATE $ANSWER_PRIORITY ${word[2]}"
    READY[$vip]="$seq ${word[2]} $at $ANSWER_STATE $ANSWER_PRIORITY $vip ${NAMED_BY[$vip]} keepalived"
    return
  fi
  # The line was lost (the shim was not there, or the FIFO was full), so this is the transition itself.
  date_transition "$seq" "$at" "${word[2]:-0}"
  ((SINCE / 1000 > LISTENING_FROM_MS)) && [[ ! $FIFO_ERROR ]] && missed_line "${NAMED_BY[$vip]}" "$ANSWER_STATE"
  SPOOL_LINES=''
  spool_claim "$vip" "$SINCE" "$ANSWER_STATE $ANSWER_PRIORITY" "$SINCE $SINCE $SINCE_WALL_MS $ANSWER_STATE $ANSWER_PRIORITY $vip ${NAMED_BY[$vip]}"
  journal "$SPOOL_LINES"
  assert_after_transition "$vip"
  list_transition "$vip" "$ANSWER_STATE" "$ANSWER_PRIORITY" "${NAMED_BY[$vip]}, told by its answer"
}

# A transition that was lost gets the number that it would have had: keepalived remembers by the wall clock when it
# changed. Believed only between the transition known before and now, and not from before that clock was set.
date_transition() {
  local -r seq=$1 at=$2 before=$3
  SINCE=$seq SINCE_WALL_MS=$at
  read_wall_clock
  read_clock
  local then=$((NOW_US - (WALL_MS * 1000 - ANSWER_CHANGED_US)))
  while [[ ${Q[$then]-} ]]; do then=$((then + 1)); done # two VIPs of one instance changed in the same instant
  if ((ANSWER_CHANGED_US > 0 && then > before && then > CLOCK_SET_AT_US && then < seq)); then
    SINCE=$then SINCE_WALL_MS=$((ANSWER_CHANGED_US / 1000))
  fi
}
