#!/bin/sh
# deb: `configure`, with the old version at an upgrade; rpm: 1 for the first install, 2 for an upgrade.
# keepalived is neither restarted nor reloaded: that may be a failover, and is the operator's to choose.
set -e
case "$1" in
  configure) if [ -z "$2" ]; then first=1; else first=0; fi ;;
  1) first=1 ;;
  2) first=0 ;;
  *) exit 0 ;;
esac
assets=/usr/lib/vipshift/assets units=/etc/systemd/system

[ -e /etc/vipshift/notify.conf ] || install -m 644 $assets/notify.conf /etc/vipshift/notify.conf

# What `vipshift-notify install` put into /etc would hide the package's own for ever. What is as it put it down goes; what the operator has
# changed, or an older version wrote, is kept and named.
moved=0 kept=0
while read -r old asset; do
  [ -f "$old" ] || continue
  if sed 's,/usr/local/bin/vipshift-notify,/usr/bin/vipshift-notify,' "$old" | cmp -s - "$assets/$asset"; then
    rm -f "$old"
    moved=1
  else
    echo "vipshift-notify: $old hides the package's own: compare it with $assets/$asset, then remove it" >&2
    kept=1
  fi
done <<END
$units/vipshift-notify.service vipshift-notify.service
$units/vipshift-notify.socket vipshift-notify.socket
$units/vipshift-linger.service vipshift-linger.service
$units/vipshift-eip-route@.service vipshift-eip-route@.service
$units/keepalived.service.d/vipshift.conf keepalived-order.conf
$units/keepalived.service.d/vipshift-wiring.conf keepalived-wiring.conf
/etc/tmpfiles.d/vipshift-notify.conf vipshift-notify.tmpfiles
END
# Its program as well, unless one of those units still calls it.
[ $kept = 1 ] || rm -rf /usr/local/lib/vipshift /usr/local/bin/vipshift-notify

# A first install enables; later what the operator has chosen holds.
[ $first = 0 ] || systemctl enable --quiet vipshift-notify.socket vipshift-notify.service || :
# In an image that is being built nothing runs.
[ -d /run/systemd/system ] || exit 0

systemd-tmpfiles --create vipshift-notify.conf || :
systemctl daemon-reload
if [ $moved = 1 ]; then # their links lead to files that are no more
  for unit in $(systemctl list-unit-files --plain --no-legend --state=enabled,bad 'vipshift-notify.*' 'vipshift-eip-route@*' | cut -d' ' -f1); do
    systemctl reenable --quiet "$unit" || :
  done
fi
# systemd does not start a socket while its service runs.
if systemctl -q is-enabled vipshift-notify.socket && ! systemctl -q is-active vipshift-notify.socket; then
  systemctl stop vipshift-notify.service || :
  systemctl start vipshift-notify.socket || :
fi
if ! said=$(vipshift-notify check 2>&1); then
  printf '%s\n' "$said" 'vipshift-notify is not configured yet: vipshift-notify setup --bus NAME --instance NAME=VIP, or edit /etc/vipshift/notify.conf' >&2
elif [ $first = 1 ] || [ $moved = 1 ]; then
  systemctl restart vipshift-notify.service || :
else
  systemctl try-restart vipshift-notify.service || :
fi
