# The daemon's part of the self-test: a claim of kind `probe` for every VIP, sent like a transition: by the bus, and by the function
# URL where there is one. The controller records it under the id that EventBridge or Lambda gave it, and moves nothing.
#
# Limit: a probe that the bus did not take within PROBE_LIMIT_MS is given up and its reason written down.

declare -A PROBE_PENDING=() # VIP → the claim
PROBE_ID='' PROBE_UNTIL_MS=0
readonly PROBE_LIMIT_MS=8000

# vipshift probe ID, written into the FIFO by `selftest`.
take_probe_word() {
  local vip word
  [[ $1 =~ ^[0-9]{1,18}$ ]] || return
  PROBE_ID=$1 PROBE_PENDING=() DIRECT_PROBE=()
  { printf 'id %s\n' "$PROBE_ID" >"${CONFIG[run_dir]}/probe"; } 2>/dev/null
  for vip in "${VIP_NAMES[@]}"; do
    draw_seq
    read_wall_clock
    word=(${WORD[$vip]:-BACKUP 0 $SEQ})
    [[ ${word[0]} != NONE ]] || word=(BACKUP 0 "$SEQ")
    PROBE_PENDING[$vip]="$SEQ ${word[2]} $WALL_MS ${word[0]} ${word[1]} $vip ${NAMED_BY[$vip]}"
    [[ ${CONFIG[direct]} ]] && DIRECT_PROBE[$vip]=${PROBE_PENDING[$vip]}
  done
  PROBE_UNTIL_MS=$((NOW_MS + PROBE_LIMIT_MS)) FRESH=1
}

probe_answered() { # VIP EVENT-ID
  unset "PROBE_PENDING[$1]"
  note_probe "event $1 $2"
  end_probe
}

probe_refused() { # VIP REASON
  unset "PROBE_PENDING[$1]"
  note_probe "failed $1 $2"
  end_probe
}

direct_probe_ended() { # VIP LINE
  [[ ${DIRECT_PROBE[$1]-} ]] || return
  unset "DIRECT_PROBE[$1]"
  note_probe "$2"
  end_probe
}

end_probe() { ((${#PROBE_PENDING[@]} + ${#DIRECT_PROBE[@]} == 0)) && note_probe end; }

# Where it cannot be written, `selftest` says that the daemon gave no answer, and status has the reason.
note_probe() { { printf '%s\n' "$1" >>"${CONFIG[run_dir]}/probe"; } 2>/dev/null; }

give_up_probe() {
  local vip
  ((${#PROBE_PENDING[@]} + ${#DIRECT_PROBE[@]} > 0 && NOW_MS >= PROBE_UNTIL_MS)) || return
  for vip in "${!DIRECT_PROBE[@]}"; do
    direct_probe_ended "$vip" "unsaid $vip ${DIRECT_ERROR:-${CREDENTIALS_ERROR:-the function URL did not answer}}"
  done
  for vip in "${!PROBE_PENDING[@]}"; do
    probe_refused "$vip" "${LAST_ERROR:-${CREDENTIALS_ERROR:-the bus did not answer}}"
  done
}
