#!/bin/sh
# deb: `remove`, or `upgrade` …; rpm: 0 at the end, 1 at an upgrade. What setup has put down goes as well; notify.conf and the spool stay.
case "$1" in
  remove | 0) ;;
  *) exit 0 ;;
esac
# In an image as well, where nothing runs: what the install enabled would be left as links to nothing.
vipshift-notify uninstall >/dev/null || systemctl disable --now --quiet vipshift-notify.service vipshift-notify.socket || :
