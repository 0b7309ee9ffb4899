#!/usr/bin/env bash
# Reproduces core/apisec/abuse/model.json and the figures in docs/evaluation.md: simulated weeks of eight APIs, the models of
# the families trained on split dev, and detection measured on split heldout, which nobody looks at while developing.
#
#   ml/evaluate.sh [DIRECTORY]     keeps traffic (3 GB a run), rows and reports there (default: build/evaluation)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/evaluation}
bin=.venv/bin
train_seeds="2 3"    # two weeks each
dev_seeds="4"        # two weeks: what training did not see, of the same split
heldout_seeds="901 902"
heldout_weeks=4
mkdir -p "$out"

traffic() { # split seed weeks
  local folder=$out/$1-$2
  [ -s "$folder/report.json" ] || "$bin/apisec-sandbox" campaigns --output "$folder" --split "$1" --seed "$2" --weeks "$3" --apps 8
}

folders() { # split seeds...
  local split=$1 seed
  shift
  for seed in "$@"; do printf '%s\n' "$out/$split-$seed"; done
}

for seed in $train_seeds $dev_seeds; do traffic dev "$seed" 2; done
for seed in $heldout_seeds; do traffic heldout "$seed" "$heldout_weeks"; done

# shellcheck disable=SC2046,SC2086  # the lists are meant to split
"$bin/apisec-ml" train $(folders dev $train_seeds) --rows "$out/rows" --output "$out/model.json"
"$bin/apisec-ml" card "$out/model.json" > "$out/model.md"

measure() { # name folders...
  local name=$1
  shift
  "$bin/apisec-ml" detect "$@" --rows "$out/rows" --model "$out/model.json" --json --picture "$out/$name.svg" > "$out/$name.json"
  "$bin/apisec-ml" report "$out/$name.json"
}

# shellcheck disable=SC2046,SC2086
measure dev $(folders dev $dev_seeds)
# shellcheck disable=SC2046,SC2086
measure heldout $(folders heldout $heldout_seeds)
echo
echo "To ship the models: cp $out/model.json core/apisec/abuse/model.json"
