# Asking keepalived for its true state: its JSON signal makes it write a file within milliseconds, where its build has JSON.
# Otherwise the last line of the FIFO is used, and the claim names the source (`stateFrom`).
#
# Invariant: the daemon never waits for the answer; it checks for it between lines, for at most ASK_LIMIT_MS.
# Limit: sync groups are not in the JSON; for them the last word always has to do.

declare -A ASKED=() # VIP → "seq atMs", drawn before keepalived was asked
ASK_ALL=0 ASK_UNTIL_MS=0 JSON_SIGNAL='' KEEPALIVED_PID='' ANSWER='' ANSWER_STATE='' ANSWER_PRIORITY=0 ANSWER_CHANGED_US=0
readonly ASK_LIMIT_MS=300 ASK_POLL_MS=4

# KEEPALIVED: running, gone (its pid file names a process that is not there), or unknown.
find_keepalived() {
  local path comm='' paths=("${CONFIG[keepalived_pid]}")
  KEEPALIVED=unknown KEEPALIVED_PID=''
  [[ ${CONFIG[keepalived_pid]} == none ]] && return
  [[ ${CONFIG[keepalived_pid]} == auto ]] && paths=(/run/keepalived.pid /run/keepalived/keepalived.pid)
  for path in "${paths[@]}"; do
    [[ -r $path ]] && read -r KEEPALIVED_PID <"$path" || continue
    [[ $KEEPALIVED_PID =~ ^[1-9][0-9]*$ ]] || continue
    KEEPALIVED=gone
    read -r comm 2>/dev/null <"/proc/$KEEPALIVED_PID/comm" && [[ $comm == keepalived* ]] && KEEPALIVED=running
    return
  done
}

# Once per start: which signal, if any. A fork, hence not in the middle of things.
learn_json_signal() {
  JSON_SIGNAL=''
  [[ ${CONFIG[keepalived_pid]} == none ]] && return
  JSON_SIGNAL=$(keepalived --signum=JSON 2>/dev/null) || JSON_SIGNAL=''
  [[ $JSON_SIGNAL =~ ^[0-9]+$ ]] || JSON_SIGNAL=''
}

# Starts asking; false if keepalived cannot say.
ask_keepalived() {
  local -r file=${CONFIG[keepalived_json]}
  [[ $JSON_SIGNAL && $KEEPALIVED == running ]] || return 1
  # An answer is new because the old one was emptied. Never through a link: the file may lie in /tmp.
  [[ -L $file ]] && return 1
  [[ -e $file ]] && { [[ -f $file && -O $file ]] && : >"$file" || return 1; }
  kill "-$JSON_SIGNAL" "$KEEPALIVED_PID" 2>/dev/null || return 1
  ASK_UNTIL_MS=$((NOW_MS + ASK_LIMIT_MS))
}

# True once the whole answer is there.
read_answer() {
  local -r file=${CONFIG[keepalived_json]}
  ANSWER=''
  [[ -s $file && -f $file && -O $file && ! -L $file ]] || return 1
  IFS= read -r -d '' ANSWER <"$file"
  [[ $ANSWER =~ []}][[:space:]]*$ && $ANSWER =~ ^[[:space:]]*[[{] ]] || return 1
  local -r opened=${ANSWER//[!\{]/} closed=${ANSWER//[!\}]/}
  ((${#opened} == ${#closed}))
}

# What the answer says of one instance; false if it is not in there, or has no state yet.
state_in_answer() {
  local rest
  [[ $ANSWER =~ \"iname\":[[:space:]]*\""$1"\"(.*) ]] || return 1
  rest=${BASH_REMATCH[1]%%\"iname\":*}
  [[ $rest =~ \"state\":[[:space:]]*([0-9]+) ]] || return 1
  case ${BASH_REMATCH[1]} in
    1) ANSWER_STATE=BACKUP ;;
    2) ANSWER_STATE=MASTER ;;
    3) ANSWER_STATE=FAULT ;;
    *) return 1 ;;
  esac
  ANSWER_PRIORITY=0 ANSWER_CHANGED_US=0
  [[ $rest =~ \"effective_priority\":[[:space:]]*([0-9]+) ]] && ANSWER_PRIORITY=${BASH_REMATCH[1]}
  [[ $rest =~ \"last_transition\":[[:space:]]*([0-9]+)\.([0-9]{6}) ]] &&
    ANSWER_CHANGED_US=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
  return 0
}
