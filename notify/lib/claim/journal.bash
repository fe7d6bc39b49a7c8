# The journal: the spool on disk, so that a shim that is killed at any instant goes on where it was.
#
# Invariant: a claim is in the journal before it is sent, and leaves it only after the bus took it or the bound took it.
# A journal on disk is replaced by a whole one or not at all: a full disk empties nothing.
# Nothing needs the disk: where state_dir cannot be written the journal is kept in run_dir (tmpfs), else the spool is in
# memory alone, and state_dir is tried again.
# Limit: a reboot empties it, since its ages mean nothing in another boot; hence nothing is fsynced either. A claim that
# the bus took and whose reply was lost may be dropped, and counted, before its repeat got through.

BOOT_ID='' JOURNAL='' JOURNAL_FD='' JOURNAL_LINES=0 SPOOL_ERROR='' JOURNAL_RETRY_MS=0 JOURNAL_RETRY_EVERY_MS=0
readonly JOURNAL_RETRY_MIN_MS=1000 JOURNAL_RETRY_MAX_MS=60000
readonly STATES='(MASTER|BACKUP|FAULT|STOP|DELETED)' KEPT_NAME='[]!#-[^-~]+'

open_spool() {
  read_boot_id
  # The one in run_dir is the newer one: it was made when the other could not be written any more.
  replay_journal "${CONFIG[run_dir]}/spool" || replay_journal "${CONFIG[state_dir]}/spool"
  start_seq_after "$LAST_SEQ"
  place_journal
}

# False if there is none of this boot.
replay_journal() {
  local verb rest boot=''
  local -A by=() # VIP → the instance or group that its word is of
  [[ -f $1 && -r $1 ]] || return 1
  read_clock
  # A last line without its newline was being written when the disk was full or the shim was killed: read fails on it.
  while read -r verb rest; do
    if [[ $verb == boot ]]; then
      boot=$rest
      [[ $boot == "$BOOT_ID" ]] || return 1
    fi
    [[ $boot ]] || continue
    case $verb in
      +) replay_claim "$rest" ;;
      -) [[ $rest =~ ^[0-9]+$ && ${Q[$rest]-} ]] && dequeue "$rest" ;;
      word) replay_word "$rest" ;;
      seq) is_of_the_past "$rest" && ((rest > LAST_SEQ)) && LAST_SEQ=$rest ;;
      dropped) [[ $rest =~ ^[0-9]{1,18}$ ]] && DROPPED=$rest ;;
    esac
  done <"$1"
  unsay_others
  [[ $boot ]]
}

# Numbers are drawn from the boot's clock, so none is ahead of it by much; what a damaged file has would stay ahead for ever.
is_of_the_past() { [[ $1 =~ ^[0-9]{1,18}$ ]] && (($1 <= NOW_US + 1000000)); }

replay_claim() {
  local -r number='[0-9]{1,18}' priority='[0-9]{1,3}'
  [[ $1 =~ ^($number)\ $number\ $number\ $STATES\ $priority\ ([A-Za-z0-9._-]+)\ ((INSTANCE|GROUP)\ $KEPT_NAME)$ ]] || return
  local -r seq=${BASH_REMATCH[1]} vip=${BASH_REMATCH[3]} of=${BASH_REMATCH[4]}
  is_of_the_past "$seq" || return
  [[ ${Q[$seq]-} ]] || enqueue_again "$1"
  [[ ${WORD[$vip]-} == *" $seq" ]] && by[$vip]=$of
  return 0
}

# Without the instance in a journal of an earlier version.
replay_word() {
  [[ $1 =~ ^([^\ ]+)\ (($STATES|NONE)\ [0-9]{1,3}\ ([0-9]{1,18}))(\ ((INSTANCE|GROUP)\ [^\ ]+))?$ ]] || return
  local -r vip=${BASH_REMATCH[1]} word=${BASH_REMATCH[2]} since=${BASH_REMATCH[5]} of=${BASH_REMATCH[7]}
  is_of_the_past "$since" || return
  WORD[$vip]=$word by[$vip]=$of
}

# What the configuration gives to another instance now was not said by that one: it has said nothing yet.
unsay_others() {
  local vip
  for vip in "${!by[@]}"; do
    [[ ! ${by[$vip]} || ! ${NAMED_BY[$vip]-} || ${by[$vip]} == "${NAMED_BY[$vip]}" ]] || WORD[$vip]="NONE 0 ${WORD[$vip]##* }"
  done
}

# Where a whole journal can be written. Called at start, after a failed write, and again while SPOOL_ERROR stands.
place_journal() {
  local trouble
  if usable_folder "${CONFIG[state_dir]}" 'the spool' && rewrite_journal "${CONFIG[state_dir]}/spool"; then
    [[ -e ${CONFIG[run_dir]}/spool ]] && rm -f -- "${CONFIG[run_dir]}/spool"
    JOURNAL_RETRY_EVERY_MS=0
    return
  fi
  trouble=$TROUBLE
  if ((RUN_DIR_USABLE)) && rewrite_journal "${CONFIG[run_dir]}/spool"; then
    trouble+="; meanwhile the spool is kept in ${CONFIG[run_dir]}"
  else
    close_journal
    trouble+='; meanwhile the spool is kept in memory only'
  fi
  SPOOL_ERROR=$trouble STATUS_CHANGED=1
  JOURNAL_RETRY_EVERY_MS=$((JOURNAL_RETRY_EVERY_MS * 2))
  ((JOURNAL_RETRY_EVERY_MS < JOURNAL_RETRY_MIN_MS)) && JOURNAL_RETRY_EVERY_MS=$JOURNAL_RETRY_MIN_MS
  ((JOURNAL_RETRY_EVERY_MS > JOURNAL_RETRY_MAX_MS)) && JOURNAL_RETRY_EVERY_MS=$JOURNAL_RETRY_MAX_MS
  JOURNAL_RETRY_MS=$((NOW_MS + JOURNAL_RETRY_EVERY_MS))
}

# Called by the daemon between lines.
repair_journal() {
  [[ $SPOOL_ERROR ]] && ((NOW_MS >= JOURNAL_RETRY_MS)) && place_journal
  return 0
}

# One write for all lines, so that a kill leaves whole lines only. After a write that failed a torn line lies there, behind
# which nothing may be written. A file that someone has removed would be found by no next start.
journal() {
  [[ $1 && $JOURNAL_FD ]] || return 0
  if [[ $JOURNAL -ef /dev/fd/$JOURNAL_FD ]] && printf '%s' "$1" >&"$JOURNAL_FD" 2>/dev/null; then
    JOURNAL_LINES=$((JOURNAL_LINES + 1))
    ((JOURNAL_LINES > (Q_COUNT == 0 ? 500 : 4 * CONFIG[spool_max] + 500))) || return 0
    rewrite_journal "$JOURNAL" && return
  fi
  place_journal
}

close_journal() {
  [[ $JOURNAL_FD ]] && exec {JOURNAL_FD}>&-
  JOURNAL_FD='' JOURNAL=''
}

# Puts the whole spool into the file $1, which is then the journal; else TROUBLE says why not, and the file is as it was.
rewrite_journal() {
  if write_journal 2>/dev/null >"$1.new" && mv -fT -- "$1.new" "$1" && open_for_append "$1"; then
    JOURNAL_LINES=0 SPOOL_ERROR='' STATUS_CHANGED=1
    return
  fi 2>/dev/null
  rm -f -- "$1.new" 2>/dev/null
  TROUBLE="cannot write $1: is the disk full or read-only?"
  return 1
}

open_for_append() {
  local fd
  { exec {fd}>>"$1"; } 2>/dev/null || return 1
  close_journal
  JOURNAL_FD=$fd JOURNAL=$1
}

# False as soon as one write fails.
write_journal() {
  local vip place count=0 text=''
  printf 'boot %s\nseq %s\ndropped %s\n' "$BOOT_ID" "$LAST_SEQ" "$DROPPED" || return 1
  for vip in "${!WORD[@]}"; do printf 'word %s %s%s\n' "$vip" "${WORD[$vip]}" "${NAMED_BY[$vip]+ ${NAMED_BY[$vip]}}" || return 1; done
  for ((place = OLD_HEAD; place < OLD_TAIL; place++)); do
    [[ ${Q[${OLD[$place]}]-} ]] || continue
    text+="+ ${Q[${OLD[$place]}]}"$'\n'
    ((++count % 100)) && continue
    printf '%s' "$text" || return 1
    text=''
  done
  for vip in "${!NEWEST[@]}"; do text+="+ ${Q[${NEWEST[$vip]}]}"$'\n'; done
  printf '%s' "$text"
}
