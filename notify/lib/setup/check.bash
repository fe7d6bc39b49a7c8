# `check`: is the configuration right, and has the machine what the daemon needs? Nothing is changed, and nothing is asked of the
# network. For a package's scripts, and for people: vipshift-notify check && systemctl restart vipshift-notify.

check_command() {
  read_config_option "$@"
  ((${#REST[@]} == 0)) || die 2 "check takes no \"${REST[0]}\" (see --help)"
  check_files
  check_fifo
  require_config
  require_curl
  require_authorities
  [[ ${CONFIG[keepalived_pid]} == none ]] || require_keepalived
  warn_of_proxy
  report_tracked
  printf '%s is right: %s VIPs (%s), bus %s\n' "$CONFIG_FILE" "${#VIP_NAMES[@]}" "${VIP_NAMES[*]}" "${CONFIG[bus]}"
}

# Only what is there; the daemon, or systemd, makes the rest.
check_fifo() {
  local key
  local -r path=${CONFIG[fifo]}
  if [[ -e $path && ! -p $path ]]; then wrong_config '' "fifo is \"$path\", which is no FIFO: remove it, or name another one"; fi
  # Another user need not be able to look; root judges.
  ((EUID == 0)) || return 0
  [[ -p $path ]] && ! is_private "$path" 'the FIFO' "$path" && CONFIG_ERRORS+=("$TROUBLE")
  for key in run_dir state_dir; do
    [[ -e ${CONFIG[$key]} && ! -d ${CONFIG[$key]} ]] && wrong_config '' "$key is \"${CONFIG[$key]}\", which is no folder"
    [[ -d ${CONFIG[$key]} ]] && ! is_private "${CONFIG[$key]}" "$key" "${CONFIG[$key]}" && CONFIG_ERRORS+=("$TROUBLE")
  done
  return 0
}
