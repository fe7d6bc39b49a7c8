# An interactive zsh in a pseudo-terminal that has taken $SCRIPT, the completion: types lines with TAB in them, and prints
# what ran after Enter. Its own vipshift says how it was called; the quotes keep the echo of its definition from looking the same.
zmodload zsh/zpty
zpty tty zsh -f -i
zpty -w tty "PS1=; vipshift() { if [[ \$* == 'completion-values vip'* ]] { print -l web dns } elif [[ \$* == 'completion-values node web' ]] { print i-0aaa } else { print -r -- \"RAN\"'<'\"\$*>\" } }"
zpty -w tty 'source <(print -r -- "$SCRIPT"); print REA''DY'
zpty -r tty out '*READY*'
for line in "vipshift vi"$'\t'"list" "vipshift vip sh"$'\t'"--stage prod d"$'\t' "vipshift status w"$'\t' \
  "vipshift vip add x --hold m"$'\t' "vipshift timeline --outcom"$'\t'"failed" \
  "vipshift pin web --to i"$'\t'; do
  zpty -w tty "$line"
  zpty -r tty out '*RAN<*>*'
  print -r -- "${${out##*RAN<}%%>*}"
done
