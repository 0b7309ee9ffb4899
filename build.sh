#!/usr/bin/env bash
# The one door: demo | test | package | bench | fuzz | lint. Makes and keeps .venv at the root, and installs there
# only what the command needs.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TXT'
usage: ./build.sh COMMAND [ARGUMENTS]

  demo     run the whole loop live: traffic, inventory, scores, a risk event, a block, its lifting
           (--once to stop after the last stage, --json FILE for what was observed, --keep to leave it running)
  test     lint, build the app, and run every test (arguments go to pytest: ./build.sh test -k spool)
  package  build dist/apisec-VERSION.tar.gz, byte for byte the same every time
  bench    measure; ratios in one run (arguments name benchmarks: ./build.sh bench pipeline)
  fuzz     look for inputs that crash, hang or leak, with atheris in an environment of its own (./build.sh fuzz 600:
           seconds for each harness, 180 unless told)
  lint     ruff, mypy --strict, and every search of the app held to what Splunk documents

Needs Python 3.11 or later with venv (Debian: apt-get install python3-venv) and a package index for pip.
PYTHON=/path/to/python chooses the interpreter that .venv is made with.
TXT
}

fail() { printf 'build.sh: %s\n' "$1" >&2; exit "${2:-1}"; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "no Python 3.11 or later found; install it (Debian 12: apt-get install python3 python3-venv) or set PYTHON" 2
}

# need EXTRAS: .venv holds these extras of pyproject.toml; asked again, it costs nothing.
need() {
  local extras=$1 stamp python
  if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    say "making .venv with $python"
    "$python" -m venv .venv || fail "python -m venv failed; on Debian: apt-get install python3-venv" 2
  fi
  stamp=.venv/.installed-$extras-$(sha256sum pyproject.toml | cut -c1-16)
  [ -e "$stamp" ] && return
  [ -e "${stamp/$extras/dev}" ] && return
  say "installing into .venv: $extras"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]" \
    || fail "pip could not install .[$extras]; the lines above say why" 1
  touch "$stamp"
}

say() { printf '\033[2m» %s\033[0m\n' "$1" >&2; }

build_app() { .venv/bin/python tools/build_app.py; }

# Most tests wait for processes of their own: side by side, a file at a time, they take a third of the time.
# Files that take long begin (tests/support/splunk_selection.py); xdist itself would begin with those of many tests.
# Two more than there are cores: each waits for others half of its time.
export PYTEST_XDIST_AUTO_NUM_WORKERS=${PYTEST_XDIST_AUTO_NUM_WORKERS:-$(($(nproc) + 2))}
SIDE_BY_SIDE=(--numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder)

# The rooms that run inside Splunk are tested with Splunk's Pythons too, where this machine has them.
test_on() {
  local version=$1 candidate python="" venv=.venv-$1 stamp
  for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
    if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
      python=$candidate
      break
    fi
  done
  if [ -z "$python" ]; then
    say "no Python $version here: core and package are not tested on it"
    return
  fi
  stamp=$venv/.installed-$(sha256sum tests/requirements-splunk-python.txt | cut -c1-16)
  if [ ! -e "$stamp" ]; then
    say "making $venv"
    "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/requirements-splunk-python.txt
    touch "$stamp"
  fi
  say "core and package on Python $version"
  HYPOTHESIS_PROFILE=brief PYTHONPATH=core "$venv/bin/python" -m pytest -q -p no:cacheprovider "${SIDE_BY_SIDE[@]}" tests/core tests/portable
}

# atheris has wheels for some Pythons only, and nothing else needs it: it never goes into .venv.
fuzz() {
  local stamp
  stamp=.venv-fuzz/.installed-$(sha256sum pyproject.toml | cut -c1-16)
  if [ ! -e "$stamp" ]; then
    say "making .venv-fuzz"
    "$(find_python)" -m venv --clear .venv-fuzz
    .venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[forwarder]' 'atheris>=3' \
      || fail "pip could not install atheris; it has wheels for CPython 3.11 to 3.13 on Linux (PYTHON chooses)" 1
    touch "$stamp"
  fi
  exec nice -n 19 .venv-fuzz/bin/python -m fuzz.run "$@"
}

lint() {
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  .venv/bin/mypy
  .venv/bin/python tools/spl_check.py
}

command=${1:-}
[ $# -gt 0 ] && shift
case "$command" in
  demo)
    need forwarder,gateway,sandbox,package
    build_app
    exec .venv/bin/python -m apisec_sandbox demo "$@"
    ;;
  test)
    need dev
    tools/system_packages.sh
    say "lint"
    lint
    say "the app"
    build_app
    if [ $# -gt 0 ]; then
      exec .venv/bin/python -m pytest "$@"
    fi
    test_on 3.9
    test_on 3.13
    say "everything on $(.venv/bin/python --version)"
    .venv/bin/python -m pytest "${SIDE_BY_SIDE[@]}" --ignore tests/e2e
    say "end to end"
    exec .venv/bin/python -m pytest tests/e2e # alone: they measure how long a block takes to hold
    ;;
  package)
    need package
    build_app
    ;;
  bench)
    need dev
    exec .venv/bin/python -m benchmarks "$@"
    ;;
  fuzz) fuzz "$@" ;;
  lint)
    need dev
    lint
    ;;
  -h | --help | help) usage ;;
  "") usage >&2; exit 2 ;;
  *) usage >&2; fail "unknown command '$command'" 2 ;;
esac
