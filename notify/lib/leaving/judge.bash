# What the notices mean: whether this node is to leave, why, and until when.
#
# Invariant: a notice that is not of the documented form, or about another time than this one, moves nothing. What is gone ends a
# leaving only when two answers in a row report it gone.

AT_RISK=0 GONE_ANSWERS=0 STAYED_SEEN=0 WANTED_KEY='' WANTED_CAUSE='' ENDED_BECAUSE=''
readonly LEAD_S=600 SPOT_WITHIN_S=3600 GONE_ANSWERS_MIN=2
readonly EVENT_CODES='(instance-reboot|system-reboot|system-maintenance|instance-retirement|instance-stop)'

judge_notices() {
  local -r risk=$AT_RISK
  read_wall_seconds
  WANTED_KEY='' WANTED_CAUSE='' ENDED_BECAUSE='' AT_RISK=0 STAYED_SEEN=0
  [[ ${NOTICE[$REBALANCE]} =~ ^200\ .*\"noticeTime\"[[:space:]]*:[[:space:]]*\"([^\"]+)\" ]] && epoch_of "${BASH_REMATCH[1]}" && AT_RISK=1
  wanted_by_spot || wanted_by_event
  if ((AT_RISK != risk)); then
    STATUS_CHANGED=1 ASK_ALL=1
    if ((AT_RISK)); then
      say 'at risk: AWS recommends to rebalance; nothing moves for that'
    else say 'no longer at risk: the recommendation to rebalance is gone'; fi
  fi
  if [[ $WANTED_KEY ]]; then
    GONE_ANSWERS=0
    [[ $WANTED_KEY == "$LEAVING_KEY" ]] || begin_leaving
  elif [[ $LEAVING_KEY ]]; then
    GONE_ANSWERS=$((GONE_ANSWERS + 1))
    [[ $LEAVING_KEY == event* ]] && what_became_of "${LEAVING_KEY#event }"
    if [[ $ENDED_BECAUSE ]]; then
      end_leaving "$ENDED_BECAUSE"
    elif ((GONE_ANSWERS >= GONE_ANSWERS_MIN)); then end_leaving 'the notice is gone'; fi
  elif ((!STAYED_SEEN)); then
    STAYED_KEY=''
  fi
}

# {"action": "terminate", "time": "2026-11-30T02:02:00Z"}
wanted_by_spot() {
  local action
  [[ ${NOTICE[$SPOT]} =~ ^200\ [[:space:]]*\{.*\}[[:space:]]*$ ]] || return
  [[ ${NOTICE[$SPOT]} =~ \"action\"[[:space:]]*:[[:space:]]*\"(terminate|stop|hibernate)\" ]] || return
  action=${BASH_REMATCH[1]}
  [[ ${NOTICE[$SPOT]} =~ \"time\"[[:space:]]*:[[:space:]]*\"([^\"]+)\" ]] && epoch_of "${BASH_REMATCH[1]}" || return
  ((EPOCH_S - WALL_S < SPOT_WITHIN_S && WALL_S - EPOCH_S < SPOT_WITHIN_S)) || return
  is_stayed "spot $action $EPOCH_S" && return 1
  WANTED_KEY="spot $action $EPOCH_S" WANTED_CAUSE=spot-$action
}

# Whether the operator has said that this one is not to be obeyed.
is_stayed() {
  [[ $1 == "$STAYED_KEY" ]] || return
  STAYED_SEEN=1
}

# The first scheduled event that is due within LEAD_S and is not over.
wanted_by_event() {
  local first=0
  while next_event "$SCHEDULED"; do
    is_over && continue
    ((EVENT_FROM_S - LEAD_S <= WALL_S && (!EVENT_UNTIL_S || WALL_S < EVENT_UNTIL_S))) || continue
    [[ "event $EVENT_ID" == "$CAME_BACK_KEY" ]] || is_stayed "event $EVENT_ID" && continue
    ((first && first <= EVENT_FROM_S)) && continue
    first=$EVENT_FROM_S WANTED_KEY="event $EVENT_ID" WANTED_CAUSE=$EVENT_CODE
  done
  [[ $WANTED_KEY ]]
}

is_over() { [[ $EVENT_TEXT == '[Completed]'* || $EVENT_TEXT == '[Canceled]'* || $EVENT_STATE != active ]]; }

what_became_of() {
  while next_event "$HISTORY"; do
    [[ $EVENT_ID == "$1" ]] || continue
    case $EVENT_STATE:$EVENT_TEXT in
      completed:* | *:'[Completed]'*) ENDED_BECAUSE='the event is completed' ;;
      canceled:* | *:'[Canceled]'*) ENDED_BECAUSE='the event is cancelled' ;;
    esac
  done
}

# Takes the first event off the list $1 of NOTICE: {"NotBefore": "21 Jan 2026 09:00:43 GMT", "Code": "system-reboot", "Description":
# …, "EventId": "instance-event-…", "NotAfter": …, "State": "active"}. False where there is none left; one that is not of that form is
# left out.
next_event() {
  local object
  while [[ ${NOTICE[$1]-} =~ ^200\ [^{]*(\{[^{}]*\})(.*)$ ]]; do
    object=${BASH_REMATCH[1]} NOTICE[$1]="200 ${BASH_REMATCH[2]}"
    EVENT_TEXT='' EVENT_STATE='' EVENT_UNTIL_S=0
    [[ $object =~ \"EventId\"[[:space:]]*:[[:space:]]*\"([A-Za-z0-9-]{1,64})\" ]] && EVENT_ID=${BASH_REMATCH[1]} || continue
    [[ $object =~ \"Code\"[[:space:]]*:[[:space:]]*\"$EVENT_CODES\" ]] && EVENT_CODE=${BASH_REMATCH[1]} || continue
    [[ $object =~ \"State\"[[:space:]]*:[[:space:]]*\"([a-z]+)\" ]] && EVENT_STATE=${BASH_REMATCH[1]}
    [[ $object =~ \"Description\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" ]] && EVENT_TEXT=${BASH_REMATCH[1]}
    [[ $object =~ \"NotAfter\"[[:space:]]*:[[:space:]]*\"([^\"]+)\" ]] && epoch_of_event "${BASH_REMATCH[1]}" && EVENT_UNTIL_S=$EPOCH_S
    [[ $object =~ \"NotBefore\"[[:space:]]*:[[:space:]]*\"([^\"]+)\" ]] && epoch_of_event "${BASH_REMATCH[1]}" || continue
    EVENT_FROM_S=$EPOCH_S
    return 0
  done
  return 1
}

# 21 Jan 2026 09:00:43 GMT → EPOCH_S
epoch_of_event() {
  local -r months='Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec '
  local before
  [[ $1 =~ ^([0-9]{1,2})\ ([A-Z][a-z]{2})\ ([0-9]{4})\ ([0-9:]{8})\ GMT$ ]] || return 1
  before=${months%%"${BASH_REMATCH[2]} "*}
  [[ $before != "$months" ]] || return 1
  printf -v before '%s-%02d-%02dT%s' "${BASH_REMATCH[3]}" $((${#before} / 4 + 1)) "$((10#${BASH_REMATCH[1]}))" "${BASH_REMATCH[4]}"
  epoch_of "$before"
}
