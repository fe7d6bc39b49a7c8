# Credentials of the instance's role and the node's own user id, as the daemon has them. A job fetches them ahead
# (metadata.bash) and answers through a nameless pipe.
#
# Invariant: keys and tokens exist only in the memory of daemon and job, in a pipe between them, and in files of mode 0600 in
# run_dir (tmpfs), which spare the next start a fetch; where these cannot be written, in a pipe to curl. They reach curl by `-K`,
# never by a command line or the environment. Nothing here needs a disk.

REGION='' NODE='' USER_ID='' EXPIRES_S=0 FETCHED_S=0 SECRETS='' SECRETS_FILE=/dev/fd/8 CREDENTIALS_ERROR=''
JOB_FD='' JOB_PART='' CREDENTIALS_JOB='' CREDENTIALS_PID='' CREDENTIALS_UNTIL_MS=0 CREDENTIALS_STARTED_MS=-100000 CREDENTIALS_DUE_MS=0
REFUSED_SPACING_MS=100 FAILED_SPACING_MS=100 WANT_IDENTITY=0
readonly REFRESH_BEFORE_S=600 CREDENTIALS_LIMIT_MS=10000
# After a refusal of the bus, whose cause may be a policy; after a fetch that failed, mostly on the way to the link-local
# metadata service; and with a line that waits.
readonly SPACING_MIN_MS=100 REFUSED_SPACING_MAX_MS=60000 FAILED_SPACING_MAX_MS=5000 WAITING_SPACING_MS=250

# Called by the daemon between lines: starts the job when it is due, gives one up that hangs.
refresh_credentials() {
  if [[ $CREDENTIALS_JOB ]]; then
    take_job_words
    [[ $CREDENTIALS_JOB ]] && ((NOW_MS >= CREDENTIALS_UNTIL_MS)) || return
    kill "$CREDENTIALS_PID" 2>/dev/null
    credentials_failed 'no answer within 10 s'
  fi
  ((NOW_MS >= CREDENTIALS_DUE_MS)) || return
  CREDENTIALS_JOB=$NOW_US CREDENTIALS_STARTED_MS=$NOW_MS CREDENTIALS_UNTIL_MS=$((NOW_MS + CREDENTIALS_LIMIT_MS))
  doubled "$REFUSED_SPACING_MS" $REFUSED_SPACING_MAX_MS
  REFUSED_SPACING_MS=$REPLY
  credentials_job &
  CREDENTIALS_PID=$!
}

doubled() { REPLY=$(($1 * 2 > $2 ? $2 : $1 * 2)); }

# After a refusal: at once, then ever more seldom until the bus accepts something again.
want_credentials() { fetch_not_before $((CREDENTIALS_STARTED_MS + REFUSED_SPACING_MS)); }

# A line waits, and there are none at all.
want_first_credentials() { fetch_not_before $((CREDENTIALS_STARTED_MS + WAITING_SPACING_MS)); }

fetch_not_before() {
  (($1 < CREDENTIALS_DUE_MS)) && CREDENTIALS_DUE_MS=$1
  return 0
}

# The job's words: `secrets JOB KEY SECRET TOKEN`, then `ok JOB EXPIRES FETCHED REGION NODE USER IPV6 KEPT`; or `failed JOB
# REASON`.
take_job_words() {
  local line words
  while [[ $CREDENTIALS_JOB ]] && read -r -t 0 -u "$JOB_FD"; do
    IFS= read -r -t 0.1 -u "$JOB_FD" line || {
      JOB_PART+=$line
      return
    }
    words=($JOB_PART$line)
    JOB_PART=''
    [[ ${words[1]-} == "$CREDENTIALS_JOB" ]] || continue
    case ${words[0]} in
      secrets) secrets_for_curl "${words[@]:2:3}" ;;
      ok) take_credentials "${words[@]:2}" ;;
      failed)
        wait "$CREDENTIALS_PID" 2>/dev/null
        credentials_failed "${words[*]:2}"
        ;;
    esac
  done
}

take_credentials() {
  wait "$CREDENTIALS_PID" 2>/dev/null
  use_credentials "$@"
  SECRETS_FILE=/dev/fd/8
  (($7)) && SECRETS_FILE=${CONFIG[run_dir]}/credentials
  CREDENTIALS_JOB='' CREDENTIALS_ERROR='' WANT_IDENTITY=0 FAILED_SPACING_MS=$SPACING_MIN_MS STATUS_CHANGED=1
  read_clock
  schedule_refresh 60
  RETRY_AT_MS=$NOW_MS
  resume_direct_way
}

use_credentials() { EXPIRES_S=$1 FETCHED_S=$2 REGION=$3 NODE=$4 USER_ID=$5 BY_IPV6=${6:-0}; }

credentials_failed() {
  printable "$1"
  CREDENTIALS_ERROR=$REPLY CREDENTIALS_JOB=''
  CREDENTIALS_DUE_MS=$((NOW_MS + FAILED_SPACING_MS * (75 + RANDOM % 26) / 100))
  doubled "$FAILED_SPACING_MS" $FAILED_SPACING_MAX_MS
  FAILED_SPACING_MS=$REPLY STATUS_CHANGED=1
}

# Ahead of their end, but never sooner than in $1 seconds. A wall clock that was wrong makes this too late or too early, not
# more: the bus refuses keys that have expired, and then they are fetched at once.
schedule_refresh() {
  read_wall_seconds
  local -r wait_s=$((EXPIRES_S - WALL_S - REFRESH_BEFORE_S))
  CREDENTIALS_DUE_MS=$((NOW_MS + (wait_s < $1 ? $1 : wait_s) * 1000))
}

# The wall clock was set, so they may end sooner than it seemed; or it kept them from being fetched.
refresh_by_new_time() {
  local -r due=$CREDENTIALS_DUE_MS
  [[ $CREDENTIALS_JOB ]] && return
  schedule_refresh 0
  [[ ! $CREDENTIALS_ERROR ]] || CREDENTIALS_DUE_MS=$NOW_MS
  ((CREDENTIALS_DUE_MS <= due)) || CREDENTIALS_DUE_MS=$due
}

# What the shim before this one left behind: then there is no wait at all. Not what another configuration led to.
load_credentials() {
  local -r dir=${CONFIG[run_dir]}
  local words line text='' key='' token=''
  ((RUN_DIR_USABLE)) && [[ -s $dir/credentials && -r $dir/credentials.about && ! $CONFIG_FILE -nt $dir/credentials.about ]] || return 1
  { read -r -a words <"$dir/credentials.about"; } 2>/dev/null
  ((${#words[@]} >= 5)) && [[ ${words[0]} =~ ^[0-9]{1,12}$ && ${words[1]} =~ ^[0-9]{1,12}$ && ${words[4]} == *:"${words[3]}" ]] || return 1
  [[ ! ${CONFIG[region]} || ${words[2]} == "${CONFIG[region]}" ]] && [[ ! ${CONFIG[role_id]} || ${words[4]} == "${CONFIG[role_id]}:"* ]] || return 1
  while read -r line; do
    text+=$line$'\n'
    [[ $line =~ ^user\ =\ \"([^\"\\]+)\"$ ]] && key=${BASH_REMATCH[1]}
    [[ $line =~ ^header\ =\ \"x-amz-security-token:\ ([^\"\\]+)\"$ ]] && token=${BASH_REMATCH[1]}
  done <"$dir/credentials"
  [[ $key == *:* && $token ]] || return 1
  secrets_for_curl "${key%%:*}" "${key#*:}" "$token"
  use_credentials "${words[@]}"
  SECRETS_FILE=/dev/fd/8
  [[ $text == "$SECRETS"* ]] && SECRETS_FILE=$dir/credentials # unless the proxy is another one now
  return 0
}
