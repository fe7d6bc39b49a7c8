# Files that install and uninstall write and remove, in the system or, with --root, in a folder.
#
# Invariant: every file that is written or removed is said; folders get mode 755 whatever the umask; a folder that is left empty
# goes too.

ROOT='' CHANGED=0

set_root() {
  [[ -d $1 ]] || die 2 "--root $1 is no folder: make it first"
  ROOT=$(cd -P -- "$1" && pwd)
  [[ $ROOT == / ]] && ROOT=''
  return 0
}

make_folder() { [[ -d $1 ]] || install -d -m 755 -- "$1" || die 1 "cannot make $1"; }

# Writes a file if it is not like that already: source, destination, mode.
place() {
  local -r source=$1 target=$ROOT$2
  if [[ -f $target ]] && cmp -s -- "$source" "$target"; then
    printf 'unchanged  %s\n' "$2"
    return
  fi
  make_folder "${target%/*}"
  install -m "$3" -- "$source" "$target" || die 1 "cannot write $target"
  printf 'wrote      %s\n' "$2"
  CHANGED=1
}

# Writes a text and a line's end, if the file has not just that: text, destination.
place_text() {
  local -r target=$ROOT$2
  if [[ -f $target && $(<"$target") == "$1" ]]; then
    printf 'unchanged  %s\n' "$2"
    return
  fi
  make_folder "${target%/*}"
  install -m 644 -- /dev/stdin "$target" <<<"$1" || die 1 "cannot write $target"
  printf 'wrote      %s\n' "$2"
  CHANGED=1
}

remove() {
  local path
  for path in "$@"; do
    local target=$ROOT$path
    [[ -e $target || -L $target ]] || continue
    rm -rf -- "$target" || die 1 "cannot remove $target"
    printf 'removed    %s\n' "$path"
  done
}

# Removes files, and the folders above them that nothing else is in.
remove_with_folder() {
  local path
  remove "$@"
  for path in "$@"; do
    path=${path%/*}
    (cd -- "${ROOT:-/}" && rmdir -p --ignore-fail-on-non-empty -- "${path#/}") 2>/dev/null
  done
  return 0
}
