#!/bin/sh
# Promote one service's config bundle from one environment to the next: export, sign, verify, apply, wait.
#
#   SERVICE=shop FROM=DEV SEEN=shop.seen.yml KEY=/run/secrets/promotion.key \
#   FROM_URL=https://dev:9443 FROM_TOKEN_FILE=dev.token FROM_CA=dev.pem \
#   TO_URL=https://qa:9443 TO_TOKEN_FILE=qa.token TO_CA=qa.pem  ./promote.sh
#
# SEEN: the fields that the source environment has seen (`apisec-forwarder bundle seen`). Exit codes are those of the
# command: 1 refused, with each reason on standard error; 2 bad input, or no answer.
set -eu

: "${SERVICE:?}" "${FROM:?}" "${SEEN:?}" "${KEY:?}" "${FROM_URL:?}" "${FROM_TOKEN_FILE:?}" "${FROM_CA:?}"
: "${TO_URL:?}" "${TO_TOKEN_FILE:?}" "${TO_CA:?}"
BUNDLE="${BUNDLE:-apisec-forwarder bundle}" # unquoted below: it may hold words
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

$BUNDLE export --service "$SERVICE" --json --output "$WORK/bundle.json" \
    --url "$FROM_URL" --token-file "$FROM_TOKEN_FILE" --ca-file "$FROM_CA"
$BUNDLE sign "$WORK/bundle.json" --key "$KEY" --from "$FROM" --seen "$SEEN" --output "$WORK/release.json"
$BUNDLE verify "$WORK/release.json" --url "$TO_URL" --token-file "$TO_TOKEN_FILE" --ca-file "$TO_CA"
$BUNDLE apply "$WORK/release.json" --wait "${WAIT_SECONDS:-120}" \
    --url "$TO_URL" --token-file "$TO_TOKEN_FILE" --ca-file "$TO_CA"
