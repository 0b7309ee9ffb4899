#!/usr/bin/env bash
# Measures detection by behaviour from nothing: simulated weeks, the models of the families trained on APIs of split
# varied, both models tried on others of it, and detection measured on split heldout, which nobody looks at while
# developing (so its single campaigns are not listed).
#
#   ml/evaluate.sh [DIRECTORY]     keeps traffic, rows and reports there (default: build/evaluation): 5 GB, about half
#                                  an hour of two cores; what is there already is not made again
#
# Weeks and applications of each seed, and the seeds held out, are in the environment. What docs/evaluation.md shows
# takes 12 GB and an hour more:
#
#   HELDOUT="4 8" SEEDS="906 907" ml/evaluate.sh
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/evaluation}
bin=${BIN:-.venv/bin}
read -r weeks apps <<< "${VARIED:-1 4}"
read -r held_weeks held_apps <<< "${HELDOUT:-2 4}"
read -r -a seeds <<< "${SEEDS:-906}"
mkdir -p "$out"
simulator=$(find sandbox/apisec_sandbox/campaigns -name '*.py' | LC_ALL=C sort | xargs cat | sha256sum | cut -c 1-8)

traffic() { # split seed weeks apps
  local folder=$out/$1-$2-$3-$4-$simulator # another simulator's traffic of the same seed is another
  [ -s "$folder/report.json" ] ||
    "$bin/apisec-sandbox" campaigns --output "$folder" --split "$1" --seed "$2" --weeks "$3" --apps "$4" >&2
  printf '%s\n' "$folder"
}

measure() { # name model folders...
  local name=$1 model=$2
  shift 2
  "$bin/apisec-ml" detect "$@" --rows "$out/rows" --model "$model" --json --picture "$out/$name.svg" > "$out/$name.json"
  printf '\n%s\n\n' "$name"
  "$bin/apisec-ml" report "$out/$name.json" --markdown
}

train=()
for seed in 5 6; do train+=("$(traffic varied "$seed" "$weeks" "$apps")"); done
tried=()
for seed in 12 13; do tried+=("$(traffic varied "$seed" "$weeks" "$apps")"); done
heldout=()
for seed in "${seeds[@]}"; do heldout+=("$(traffic heldout "$seed" "$held_weeks" "$held_apps")"); done

"$bin/apisec-ml" train "${train[@]}" --rows "$out/rows" --output "$out/model.json"
"$bin/apisec-ml" card "$out/model.json" > "$out/model.md"
measure varied-shipped core/apisec/abuse/model.json "${tried[@]}"
measure varied-trained "$out/model.json" "${tried[@]}"
printf '\nshipped → trained\n\n'
"$bin/apisec-ml" compare "$out/varied-shipped.json" "$out/varied-trained.json"
measure heldout core/apisec/abuse/model.json "${heldout[@]}"
printf '\nModels that cost less on what they did not see: cp %s core/apisec/abuse/model.json\n' "$out/model.json"
