# Reading what the daemon left on tmpfs about itself (write.bash).

declare -A STATUS=() # key → value
declare -a STATUS_VIPS=()
RUNNING=0

read_daemon_status() {
  local file newest='' serial=-1
  for file in "${CONFIG[run_dir]}/status.0" "${CONFIG[run_dir]}/status.1"; do
    if read_status_file "$file" && ((STATUS[serial] > serial)); then newest=$file serial=${STATUS[serial]}; fi
  done
  # It may have become the older one meanwhile, and be half rewritten; then the other one is whole again.
  [[ $newest ]] && { read_status_file "$newest" || read_status_file "${newest%?}$((1 - serial % 2))"; }
  RUNNING=0
  is_daemon "${STATUS[pid]-}" && RUNNING=1
  return 0
}

# False unless the file is there and whole.
read_status_file() {
  local key value whole=1
  STATUS=() STATUS_VIPS=()
  [[ -r $1 ]] || return 1
  while read -r key value; do
    case $key in
      vip) STATUS_VIPS+=("$value") ;;
      end) whole=0 ;;
      *) STATUS[$key]=$value ;;
    esac
  done <"$1"
  [[ ${STATUS[serial]-} =~ ^[0-9]{1,18}$ ]] || return 1
  return "$whole"
}

# Whether this process is a shim that runs: a number alone may have gone to another program.
is_daemon() {
  local word words=''
  [[ $1 =~ ^[0-9]+$ && -r /proc/$1/cmdline ]] || return 1
  while IFS= read -r -d '' word; do words+="$word "; done 2>/dev/null <"/proc/$1/cmdline"
  [[ $words == *vipshift-notify\ run* ]]
}
