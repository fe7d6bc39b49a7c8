# Whether keepalived tracks the file by which this node leaves, told by the text of its configuration; `vipshift doctor --keepalived`
# knows more.

TRACKS_LEAVING=0 TRACKS_DEMOTE=0 TRACKED_TEXT='' TRACKED_ADVICE=''
readonly INCLUDES_MAX=64

look_at_tracked() {
  local file includes=0 is_read=0
  TRACKS_LEAVING=0 TRACKS_DEMOTE=0 TRACKED_ADVICE=''
  find_keepalived
  keepalived_file
  look_into "$file"
  local -r paste="before the vrrp_instance: track_file leaving { file \"${CONFIG[leaving_file]}\" }; in it: track_file { leaving weight -200 }"
  if ((!is_read)); then
    TRACKED_TEXT="cannot read $file, so whether keepalived tracks ${CONFIG[leaving_file]} is not known"
  elif ((TRACKS_LEAVING)); then
    TRACKED_TEXT="keepalived tracks ${CONFIG[leaving_file]}"
  elif ((TRACKS_DEMOTE)); then
    TRACKED_TEXT="keepalived tracks ${CONFIG[demote_file]} only: with preemption the VIP comes back"
  else
    TRACKED_TEXT="keepalived tracks neither ${CONFIG[leaving_file]} nor ${CONFIG[demote_file]}: it goes on as before"
  fi
  ((is_read && !TRACKS_LEAVING)) && TRACKED_ADVICE="in $file, $paste"
  return 0
}

# `file` of the caller: what the running keepalived was given, or its default.
keepalived_file() {
  local word before=''
  file=${CONFIG[keepalived_conf]}
  [[ $file == auto ]] || return 0
  file=/etc/keepalived/keepalived.conf
  [[ $KEEPALIVED == running ]] || return 0
  while IFS= read -r -d '' word; do
    case $before:$word in
      -f:* | --use-file:*) file=$word ;;
      *:-f?*) file=${word#-f} ;;
      *:--use-file=*) file=${word#--use-file=} ;;
    esac
    before=$word
  done 2>/dev/null <"/proc/$KEEPALIVED_PID/cmdline"
  return 0
}

# A configuration and what it includes; `includes` and `is_read` are the caller's.
look_into() {
  local line words path paths
  [[ -f $1 && -r $1 ]] || return 0
  is_read=1
  while IFS= read -r line || [[ $line ]]; do
    line=${line%%[#!]*}
    [[ $line == *file*"${CONFIG[leaving_file]}"* && ! $line == *"${CONFIG[leaving_file]}"[A-Za-z0-9._/-]* ]] && TRACKS_LEAVING=1
    [[ $line == *file*"${CONFIG[demote_file]}"* && ! $line == *"${CONFIG[demote_file]}"[A-Za-z0-9._/-]* ]] && TRACKS_DEMOTE=1
    words=($line)
    [[ ${words[0]-} =~ ^include[a-z]?$ && ${words[1]-} ]] || continue
    path=${words[1]//\"/}
    [[ $path == /* ]] || path=${1%/*}/$path
    set +f
    paths=($path)
    set -f
    for path in "${paths[@]}"; do ((includes++ < INCLUDES_MAX)) && look_into "$path"; done
  done <"$1"
  return 0
}

# For `check` and `selftest`.
report_tracked() {
  [[ ${CONFIG[keepalived_pid]} == none ]] && return
  look_at_tracked
  if [[ $TRACKED_ADVICE ]]; then
    warn "$TRACKED_TEXT when AWS warns this node; $TRACKED_ADVICE"
  else printf '%s\n' "$TRACKED_TEXT"; fi
}
