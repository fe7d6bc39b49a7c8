# Which authorities a server's certificate is checked against. Reading the system's whole bundle costs curl 20 to 30 ms at
# each request (OpenSSL 3 parses some 140 certificates), more than all the rest of the way. So the few roots that AWS's
# endpoints chain to are copied out of the system's own store at start, and curl reads those.
#
# Invariant: nothing is trusted that the system does not trust. If the few do not do (curl status 60: a proxy that opens
# TLS, another authority), the whole store is used from then on.

declare -a TLS=()
readonly UNTRUSTED=60 NO_ROOTS=77 # curl's statuses: the second where the file of roots cannot be read

prepare_trust() {
  local name file roots=''
  TLS=()
  if [[ ${CONFIG[ca_file]} ]]; then
    TLS=(--cacert "${CONFIG[ca_file]}")
    return
  fi
  # A bundle that was named to curl or OpenSSL is used as it is.
  [[ ${CURL_CA_BUNDLE-}${SSL_CERT_FILE-} ]] && return
  for name in Amazon_Root_CA_1 Amazon_Root_CA_2 Amazon_Root_CA_3 Amazon_Root_CA_4 Starfield_Services_Root_Certificate_Authority_-_G2; do
    file=/etc/ssl/certs/$name.pem # Debian, Ubuntu
    REPLY=''
    [[ -r $file ]] && IFS= read -r -d '' REPLY <"$file" # fails at the end of the file, having read it
    roots+=$REPLY
  done
  [[ $roots ]] || roots=$(roots_of_bundle /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem) # Amazon Linux, RHEL, Fedora
  [[ $roots == *'BEGIN CERTIFICATE'* ]] || return 0
  ((RUN_DIR_USABLE)) || return 0
  { printf '%s\n' "$roots" >"${CONFIG[run_dir]}/roots.pem"; } 2>/dev/null && TLS=(--cacert "${CONFIG[run_dir]}/roots.pem")
  return 0
}

# Amazon's roots out of a bundle that names each certificate in a comment before it.
roots_of_bundle() {
  local line take=0
  [[ -r $1 ]] || return
  while IFS= read -r line; do
    case $line in
      '# '*'Amazon Root CA '[1-4]* | '# '*'Starfield Services Root Certificate Authority - G2'*) take=1 ;;
      '# '*) take=0 ;;
    esac
    ((take)) && printf '%s\n' "$line"
    [[ $line == '-----END CERTIFICATE-----' ]] && take=0
  done <"$1"
  return 0
}

# Where neither does, it is not for the roots (a clock that is wrong, for example), so the next time it is the few again.
trust_whole_store() {
  [[ ${CONFIG[ca_file]} ]] && return
  if ((${#TLS[@]})); then TLS=(); else prepare_trust; fi
}
