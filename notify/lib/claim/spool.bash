# The spool: transitions that the bus has not accepted yet, in memory and in a journal on disk, so that a shim that is
# killed at any instant goes on where it was. Bounded; the oldest go first; what went is counted and reported.
#
# Invariant: a claim is in the journal before it is sent, and leaves it only after the bus took it or the bound took it.
# Its number never changes, so a claim that is sent twice (the reply was lost) is known by it.
# Limits: a reboot empties it, since its ages mean nothing in another boot; hence nothing is fsynced either. A claim that
# the bus took and whose reply was lost may be dropped, and counted, before its repeat got through.

declare -a Q=()       # index → "seq since atMs state priority vip kind name"; sparse, in order
declare -A WORD=()    # VIP → "state priority since": the last word of keepalived that the shim knows
declare -A NEWEST=()  # VIP → index of its newest claim in Q
Q_HEAD=0 Q_TAIL=0 Q_COUNT=0 DROPPED=0 BOOT_ID='' SPOOL_ERROR=''
JOURNAL='' JOURNAL_FD='' JOURNAL_LINES=0

open_spool() {
  JOURNAL=${CONFIG[state_dir]}/spool
  require_folder "${CONFIG[state_dir]}" 'the spool'
  read_boot_id
  replay_journal
  start_seq_after "$LAST_SEQ"
  rewrite_journal || die 1 "cannot write $JOURNAL: the spool needs a writable folder (state_dir)"
}

replay_journal() {
  local verb rest boot='' i
  local -A index_of=()
  [[ -r $JOURNAL ]] || return 0
  # A last line without its newline was being written when the disk was full or the shim was killed: read fails on it.
  while read -r verb rest; do
    if [[ $verb == boot ]]; then
      boot=$rest
      [[ $boot == "$BOOT_ID" ]] || return 0
    fi
    [[ $boot ]] || continue
    case $verb in
      +)
        [[ $rest =~ ^[0-9]+\ [0-9]+\ [0-9]+\ [A-Z]+\ [0-9]+\ [^\ ]+\ (INSTANCE|GROUP)\ [^\ ]+$ ]] || continue
        enqueue "$rest"
        index_of[${rest%% *}]=$((Q_TAIL - 1))
        ;;
      -)
        i=${index_of[$rest]-}
        [[ $i ]] && dequeue "$i"
        ;;
      word) [[ $rest =~ ^([^\ ]+)\ ([A-Z]+\ [0-9]+\ ([0-9]+))$ ]] && WORD[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]} ;;
      seq) LAST_SEQ=$((rest > LAST_SEQ ? rest : LAST_SEQ)) ;;
      dropped) DROPPED=$rest ;;
    esac
  done <"$JOURNAL"
}

# Puts a claim into the queue in memory; its journal line is the caller's business.
enqueue() {
  local seq since at state priority vip rest
  read -r seq since at state priority vip rest <<<"$1"
  Q[Q_TAIL]=$1
  NEWEST[$vip]=$Q_TAIL
  WORD[$vip]="$state $priority $since"
  ((seq > LAST_SEQ)) && LAST_SEQ=$seq
  Q_TAIL=$((Q_TAIL + 1)) Q_COUNT=$((Q_COUNT + 1))
}

dequeue() {
  unset "Q[$1]"
  Q_COUNT=$((Q_COUNT - 1))
  while ((Q_HEAD < Q_TAIL)) && [[ ! -v Q[Q_HEAD] ]]; do Q_HEAD=$((Q_HEAD + 1)); done
}

# Takes claims (one line each, in order) into journal and queue, at the cost of the oldest where the bound is reached.
spool_claims() {
  local claim lines=''
  for claim in "$@"; do
    while ((Q_COUNT >= CONFIG[spool_max])); do
      drop_oldest || break
      lines+="- $DROPPED_SEQ"$'\n'"dropped $DROPPED"$'\n'
    done
    lines+="+ $claim"$'\n'
    enqueue "$claim"
  done
  journal "$lines"
}

# What is being sent at this moment is not dropped: it may be accepted, and then it was not lost.
drop_oldest() {
  local i
  for ((i = Q_HEAD; i < Q_TAIL; i++)); do
    [[ -v Q[i] && ! -v IN_FLIGHT[i] ]] || continue
    DROPPED_SEQ=${Q[i]%% *}
    dequeue $i
    DROPPED=$((DROPPED + 1))
    return 0
  done
  return 1
}

# One write for all lines, so that a kill leaves whole lines only.
journal() {
  if printf '%s' "$1" >&"$JOURNAL_FD" 2>/dev/null; then
    SPOOL_ERROR=''
  else
    SPOOL_ERROR="cannot write $JOURNAL"
  fi
  JOURNAL_LINES=$((JOURNAL_LINES + 1))
  if ((Q_COUNT == 0 ? JOURNAL_LINES > 500 : JOURNAL_LINES > 4 * CONFIG[spool_max] + 500)); then rewrite_journal; fi
}

rewrite_journal() {
  local i vip
  {
    printf 'boot %s\nseq %s\ndropped %s\n' "$BOOT_ID" "$LAST_SEQ" "$DROPPED" &&
      for vip in "${!WORD[@]}"; do printf 'word %s %s\n' "$vip" "${WORD[$vip]}"; done &&
      for ((i = Q_HEAD; i < Q_TAIL; i++)); do [[ -v Q[i] ]] && printf '+ %s\n' "${Q[i]}"; done
    true
  } 2>/dev/null >"$JOURNAL.new" && mv -f -- "$JOURNAL.new" "$JOURNAL" || {
    SPOOL_ERROR="cannot rewrite $JOURNAL"
    return 1
  }
  [[ $JOURNAL_FD ]] && exec {JOURNAL_FD}>&-
  exec {JOURNAL_FD}>>"$JOURNAL"
  JOURNAL_LINES=0 SPOOL_ERROR=''
}
