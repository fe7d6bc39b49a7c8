# `install`: program, units and tmpfiles of a checkout or a tarball, below /usr/local and /etc; then `setup`. With --root everything goes into
# a folder, and neither systemd nor the network is touched.
#
# Invariant: idempotent; everything that can be refused is looked at before anything is written. A node that has the package is refused: what
# is in /etc and /usr/local would hide the package's for ever.

readonly LIBRARY=/usr/local/lib/vipshift PROGRAM=/usr/local/bin/vipshift-notify
# Where a package puts them, and where `install` put them until there were packages.
readonly PACKAGE_LIBRARY=/usr/lib/vipshift PACKAGE_PROGRAM=/usr/bin/vipshift-notify
readonly KEEPALIVED_DROPINS=$UNITS/keepalived.service.d ROUTE_UNIT=vipshift-eip-route@.service

install_command() {
  read_setup install "$@"
  [[ ! -e $ROOT$PACKAGE_LIBRARY/packaged ]] ||
    die 1 "vipshift-notify is here as a package: vipshift-notify setup does the rest ($(<"$ROOT$PACKAGE_LIBRARY/packaged") takes it off)"
  look_before
  place_program
  place_units
  remove_former
  set_up
}

place_program() {
  local file files
  set +f
  files=("$LIB"/*.bash "$LIB"/*/*.bash "$LIB"/assets/*)
  set -f
  for file in "${files[@]}"; do place "$file" "$LIBRARY/${file#"$LIB"/}" 644; done
  place "$SELF" "$PROGRAM" 755
  remove_stale
}

# What an earlier version had under another name. After the program, which sources it until then.
remove_stale() {
  local file files
  set +f
  files=("$ROOT$LIBRARY"/*.bash "$ROOT$LIBRARY"/*/*.bash)
  set -f
  for file in "${files[@]}"; do
    [[ -e $LIB/${file#"$ROOT$LIBRARY"/} ]] || remove "${file#"$ROOT"}"
  done
}

place_units() {
  local unit
  for unit in vipshift-notify.socket vipshift-notify.service "$LINGER_UNIT"; do place_unit "$unit" "$UNITS/$unit"; done
  place_unit keepalived-order.conf $KEEPALIVED_DROPINS/vipshift.conf
  place_unit keepalived-wiring.conf $KEEPALIVED_DROPINS/vipshift-wiring.conf
  place "$LIB/assets/vipshift-notify.tmpfiles" /etc/tmpfiles.d/vipshift-notify.conf 644
}

# The assets name the package's program; these are for ours.
place_unit() {
  local text
  text=$(<"$LIB/assets/$1")
  place_text "${text//"$PACKAGE_PROGRAM"/"$PROGRAM"}" "$2"
}

# The program of an earlier `install`. After the units, which called it until then; a package's is not ours to remove.
remove_former() {
  [[ $LIB == "$ROOT$PACKAGE_LIBRARY" ]] || remove $PACKAGE_LIBRARY $PACKAGE_PROGRAM
}
