# Whether keepalived runs: by its pid file, which names a process, and by what that process is.
#
# Limit: a pid file that another PID namespace wrote (a container's) names no process here, or the wrong one; that is reported, and
# `keepalived_pid = none` says that the lines alone count.

# KEEPALIVED: running, gone (its pid file names no keepalived, or went away with it), or unknown.
KEEPALIVED=unknown KEEPALIVED_PID='' KEEPALIVED_ERROR='' KEEPALIVED_SEEN=0

find_keepalived() {
  local path pid stale='' paths=("${CONFIG[keepalived_pid]}")
  KEEPALIVED=unknown KEEPALIVED_PID='' KEEPALIVED_ERROR=''
  [[ ${CONFIG[keepalived_pid]} == none ]] && return
  [[ ${CONFIG[keepalived_pid]} == auto ]] && paths=(/run/keepalived.pid /run/keepalived/keepalived.pid)
  for path in "${paths[@]}"; do
    [[ -f $path ]] || continue
    pid=''
    { read -r pid <"$path"; } 2>/dev/null
    if is_keepalived "$pid"; then
      KEEPALIVED=running KEEPALIVED_PID=$pid KEEPALIVED_SEEN=1 KEEPALIVED_ERROR=''
      return
    fi
    KEEPALIVED=gone
    KEEPALIVED_ERROR=${KEEPALIVED_ERROR:-"$path names no running keepalived (${pid:-it is empty}): nothing is asserted; keepalived_pid = none if it runs elsewhere"}
  done
  # It takes its pid file along when it ends, and systemd does so for one that was killed.
  [[ $KEEPALIVED == unknown ]] && ((KEEPALIVED_SEEN)) && KEEPALIVED=gone
  return 0
}

# Whether this process is a keepalived that lives: by its name, or its command line where keepalived.conf names it otherwise. A
# program whose name only begins like that, such as an exporter of its figures, is none.
is_keepalived() {
  local stat='' comm='' word=''
  [[ $1 =~ ^[1-9][0-9]{0,9}$ ]] || return 1
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  [[ ${stat##*) } == [ZX]* ]] && return 1
  { read -r comm <"/proc/$1/comm"; } 2>/dev/null
  [[ $comm =~ ^keepalived(_vrrp|_lvs|_bfd)?$ ]] && return
  { IFS= read -r -d '' word <"/proc/$1/cmdline"; } 2>/dev/null
  [[ ${word##*/} == keepalived ]]
}

# KEEPALIVEDS: every one that this machine shows, parents and children.
list_keepalived() {
  local path
  KEEPALIVEDS=()
  set +f
  for path in /proc/[1-9]*; do is_keepalived "${path#/proc/}" && KEEPALIVEDS+=("${path#/proc/}"); done
  set -f
}

# Whether another one runs than KEEPALIVED_PID and its children.
another_keepalived_runs() {
  local pid stat rest
  list_keepalived
  for pid in "${KEEPALIVEDS[@]}"; do
    { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
    rest=(${stat##*) })
    [[ $pid == "$KEEPALIVED_PID" || ${rest[1]} == "$KEEPALIVED_PID" ]] || return 0
  done
  return 1
}
