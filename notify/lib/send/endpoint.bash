# Where AWS is: host names by AWS's own table of partitions (partitions.json of the SDKs, as of 2026), both kinds of endpoint,
# and what every request of curl's has in common.
#
# Invariant: the metadata service is asked directly, whatever the proxy; EventBridge, STS and the function URL by the
# proxy, if one is set.

CURL=(curl -q -s --max-time 2 --http1.1 --max-filesize 65536)
DIRECTLY=(--noproxy '*' --connect-timeout 0.5)
BY_IPV6=0 # the metadata service answered by IPv6 alone, so this subnet has no IPv4

# SUFFIX of host names in $REGION, and DUAL_SUFFIX of those that have IPv6 too.
partition_of_region() {
  case $REGION in
    cn-*) SUFFIX=amazonaws.com.cn DUAL_SUFFIX=api.amazonwebservices.com.cn ;;
    eusc-*) SUFFIX=amazonaws.eu DUAL_SUFFIX=api.amazonwebservices.eu ;;
    us-iso-*) SUFFIX=c2s.ic.gov DUAL_SUFFIX=api.aws.ic.gov ;;
    us-isob-*) SUFFIX=sc2s.sgov.gov DUAL_SUFFIX=api.aws.scloud ;;
    eu-isoe-*) SUFFIX=cloud.adc-e.uk DUAL_SUFFIX=api.cloud-aws.adc-e.uk ;;
    us-isof-*) SUFFIX=csp.hci.ic.gov DUAL_SUFFIX=api.aws.hci.ic.gov ;;
    *) SUFFIX=amazonaws.com DUAL_SUFFIX=api.aws ;; # aws and aws-us-gov
  esac
}

# URL of a service: events or sts.
url_of() {
  partition_of_region
  if [[ ${CONFIG[endpoint_$1]} ]]; then
    URL=${CONFIG[endpoint_$1]}
  elif [[ ${CONFIG[dual_stack]} == yes ]] || { [[ ${CONFIG[dual_stack]} == auto ]] && ((BY_IPV6)); }; then
    URL=https://$1.$REGION.$DUAL_SUFFIX
  else
    URL=https://$1.$REGION.$SUFFIX
  fi
}

# curl's configuration for a signed request: keys never reach a command line, nor does the proxy's password.
secrets_for_curl() {
  SECRETS="user = \"$1:$2\""$'\n'"header = \"x-amz-security-token: $3\""$'\n'
  if [[ ${CONFIG[proxy]} ]]; then SECRETS+="proxy = \"${CONFIG[proxy]}\""$'\n'; else SECRETS+='noproxy = "*"'$'\n'; fi
}

# SECRETS_FILE for curl's -K: a file in run_dir, of mode 0600, where that can be written, else descriptor 8, on which the caller
# gives the same text.
keep_secrets() { # NAME TEXT
  SECRETS_FILE=/dev/fd/8
  ((RUN_DIR_USABLE)) && { printf '%s\n' "$2" >"${CONFIG[run_dir]}/$1"; } 2>/dev/null && SECRETS_FILE=${CONFIG[run_dir]}/$1
  return 0
}
