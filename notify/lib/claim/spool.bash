# The spool: transitions that the bus has not accepted yet, in memory; journal.bash has them on disk. Bounded; what is given up
# is counted and reported.
#
# Invariant: what is newest of a VIP is never given up, and goes out first; a superseded claim is only counted by the
# controller, so these wait, and go first where the bound is reached, the oldest before the others.
# A claim's number never changes, so a claim that is sent twice (the reply was lost) is known by it.
# Whatever is done for one line takes the same time however many wait: nothing walks over the spool.
# Limit: with more VIPs than `spool_max` one claim of each waits all the same.

declare -A Q=()      # seq → "seq since atMs state priority vip kind name"
declare -A NEWEST=() # VIP → seq of the claim that nothing has superseded, while it waits
# Place → seq of a superseded claim, in the order in which they became that; some have left Q. A hash: of an array bash finds
# places at both ends by walking over it.
declare -A OLD=()
declare -A WORD=()   # VIP → "state priority since": the last word of keepalived that the shim knows
Q_COUNT=0 OLD_HEAD=0 OLD_TAIL=0 DROP_AT=0 DROPPED=0

# Puts a claim that is newer than any of its VIP into the queue: VIP, its number, "state priority", the claim.
enqueue() {
  Q[$2]=$4
  Q_COUNT=$((Q_COUNT + 1))
  [[ ${NEWEST[$1]-} ]] && supersede "${NEWEST[$1]}"
  NEWEST[$1]=$2
  WORD[$1]="$3 $2"
}

# A claim from a journal, of which a newer one may have been accepted before.
enqueue_again() {
  local -r claim=($1)
  local -r seq=${claim[0]} vip=${claim[5]}
  local -r word=(${WORD[$vip]-})
  ((seq > LAST_SEQ)) && LAST_SEQ=$seq
  if ((seq >= ${word[2]:-0})); then
    enqueue "$vip" "$seq" "${claim[3]} ${claim[4]}" "$1"
  else
    Q[$seq]=$1
    Q_COUNT=$((Q_COUNT + 1))
    supersede "$seq"
  fi
}

supersede() {
  OLD[$OLD_TAIL]=$1
  OLD_TAIL=$((OLD_TAIL + 1))
}

is_superseded() { # CLAIM, in words
  local -r word=(${WORD[$6]-})
  (($2 < ${word[2]:-0}))
}

dequeue() {
  local -r claim=(${Q[$1]-})
  ((${#claim[@]})) || return 0
  unset "Q[$1]"
  Q_COUNT=$((Q_COUNT - 1))
  [[ ${NEWEST[${claim[5]}]-} == "$1" ]] && unset "NEWEST[${claim[5]}]"
  return 0
}

# Moves the head of OLD over those that have left.
skip_old() {
  while ((OLD_HEAD < OLD_TAIL)) && [[ ! ${Q[${OLD[$OLD_HEAD]}]-} ]]; do
    unset "OLD[$OLD_HEAD]"
    OLD_HEAD=$((OLD_HEAD + 1))
  done
}

# Gives up the oldest superseded claim, DROPPED_SEQ; false if there is none. What is being sent at this moment stays: it may be
# accepted, and then it was not lost. DROP_AT is past those, so that they are not looked at again for each line.
drop_oldest() {
  local seq
  skip_old
  ((DROP_AT < OLD_HEAD)) && DROP_AT=$OLD_HEAD
  ((OLD_HEAD < OLD_TAIL)) || return 1
  if [[ ${IN_FLIGHT[${OLD[$OLD_HEAD]}]-} ]]; then
    while ((DROP_AT < OLD_TAIL)); do
      seq=${OLD[$DROP_AT]}
      DROP_AT=$((DROP_AT + 1))
      [[ ${Q[$seq]-} && ! ${IN_FLIGHT[$seq]-} ]] && break
      seq=''
    done
    [[ ${seq-} ]] || return 1
  else
    seq=${OLD[$OLD_HEAD]}
  fi
  unset "Q[$seq]"
  DROPPED_SEQ=$seq DROPPED=$((DROPPED + 1)) Q_COUNT=$((Q_COUNT - 1))
}

# Takes a claim, as enqueue has it, at the cost of superseded ones where the bound is reached. SPOOL_LINES of the caller
# collects what goes to the journal.
spool_claim() {
  enqueue "$@"
  SPOOL_LINES+="+ $4"$'\n'
  while ((Q_COUNT > CONFIG[spool_max])) && drop_oldest; do
    SPOOL_LINES+="- $DROPPED_SEQ"$'\n'"dropped $DROPPED"$'\n'
  done
}
