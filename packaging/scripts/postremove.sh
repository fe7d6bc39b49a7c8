#!/bin/sh
# deb: `remove`, then `purge`; rpm: 0 at the end.
case "$1" in
  remove | 0)
    [ ! -d /run/systemd/system ] || systemctl daemon-reload || :
    ;;
  purge)
    rm -rf /var/lib/vipshift /etc/vipshift/notify.conf
    rmdir /etc/vipshift 2>/dev/null || :
    ;;
esac
exit 0
