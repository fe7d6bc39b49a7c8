#!/usr/bin/env bash
# What a drill does on a machine, on an EC2 instance and on a machine of the lab alike.
#
#   drill.bash hit demote|crash     prints the wall clock in ms, then breaks this node
#   drill.bash repair demote        (after a crash the units are started instead)
#   drill.bash answers FROM_MS      the probe's stretches that ended since
#   drill.bash clock                how far this machine's clock may be off, in ms; ? where unknown
#
# Limit: `answers` prints at most 300 lines, since a command's output through SSM ends at 24,000 characters.

set -eu
folder=${DRILL_FOLDER:-/run/vipshift-drill}
demote_file=${DRILL_DEMOTE_FILE:-/run/vipshift/demote}

demote() {
  [[ -f $demote_file ]] || { echo "no $demote_file: keepalived tracks no such file here" >&2; exit 3; }
  echo "$1" >"$demote_file"
}

now_ms() { local us=${EPOCHREALTIME/[.,]/}; printf '%s.%s\n' "${us:0:-3}" "${us: -3}"; }

# keepalived with all its children and the service, at once, as a machine's death would take them. Stopped first: a child of keepalived that
# outlives its parent by a moment sends a last advert of priority 0, and the other node need not miss anything.
crash() {
  local unit pid signal
  for signal in STOP KILL; do
    if [[ -d /run/systemd/system ]]; then
      systemctl kill --kill-who=all --signal=$signal keepalived.service vipshift-drill-echo.service
      continue
    fi
    for unit in keepalived echo; do
      pid=$(<"/run/unit.$unit")
      # shellcheck disable=SC2046 # one word for each child
      kill -$signal $(cat "/proc/$pid/task/"*/children 2>/dev/null) "$pid"
    done
  done
}

case "${1-} ${2-}" in
  'hit demote') now_ms && demote 1 ;;
  'hit crash') now_ms && crash ;;
  'repair demote') demote 0 ;;
  'answers '*)
    cat "$folder/answers" "$folder/answers.open" 2>/dev/null | awk -v from="$2" '$3 >= from' | tail -n 300
    ;;
  'clock '*)
    # Root dispersion and half the root delay, as chrony computes the worst case.
    chronyc -c tracking 2>/dev/null | awk -F, 'NF > 11 { printf "%.3f\n", ($5 < 0 ? -$5 : $5) * 1000 + ($12 + $11 / 2) * 1000; found = 1 } END { if (!found) print "?" }'
    ;;
  *)
    echo "usage: drill.bash hit demote|crash, repair demote, answers FROM_MS, clock" >&2
    exit 2
    ;;
esac
