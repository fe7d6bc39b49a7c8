# Leaving: what a node does that is to go (docs/decisions/0045, 0047). keepalived tracks a file of ours: 2 in it is FAULT, so that
# another node takes over whether nodes preempt or not; that is the pulse, of three adverts, skew and a second. Then 1, a priority
# below all nodes that stay: where no one took over this node is MASTER again. 0 is as configured.
#
# Invariant: 2 stands no longer than the pulse: it ends also where the shim was killed in it (it starts again) or stopped (it writes 1
# first). Only a node that is MASTER of something makes a pulse; a standby that leaves goes on standing by.
# Limit: where keepalived tracks the demote file alone, nothing lowers the priority after the pulse.

LEAVING='' LEAVING_KEY='' LEAVING_SINCE_S=0 PULSE_UNTIL_MS=0 PULSED='' STAYED_KEY='' CAME_BACK_KEY='' LEAVING_ERROR=''
readonly PULSE_MORE_MS=1000 PULSE_MAX_MS=180000 ADVERT_DEFAULT_MS=1000

# At start: what an earlier shim of this boot began goes on, what is of another boot is over.
resume_leaving() {
  local verb rest boot='' key='' file
  exec {NOTICES_FD}<> <(:)
  for file in "${CONFIG[run_dir]}/leaving.about" "${CONFIG[state_dir]}/leaving.about"; do
    [[ -r $file ]] || continue
    boot='' key=''
    while read -r verb rest; do
      case $verb in
        boot) boot=$rest ;;
        key) key=$rest ;;
        cause) LEAVING=$rest ;;
        since) [[ $rest =~ ^[0-9]{1,12}$ ]] && LEAVING_SINCE_S=$rest ;;
        until) [[ $rest =~ ^[0-9]{1,15}$ ]] && PULSE_UNTIL_MS=$rest ;;
        pulsed) PULSED=$rest ;;
        stayed) STAYED_KEY=$rest ;;
        came) CAME_BACK_KEY=$rest ;;
      esac
    done <"$file"
    [[ $boot == "$BOOT_ID" ]] && break
    # IMDS may list the event of a reboot for a while yet.
    CAME_BACK_KEY=''
    [[ $LEAVING == *-reboot && $key == event* ]] && CAME_BACK_KEY=$key
    [[ $key ]] && say "no longer leaving ($LEAVING): the instance came back after a reboot"
    LEAVING='' LEAVING_SINCE_S=0 PULSE_UNTIL_MS=0 PULSED='' STAYED_KEY='' key=''
  done
  LEAVING_KEY=$key
  if [[ ! $key ]]; then
    LEAVING='' PULSE_UNTIL_MS=0
    is_zero "${CONFIG[leaving_file]}" && [[ -e ${CONFIG[leaving_file]} ]] || set_leaving_file 0
  elif ((CONFIG[leaving_poll] == 0)); then
    end_leaving 'leaving_poll is 0'
  elif ((!PULSE_UNTIL_MS)); then
    set_leaving_file 1
  else
    ((PULSE_UNTIL_MS <= NOW_MS + PULSE_MAX_MS)) || PULSE_UNTIL_MS=$NOW_MS
    say "leaving: $LEAVING, as before; FAULT for $((PULSE_UNTIL_MS > NOW_MS ? PULSE_UNTIL_MS - NOW_MS : 0)) ms more"
    write_pulse
  fi
  keep_leaving
}

# For WANTED_CAUSE and WANTED_KEY. A node that leaves already only has another reason now.
begin_leaving() {
  local vip is_master=0 again=$LEAVING
  LEAVING=$WANTED_CAUSE LEAVING_KEY=$WANTED_KEY LEAVING_SINCE_S=$WALL_S STAYED_KEY='' STATUS_CHANGED=1 ASK_ALL=1
  if [[ $again ]]; then
    say "leaving: $LEAVING, and not only $again"
    keep_leaving
    return
  fi
  for vip in "${VIP_NAMES[@]}"; do [[ ${WORD[$vip]-MASTER} == MASTER* ]] && is_master=1; done
  look_at_tracked
  if ((!is_master)); then
    set_leaving_file 1
    say "leaving: $LEAVING; a standby, so nothing moves ($TRACKED_TEXT)"
  else
    begin_pulse
  fi
  keep_leaving
}

begin_pulse() {
  local -r pulse_ms=$((4 * (ADVERT_MS ? ADVERT_MS : ADVERT_DEFAULT_MS) + PULSE_MORE_MS))
  PULSE_UNTIL_MS=$((NOW_MS + pulse_ms)) PULSED=leaving
  # Who is demoted already has nothing to give away, and is not ours to raise.
  ((!TRACKS_LEAVING && TRACKS_DEMOTE)) && is_zero "${CONFIG[demote_file]}" && PULSED=demote
  keep_leaving
  write_pulse
  say "leaving: $LEAVING; FAULT for $pulse_ms ms, so that another node takes over ($TRACKED_TEXT)"
}

write_pulse() {
  if [[ $PULSED == demote ]]; then set_tracked "${CONFIG[demote_file]}" 1; else set_leaving_file 2; fi
}

# Called by the daemon between lines.
follow_pulse() {
  ((PULSE_UNTIL_MS)) || return 0
  ((NOW_MS >= PULSE_UNTIL_MS || STOPPING)) || return 0
  PULSE_UNTIL_MS=0
  end_pulse 1
  say "leaving: $LEAVING; a standby of low priority from now on"
  keep_leaving
}

end_pulse() {
  [[ $PULSED == demote ]] && set_tracked "${CONFIG[demote_file]}" 0
  PULSED='' STATUS_CHANGED=1
  set_leaving_file "$1"
}

end_leaving() {
  say "no longer leaving ($LEAVING): $1"
  LEAVING='' LEAVING_KEY='' LEAVING_SINCE_S=0 PULSE_UNTIL_MS=0 GONE_ANSWERS=0 ASK_ALL=1
  end_pulse 0
  keep_leaving
}

# vipshift stay: the operator says that this notice is not to be obeyed.
take_stay_word() {
  [[ $LEAVING_KEY ]] || return 0
  STAYED_KEY=$LEAVING_KEY
  end_leaving 'by the operator'
}

set_leaving_file() { set_tracked "${CONFIG[leaving_file]}" "$1"; }

set_tracked() { # FILE VALUE
  LEAVING_ERROR=''
  { printf '%s\n' "$2" >"$1"; } 2>/dev/null || LEAVING_ERROR="cannot write $2 into $1, by which keepalived would know that this node leaves"
}

is_zero() {
  local text=0
  [[ -r $1 ]] && { read -r text <"$1"; } 2>/dev/null
  [[ ${text:-0} == 0 ]]
}

# For the next start of the shim, and by the one on disk for the one after a reboot.
keep_leaving() {
  local file text="boot $BOOT_ID"$'\n'
  [[ $LEAVING_KEY ]] && text+="key $LEAVING_KEY"$'\n'"cause $LEAVING"$'\n'"since $LEAVING_SINCE_S"$'\n'"until $PULSE_UNTIL_MS"$'\n'"pulsed $PULSED"$'\n'
  [[ $STAYED_KEY ]] && text+="stayed $STAYED_KEY"$'\n'
  [[ $CAME_BACK_KEY ]] && text+="came $CAME_BACK_KEY"$'\n'
  for file in "${CONFIG[run_dir]}/leaving.about" "${CONFIG[state_dir]}/leaving.about"; do
    { printf '%s' "$text" >"$file"; } 2>/dev/null
  done
  return 0
}
