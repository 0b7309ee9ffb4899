#!/usr/bin/env bash
# Reproduces core/apisec/abuse/model.json and the figures in docs/evaluation.md: simulated weeks, the models of the
# families trained on APIs of split varied, tried on others of it, and detection measured on split heldout,
# which nobody looks at while developing.
#
#   ml/evaluate.sh [DIRECTORY]     keeps traffic (15 GB), rows and reports there (default: build/evaluation)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/evaluation}
bin=.venv/bin
mkdir -p "$out"

traffic() { # split seed weeks apps
  local folder=$out/$1-$2
  [ -s "$folder/report.json" ] ||
    "$bin/apisec-sandbox" campaigns --output "$folder" --split "$1" --seed "$2" --weeks "$3" --apps "$4" >&2
  printf '%s\n' "$folder"
}

measure() { # name model folders...
  local name=$1 model=$2
  shift 2
  "$bin/apisec-ml" detect "$@" --rows "$out/rows" --model "$model" --json --picture "$out/$name.svg" > "$out/$name.json"
  "$bin/apisec-ml" report "$out/$name.json"
}

train=()
for seed in 5 6; do train+=("$(traffic varied "$seed" 1 4)"); done
tried=()
for seed in 10 11; do tried+=("$(traffic varied "$seed" 1 4)"); done
heldout=()
for seed in 902 903; do heldout+=("$(traffic heldout "$seed" 4 8)"); done

"$bin/apisec-ml" train "${train[@]}" --rows "$out/rows" --output "$out/model.json"
"$bin/apisec-ml" card "$out/model.json" > "$out/model.md"
measure varied-shipped core/apisec/abuse/model.json "${tried[@]}"
measure varied-trained "$out/model.json" "${tried[@]}"
"$bin/apisec-ml" compare "$out/varied-shipped.json" "$out/varied-trained.json"
measure heldout core/apisec/abuse/model.json "${heldout[@]}"
echo
echo "Trained models that are better on what they did not see: cp $out/model.json core/apisec/abuse/model.json"
