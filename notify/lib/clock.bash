# The clock of a claim: CLOCK_BOOTTIME from /proc/uptime, which no operator and no NTP can set back, and which gives the
# order of claims within a boot. The wall clock is only passed on (docs/architecture.md).
#
# Invariant: SEQ rises strictly within a boot, across restarts of the shim too.
# Limit: /proc/uptime has steps of 10 ms; numbers drawn within one step differ by 1 µs each.

NOW_US=0 NOW_MS=0 WALL_MS=0 WALL_S=0 CLOCK_IS_HELD=0 SEQ=0 LAST_SEQ=0
CLOCKS_APART_S='' CLOCK_SET_BY_S=0 CLOCK_SET_AT_US=0
readonly CLOCK_STEP_MIN_S=2 # both are read in whole seconds

read_clock() {
  local up
  read -r up _ </proc/uptime
  NOW_US=$((10#${up/./} * 10000))
  NOW_MS=$((NOW_US / 1000))
}

read_wall_clock() {
  if [[ -n ${EPOCHREALTIME-} ]]; then
    WALL_MS=${EPOCHREALTIME/[.,]/}
    WALL_MS=$((WALL_MS / 1000))
  else
    WALL_MS=$(date +%s%3N) # bash 4.4 has no clock finer than a second of its own
  fi
}

# Seconds of the wall clock: for people, and for the end of credentials.
read_wall_seconds() { printf -v WALL_S '%(%s)T' -1; }

# True if the wall clock was set since this was asked last: by CLOCK_SET_BY_S, measured against the boot's clock.
wall_clock_was_set() {
  read_wall_seconds
  local -r apart=$((WALL_S - NOW_MS / 1000))
  CLOCK_SET_BY_S=$((apart - ${CLOCKS_APART_S:-$apart}))
  CLOCKS_APART_S=$apart
  ((CLOCK_SET_BY_S >= CLOCK_STEP_MIN_S || CLOCK_SET_BY_S <= -CLOCK_STEP_MIN_S)) || return
  CLOCK_SET_AT_US=$NOW_US
}

# For lines that were waiting together: both clocks are read once, until CLOCK_IS_HELD is 0 again.
hold_clock() {
  read_clock
  read_wall_clock
  CLOCK_IS_HELD=1
}

draw_seq() {
  ((CLOCK_IS_HELD)) || read_clock
  SEQ=$((NOW_US > LAST_SEQ ? NOW_US : LAST_SEQ + 1))
  LAST_SEQ=$SEQ
}

# A shim that starts within the same 10 ms in which another one stopped must not draw its numbers again.
start_seq_after() {
  read_clock
  local -r floor=$((NOW_US + 10000))
  LAST_SEQ=$(($1 > floor ? $1 : floor))
}

read_boot_id() { read -r BOOT_ID </proc/sys/kernel/random/boot_id; }

# 2026-11-22T21:04:05Z → EPOCH_S, without a fork (days from civil, Howard Hinnant's algorithm).
epoch_of() {
  EPOCH_S=0
  [[ $1 =~ ^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2}) ]] || return 1
  local y=$((10#${BASH_REMATCH[1]})) m=$((10#${BASH_REMATCH[2]})) d=$((10#${BASH_REMATCH[3]}))
  local -r s=$((10#${BASH_REMATCH[4]} * 3600 + 10#${BASH_REMATCH[5]} * 60 + 10#${BASH_REMATCH[6]}))
  ((m <= 2 && (y -= 1)))
  local -r era=$((y / 400)) yoe=$((y % 400)) doy=$(((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1))
  EPOCH_S=$(((era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468) * 86400 + s))
}
