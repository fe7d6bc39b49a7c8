# `stay`: the operator's word that this node is not to leave for what AWS says now. The next notice counts again.

readonly STAY_TRIES=40

stay_command() {
  local fd try
  read_config_option "$@"
  require_config
  ((${#REST[@]} == 0)) || die 2 "stay takes no \"${REST[0]}\" (see --help)"
  read_daemon_status
  ((RUNNING)) || die 4 'the daemon is not running: systemctl start vipshift-notify'
  [[ ${STATUS[leaving]-} ]] || die 1 'this node is not leaving: see vipshift-notify status'
  [[ -p ${CONFIG[fifo]} && -w ${CONFIG[fifo]} ]] || die 1 "cannot write into the FIFO ${CONFIG[fifo]}: run this as root"
  exec {fd}<>"${CONFIG[fifo]}"
  printf 'vipshift stay\n' >&"$fd"
  exec {fd}<> <(:)
  for ((try = 0; try < STAY_TRIES; try++)); do
    read_daemon_status
    [[ ${STATUS[leaving]-} ]] || {
      printf 'This node is no longer leaving.\n'
      return 0
    }
    read -r -t 0.05 -u "$fd"
  done
  die 1 'the daemon gave no answer: see vipshift-notify status'
}
