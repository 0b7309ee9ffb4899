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
train_seeds="11 12 13"
heldout_seeds="901 902"
attackers=enumerate,enumerate,enumerate,skip,skip,inject,inject,replay,replay
mkdir -p "$out"

# One key for all runs, so that tokens, and with them the order of ties, are the same every time. It redacts
# made-up data only.
key=$out/synthetic-keys.json
printf '%s' '{"version": 1, "active": "00000001", "keys": [{"id": "00000001", "algorithm": "blake2b",' \
  ' "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "created": "2026-01-01T00:00:00Z"}]}' > "$key"
chmod 600 "$key"

make_events() { # style seed
  local name=$out/$1-$2
  [ -s "$name.events.jsonl" ] && return
  "$bin/apisec-sandbox" traffic --offline --style "$1" --seed "$2" --users 80 --duration $((days * 86400)) \
    --attackers "$attackers" --output "$name.jsonl" --labels "$name.labels.jsonl"
  "$bin/apisec-forwarder" replay --input "$name.jsonl" --output "$name.part" --keys "$key" --service shop
  mv "$name.part" "$name.events.jsonl"
  rm "$name.jsonl"
}

arguments() { # style seeds...
  local style=$1 seed
  shift
  for seed in "$@"; do
    printf '%s\n' --events "$out/$style-$seed.events.jsonl" --labels "$out/$style-$seed.labels.jsonl"
  done
}

for seed in $train_seeds; do make_events train "$seed"; done
for seed in $heldout_seeds; do make_events heldout "$seed"; done

# shellcheck disable=SC2046,SC2086  # the lists are meant to split
"$bin/apisec-ml" train $(arguments train $train_seeds) --output "$out/model.json"
for options in "" "--restart 3600" "--cold" "--threshold 90"; do
  echo
  echo "held-out seeds $heldout_seeds, evaluate $options"
  # shellcheck disable=SC2046,SC2086
  "$bin/apisec-ml" evaluate $(arguments heldout $heldout_seeds) --model "$out/model.json" $options
done
echo
echo "To ship it: cp $out/model.json core/apisec/scoring/model.json"
