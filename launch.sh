#!/usr/bin/env bash
# Sets up a virtual environment once, then runs the main job, a part of it, or the tests.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage:
  ./launch.sh [FLAGS]                      train on handwritten digits, sample, evaluate (in runs/digits)
  ./launch.sh train|eval|sample [FLAGS]    one of these
  ./launch.sh test [PYTEST ARGUMENTS]      lint, types and tests
  ./launch.sh setup                        only the virtual environment

FLAGS are those of `python -m score_sde.main` (`./launch.sh train --help` lists them). Where they are
not given, --config is configs/digits.py and --workdir is runs/digits, beside this script.
PYTHON=python3.12 ./launch.sh chooses the interpreter; each further version has its own .venv-VERSION.
TEXT
}

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
oldest=11 # of Python 3

fail() {
  echo "error: $1" >&2
  exit 2
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

recent() { # is this version (3.12) new enough?
  [[ $1 =~ ^3\.([0-9]+)$ ]] && ((BASH_REMATCH[1] >= oldest))
}

find_python() { # sets python and version
  local candidate seen='' candidates=(python3 python3.13 python3.12 python3.11 python)
  [[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")
  for candidate in "${candidates[@]}"; do
    if version=$(version_of "$candidate") && recent "$version"; then
      python=$candidate
      return
    fi
    [[ -z $version ]] || seen=${seen:-"$candidate is Python $version"}
  done
  fail "${seen:-no ${PYTHON:-python3} that runs}: needs Python 3.$oldest or newer; name one, as in PYTHON=python3.12 ./launch.sh"
}

choose_venv() { # sets venv: .venv, or one of its own where .venv has another version than PYTHON asks for
  local present
  venv=$root/.venv
  if [[ -n ${PYTHON:-} ]]; then
    find_python
    present=$(version_of "$venv/bin/python") || present=$version
    [[ $present == "$version" ]] || venv=$root/.venv-$version
  fi
}

stamp() { # what the environment was made from; written last, so that it tells a finished install
  local installed
  installed=$(version_of "$venv/bin/python") || return 1
  cat "$root/setup.py" <(echo "$root $installed") | cksum
}

ready() {
  local now
  [[ -f $venv/.installed ]] && now=$(stamp) && [[ $now == "$(<"$venv/.installed")" ]]
}

install() {
  if [[ -e $venv/.installing ]] || ! recent "$(version_of "$venv/bin/python")"; then
    [[ -n ${python:-} ]] || find_python
    [[ ! -e $venv ]] || echo "$venv is half made or broken: making it again" >&2
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
      fail "$python has no venv module: install python$version-venv (Debian, Ubuntu: apt install python$version-venv)"
    rm -rf -- "$venv-broken"
    [[ ! -e $venv ]] || mv -- "$venv" "$venv-broken"
    rm -rf -- "$venv-broken"
    mkdir -- "$venv"
    touch -- "$venv/.installing"
    "$python" -m venv "$venv"
  fi
  echo "Installing into $venv (a few minutes, once)" >&2
  touch -- "$venv/.installing"
  rm -f -- "$venv/.installed"
  PIP_USER=0 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "${root}[test]" ||
    fail "the install failed, see above; the same command tries again"
  stamp >"$venv/.stamp"
  rm -f -- "$venv/.installing"
  mv -- "$venv/.stamp" "$venv/.installed"
}

setup() {
  choose_venv
  if ready; then return; fi
  mkdir -p -- "$root/.cache"
  exec 9>"$root/.cache/install.lock"
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    echo "Waiting for another launch that is installing" >&2
    flock 9
  fi
  if ! ready; then install; fi # not `ready || install`: that would ignore failures inside
  exec 9>&-
}

given() { # is this flag among the arguments?
  local flag=$1 argument
  shift
  for argument; do
    [[ $argument =~ ^--?$flag(=|$) ]] && return
  done
  return 1
}

value() { # of a flag that is among the arguments
  local flag=$1 argument found=''
  shift
  while (($#)); do
    argument=$1
    shift
    case $argument in
      -"$flag"=* | --"$flag"=*) found=${argument#*=} ;;
      -"$flag" | --"$flag") found=${1:-} ;;
      *) ;;
    esac
  done
  echo "$found"
}

run() { # MODE FLAGS...
  local mode=$1
  shift
  given config "$@" || set -- --config="$root/configs/digits.py" "$@"
  given workdir "$@" || set -- --workdir="$root/runs/digits" "$@"
  PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} "$venv/bin/python" -m score_sde.main --mode="$mode" "$@"
}

main_job() {
  local workdir=$root/runs/digits
  run train "$@"
  run sample "$@"
  run eval "$@"
  ! given workdir "$@" || workdir=$(value workdir "$@")
  cat <<TEXT

Done. Everything is in $workdir:
  pictures   sample/grid.png, samples/step_*.png
  numbers    eval/results.json, metrics.csv, tensorboard/
  samples    sample/samples.npz
TEXT
}

tests() {
  local cores
  cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
  cd -- "$root"
  "$venv/bin/python" -m ruff check .
  "$venv/bin/python" -m ruff format --check .
  "$venv/bin/python" -m mypy
  "$venv/bin/python" -m pytest -n "$((cores < 4 ? cores : 4))" --dist loadfile "$@"
}

case ${1:-} in
  help | -h | --help) usage ;;
  train | eval | sample)
    setup
    run "$@"
    ;;
  setup) setup ;;
  test)
    setup
    tests "${@:2}"
    ;;
  '' | -*)
    setup
    main_job "$@"
    ;;
  *) fail "unknown command $1: expected train, eval, sample, test or setup; see ./launch.sh help" ;;
esac
