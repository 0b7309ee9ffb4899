#!/usr/bin/env bash
# Reproduces core/apisec/scoring/model.json and the figures in docs/scoring.md:
# labelled traffic of the sample shop, through the forwarder's own pipeline, into training and evaluation.
#
#   ml/retrain.sh [DIRECTORY]      keeps traffic, events and reports there (default: build/ml)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/ml}
bin=.venv/bin
days=3
train_runs="11-numeric 12-prefixed 13-numeric" # seed and style of the shop's ids
heldout_runs="901-prefixed 902-uuid 903-numeric"
attackers=enumerate,enumerate,enumerate,skip,skip,inject,inject,replay,replay
mkdir -p "$out"

# One key for all runs, so that tokens, and with them the order of ties, are the same every time. It redacts
# made-up data only.
key=$out/synthetic-keys.json
printf '%s' '{"version": 1, "active": "00000001", "keys": [{"id": "00000001", "algorithm": "blake2b",' \
  ' "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "created": "2026-01-01T00:00:00Z"}]}' > "$key"
chmod 600 "$key"

make_events() { # style run
  local name=$out/$1-$2
  [ -s "$name.events.jsonl" ] && return
  "$bin/apisec-sandbox" traffic --offline --style "$1" --seed "${2%-*}" --id-style "${2#*-}" --users 80 --duration $((days * 86400)) \
    --attackers "$attackers" --output "$name.jsonl" --labels "$name.labels.jsonl"
  "$bin/apisec-forwarder" replay --input "$name.jsonl" --output "$name.part" --keys "$key" --service shop
  mv "$name.part" "$name.events.jsonl"
  rm "$name.jsonl"
}

arguments() { # style runs...
  local style=$1 run
  shift
  for run in "$@"; do
    printf '%s\n' --events "$out/$style-$run.events.jsonl" --labels "$out/$style-$run.labels.jsonl"
  done
}

for run in $train_runs; do make_events train "$run"; done
for run in $heldout_runs; do make_events heldout "$run"; done

# shellcheck disable=SC2046,SC2086  # the lists are meant to split
"$bin/apisec-ml" train $(arguments train $train_runs) --output "$out/model.json"
for options in "" "--restart 3600" "--cold" "--threshold 90"; do
  echo
  echo "held-out $heldout_runs, evaluate $options"
  # shellcheck disable=SC2046,SC2086
  "$bin/apisec-ml" evaluate $(arguments heldout $heldout_runs) --model "$out/model.json" $options
done
echo
echo "To ship it: cp $out/model.json core/apisec/scoring/model.json"
