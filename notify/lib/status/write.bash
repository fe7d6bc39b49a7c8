# What the daemon leaves on tmpfs for `status`: `key value` a line, `end` last, so that a reader knows a whole one. Two files
# take turns, since bash cannot rename without a fork: one of them is always whole, and the higher serial is the newer. One
# that could not be written whole takes its turn again.

STATUS_SERIAL=0
# What `status` and the journal say of what is wrong: the variable, and its key in the status.
declare -rA TROUBLES=([LAST_ERROR]=lastError [DIRECT_ERROR]=directError [CREDENTIALS_ERROR]=credentialsError [SPOOL_ERROR]=spoolError
  [FIFO_ERROR]=fifoError [KEEPALIVED_ERROR]=keepalivedError [INSTANCE_ERROR]=instanceError [WIRING_ERROR]=wiringError
  [LEAVING_ERROR]=leavingError [NOTICES_ERROR]=noticesError [RUN_DIR_ERROR]=runDirError [CONFIG_ERROR]=configError)

write_status() {
  STATUS_CHANGED=0
  ((RUN_DIR_USABLE)) || return 0
  { status_lines >"${CONFIG[run_dir]}/status.$((STATUS_SERIAL % 2))"; } 2>/dev/null && STATUS_SERIAL=$((STATUS_SERIAL + 1)) && return
  [[ -d ${CONFIG[run_dir]} ]] || RUN_DIR_ERROR="${CONFIG[run_dir]} is gone: it is made again" RUN_DIR_USABLE=0 RUN_DIR_LOOK_MS=$NOW_MS
  return 0
}

status_lines() {
  local vip trouble word
  printf 'serial %s\npid %s\nversion %s\nnode %s\nuser %s\nregion %s\nbus %s\n' \
    "$STATUS_SERIAL" $$ "$SHIM_VERSION" "$NODE" "$USER_ID" "$REGION" "${CONFIG[bus]}" &&
    printf 'spooled %s\ndropped %s\nsent %s\nbadLines %s\nlastSentAt %s\nlastErrorAt %s\n' \
      "$Q_COUNT" "$DROPPED" "$SENT_COUNT" "$BAD_LINES" "$LAST_SENT_AT_S" "$LAST_ERROR_AT_S" &&
    printf 'credentialsFetchedAt %s\ncredentialsExpireAt %s\nkeepalived %s\n' "$FETCHED_S" "$EXPIRES_S" "$KEEPALIVED" || return 1
  if [[ ${CONFIG[direct]} ]]; then printf 'direct %s\ndirectLastSaidAt %s\ndirectErrorAt %s\n' "${CONFIG[direct]}" "$LAST_SAID_AT_S" "$DIRECT_ERROR_AT_S" || return 1; fi
  if [[ $LEAVING ]]; then printf 'leaving %s\nleavingSince %s\nleavingStep %s\n' "$LEAVING" "$LEAVING_SINCE_S" "$((PULSE_UNTIL_MS ? 2 : 1))" || return 1; fi
  if ((AT_RISK)); then printf 'atRisk 1\n' || return 1; fi
  for trouble in "${!TROUBLES[@]}"; do
    [[ ${!trouble} ]] || continue
    printable "${!trouble}"
    printf '%s %s\n' "${TROUBLES[$trouble]}" "$REPLY" || return 1
  done
  for vip in "${VIP_NAMES[@]}"; do
    word=${WORD[$vip]:-NONE 0 0}
    printf 'vip %s %s %s\n' "$vip" "${word/#NONE */UNKNOWN 0 0}" "${NAMED_BY[$vip]}" || return 1
  done
  printf 'end\n'
}
