# Asking keepalived for its true state: its JSON signal makes it write a file within milliseconds, where its build has JSON.
# Otherwise the last line of the FIFO is used, and the claim names the source (`stateFrom`).
#
# Invariant: the daemon never waits for the answer; it checks for it between lines, for at most ASK_LIMIT_MS. It writes
# nothing where others may: an answer is new because it is not older than a mark of ours in run_dir.
# Limits: sync groups are not in the JSON; for them the last word always has to do. The same where the answer's file system
# keeps times in whole seconds, or is full, and once after the clock was set back.

declare -A ASKED=()     # VIP → "seq atMs", drawn before keepalived was asked
declare -A IN_ANSWER=() # instance → 1 once an answer had it
declare -A SEEMS_NEW=() # file → 1 if it seemed new as keepalived was asked, before it can have answered
ASK_ALL=0 ASK_UNTIL_MS=0 JSON_SIGNAL='' ANSWER='' ANSWER_STATE='' ANSWER_PRIORITY=0 ANSWER_CHANGED_US=0
ANSWER_FILES=() INSTANCE_ERROR=''
ADVERT_MS=0 # the longest advert interval of our instances, once keepalived has said it
readonly ASK_LIMIT_MS=300 ASK_POLL_MS=4

# Which signal, if any, and where answers may be: at start, and with each new keepalived until one can be asked. It forks, and
# may wait for a program that is not keepalived's own for $1 seconds.
learn_to_ask() {
  JSON_SIGNAL=''
  ANSWER_FILES=("${CONFIG[keepalived_json]}")
  # In run_dir by `json_dump_file` (keepalived 2.3), in /tmp by default.
  [[ ${CONFIG[keepalived_json]} == auto ]] && ANSWER_FILES=("${CONFIG[run_dir]}/keepalived.json" /tmp/keepalived.json)
  [[ ${CONFIG[keepalived_pid]} == none ]] && return
  JSON_SIGNAL=$(timeout "$1" keepalived --signum=JSON 2>/dev/null) || JSON_SIGNAL=''
  [[ $JSON_SIGNAL =~ ^[0-9]+$ ]] || JSON_SIGNAL=''
}

# Starts asking; false if keepalived cannot say.
ask_keepalived() {
  [[ $JSON_SIGNAL && $KEEPALIVED == running ]] && ((RUN_DIR_USABLE)) || return 1
  local file
  { : >"${CONFIG[run_dir]}/asked"; } 2>/dev/null || return 1
  SEEMS_NEW=()
  for file in "${ANSWER_FILES[@]}"; do
    [[ -e $file && ! ${CONFIG[run_dir]}/asked -nt $file ]] && SEEMS_NEW[$file]=1
  done
  kill "-$JSON_SIGNAL" "$KEEPALIVED_PID" 2>/dev/null || return 1
  ASK_UNTIL_MS=$((NOW_MS + ASK_LIMIT_MS))
}

# True once the whole answer is there.
read_answer() {
  local file opened closed
  ANSWER=''
  for file in "${ANSWER_FILES[@]}"; do
    # A link in /tmp may lead anywhere, and a file of another user is no answer.
    [[ -f $file && -O $file && ! -L $file && ! ${CONFIG[run_dir]}/asked -nt $file && ! ${SEEMS_NEW[$file]-} ]] || continue
    { IFS= read -r -d '' ANSWER <"$file"; } 2>/dev/null
    [[ $ANSWER =~ []}][[:space:]]*$ && $ANSWER =~ ^[[:space:]]*[[{] ]] || continue
    opened=${ANSWER//[!\{]/} closed=${ANSWER//[!\}]/}
    ((${#opened} == ${#closed})) && return
  done
  ANSWER=''
  return 1
}

# What the answer says of one instance: 0 with its state, 1 if it has no state yet, 2 if there is no such instance.
state_in_answer() {
  local rest digits
  [[ $ANSWER =~ \"iname\":[[:space:]]*\""$1"\"(.*) ]] || return 2
  rest=${BASH_REMATCH[1]%%\"iname\":*}
  IN_ANSWER[$1]=1
  [[ $rest =~ \"state\":[[:space:]]*([0-9]+) ]] || return 1
  case ${BASH_REMATCH[1]} in
    1) ANSWER_STATE=BACKUP ;;
    2) ANSWER_STATE=MASTER ;;
    3) ANSWER_STATE=FAULT ;;
    *) return 1 ;;
  esac
  ANSWER_PRIORITY=0 ANSWER_CHANGED_US=0
  if [[ $rest =~ \"adver_int\":[[:space:]]*([0-9]{1,3})(\.([0-9]{1,3}))? ]]; then
    digits=${BASH_REMATCH[3]}000
    digits=$((10#${BASH_REMATCH[1]} * 1000 + 10#${digits:0:3}))
    ((digits > ADVERT_MS)) && ADVERT_MS=$digits
  fi
  [[ $rest =~ \"effective_priority\":[[:space:]]*([0-9]{1,3}) ]] && ANSWER_PRIORITY=${BASH_REMATCH[1]}
  [[ $rest =~ \"last_transition\":[[:space:]]*([0-9]{1,12})\.([0-9]{6}) ]] &&
    ANSWER_CHANGED_US=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
  return 0
}

# The first few instances that the answer has, for people.
instances_in_answer() {
  local rest=$ANSWER count=0
  REPLY=''
  while ((count++ < 10)) && [[ $rest =~ \"iname\":[[:space:]]*\"([^\"]*)\"(.*) ]]; do
    REPLY+="${REPLY:+, }${BASH_REMATCH[1]}"
    rest=${BASH_REMATCH[2]}
  done
  REPLY=${REPLY:-none}
}

# A second keepalived may write into the same FIFO; the answer is that of the one with the pid file.
is_of_another_keepalived() { [[ ! ${IN_ANSWER[$1]-} ]] && another_keepalived_runs; }
