# What the daemon leaves on tmpfs for `status`: `key value` a line, `end` last, so that a reader knows a whole one. Two files
# take turns, since bash cannot rename without a fork: one of them is always whole, and the higher serial is the newer.

STATUS_SERIAL=0

write_status() {
  local vip
  {
    printf 'serial %s\npid %s\nversion %s\nnode %s\nuser %s\nregion %s\nbus %s\n' \
      "$STATUS_SERIAL" $$ "$SHIM_VERSION" "$NODE" "$USER_ID" "$REGION" "${CONFIG[bus]}"
    printf 'spooled %s\ndropped %s\nsent %s\nbadLines %s\nlastSentAt %s\n' \
      "$Q_COUNT" "$DROPPED" "$SENT_COUNT" "$BAD_LINES" "$LAST_SENT_AT_S"
    printf 'credentialsFetchedAt %s\ncredentialsExpireAt %s\n' "$FETCHED_S" "$EXPIRES_S"
    [[ $LAST_ERROR ]] && printf 'lastErrorAt %s\nlastError %s\n' "$LAST_ERROR_AT_S" "$LAST_ERROR"
    [[ $CREDENTIALS_ERROR ]] && printf 'credentialsError %s\n' "$CREDENTIALS_ERROR"
    [[ $SPOOL_ERROR ]] && printf 'spoolError %s\n' "$SPOOL_ERROR"
    for vip in "${VIP_NAMES[@]}"; do printf 'vip %s %s %s\n' "$vip" "${WORD[$vip]:-UNKNOWN 0 0}" "${NAMED_BY[$vip]}"; done
    printf 'end\n'
  } 2>/dev/null >"${CONFIG[run_dir]}/status.$((STATUS_SERIAL % 2))"
  STATUS_SERIAL=$((STATUS_SERIAL + 1))
  STATUS_CHANGED=0
}
