#!/bin/sh
# Promote one service's config bundle from one environment to the next: export, sign, verify, apply, wait.
#
#   SERVICE=shop FROM=DEV SEEN=shop.seen.yml KEY=/run/secrets/promotion.key \
#   FROM_URL=https://dev:9443 FROM_TOKEN_FILE=dev.token FROM_CA=dev.pem \
#   TO_URL=https://qa:9443 TO_TOKEN_FILE=qa.token TO_CA=qa.pem  ./promote.sh
#
# Splunk on both sides, where there is one for each environment (or one that is both):
#
#   FROM_SPLUNK=https://splunk-dev:8089 FROM_SPLUNK_TOKEN_FILE=… FROM_SPLUNK_CA=…   instead of SEEN: its inventory says it
#   TO_SPLUNK=https://splunk-qa:8089 TO_SPLUNK_TOKEN_FILE=… TO_SPLUNK_CA=…          takes the same release
#
# SEEN: the fields that the source environment has seen (`apisec-forwarder bundle seen`). Nothing is applied unless all
# places accept the release. Run it again when it was cut off: what is applied already stays as it is. Exit codes are
# those of the command: 1 refused, with each reason on standard error; 2 bad input, or no answer.
set -eu

: "${SERVICE:?}" "${FROM:?}" "${KEY:?}" "${FROM_URL:?}" "${FROM_TOKEN_FILE:?}" "${FROM_CA:?}"
: "${TO_URL:?}" "${TO_TOKEN_FILE:?}" "${TO_CA:?}"
[ -n "${SEEN:-}" ] || : "${FROM_SPLUNK:?give SEEN, a file, or FROM_SPLUNK, whose inventory has the fields seen}"
[ -z "${FROM_SPLUNK:-}" ] || : "${FROM_SPLUNK_TOKEN_FILE:?}" "${FROM_SPLUNK_CA:?}"
[ -z "${TO_SPLUNK:-}" ] || : "${TO_SPLUNK_TOKEN_FILE:?}" "${TO_SPLUNK_CA:?}"
BUNDLE="${BUNDLE:-apisec-forwarder bundle}" # unquoted below: it may hold words
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

at_forwarder() {
    $BUNDLE "$@" --url "$TO_URL" --token-file "$TO_TOKEN_FILE" --ca-file "$TO_CA"
}

at_splunk() {
    [ -z "${TO_SPLUNK:-}" ] ||
        $BUNDLE "$@" --splunk "$TO_SPLUNK" --token-file "$TO_SPLUNK_TOKEN_FILE" --ca-file "$TO_SPLUNK_CA"
}

if [ -z "${SEEN:-}" ]; then
    SEEN="$WORK/seen.yml"
    $BUNDLE seen --service "$SERVICE" --environment "$FROM" --output "$SEEN" \
        --splunk "$FROM_SPLUNK" --token-file "$FROM_SPLUNK_TOKEN_FILE" --ca-file "$FROM_SPLUNK_CA"
fi
$BUNDLE export --service "$SERVICE" --json --output "$WORK/bundle.json" \
    --url "$FROM_URL" --token-file "$FROM_TOKEN_FILE" --ca-file "$FROM_CA"
$BUNDLE sign "$WORK/bundle.json" --key "$KEY" --from "$FROM" --seen "$SEEN" --output "$WORK/release.json"
at_forwarder verify "$WORK/release.json"
at_splunk verify "$WORK/release.json"
at_forwarder apply "$WORK/release.json" --wait "${WAIT_SECONDS:-120}"
at_splunk apply "$WORK/release.json"
