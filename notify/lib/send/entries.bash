# The entries of an answer in which some failed, or of one to a probe.
#
# Invariant: a walk over at most ENTRIES_TEXT_MAX characters, whatever a server sent; an answer that is longer has no entries.

declare -a ERROR_CODES=() EVENT_IDS=()
readonly ENTRIES_TEXT_MAX=8192

# ERROR_CODES[i] and EVENT_IDS[i] of every member of Entries, '' where there is none. Walks the JSON token by token, since
# messages may hold braces and quotes; only ever done for the few hundred bytes of a partial failure or a probe.
read_entries() {
  local -r token='^[[:space:],:]*("([^"\\]|\\.)*"|[][{}]|[^][{}",:[:space:]]+)'
  local rest depth=0 key='' i=-1
  ERROR_CODES=() EVENT_IDS=()
  ((${#1} <= ENTRIES_TEXT_MAX)) || return
  [[ $1 =~ \"Entries\"[[:space:]]*:[[:space:]]*\[(.*)$ ]] || return
  rest=${BASH_REMATCH[1]}
  while [[ $rest =~ $token ]]; do
    rest=${rest:${#BASH_REMATCH[0]}}
    case ${BASH_REMATCH[1]} in
      '{')
        depth=$((depth + 1)) key=''
        if ((depth == 1)); then i=$((i + 1)) && ERROR_CODES[i]='' EVENT_IDS[i]=''; fi
        ;;
      '}') depth=$((depth - 1)) key='' ;;
      ']') ((depth == 0)) && return ;;
      *)
        # Within an object names and values alternate.
        if [[ -z $key ]]; then
          key=${BASH_REMATCH[1]}
        else
          case $key:${BASH_REMATCH[1]} in
            '"ErrorCode":"'*) ERROR_CODES[i]=${BASH_REMATCH[1]//\"/} ;;
            '"EventId":"'*) EVENT_IDS[i]=${BASH_REMATCH[1]//[!A-Za-z0-9-]/} ;;
          esac
          key=''
        fi
        ;;
    esac
  done
}
