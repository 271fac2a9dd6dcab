#!/usr/bin/env bash
# Installs what the tests need, builds, and runs every test: GoogleTest programs (release, then under the address and undefined
# behaviour sanitizers), lit, pytest. Ends with one line 'N passed, N failed', and with status 1 when anything failed, a build
# included, or a suite ran nothing.
# usage: scripts/test.sh
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh
results=$PWD/build/results
mkdir -p "$results" && rm -f "$results"/*

say() { echo "== $* ($((SECONDS / 60)) min)"; }

# step NAME COMMAND...: a step without tests of its own, such as a build. One that fails counts as one failed test, its log's end shown.
step() {
  local name=$1 log=$results/$1.log
  shift
  say "$name"
  "$@" >"$log" 2>&1 && return
  echo "$name failed:"
  tail -n 60 "$log"
  echo "$name" >>"$results/failed-steps"
  return 1
}

# suite NAME SECONDS COMMAND...: runs a suite that writes $results/NAME.xml (JUnit); its output is shown when it fails.
suite() {
  local name=$1 limit=$2 log=$results/$1.log
  shift 2
  echo "$name" >>"$results/suites"
  timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 && return
  echo "$name failed (status $?):"
  tail -n 80 "$log"
}

build() { cmake --preset "$1" && ninja -C "$2" -j "$(nproc)"; }

# gtests FOLDER PREFIX: every GoogleTest program of a build folder.
gtests() {
  local program
  for program in "$1"/unit/*; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    suite "$2-$(basename "$program")" 1500 "$program" --gtest_brief=1 "--gtest_output=xml:$results/$2-$(basename "$program").xml"
  done
  [ -n "$(ls -A "$1/unit" 2>/dev/null)" ] || echo "$2-unit" >>"$results/suites"  # no program at all: a suite that ran nothing
}

step setup scripts/setup.sh --tests
if step build-release build release build; then
  say "unit tests"
  gtests build unit
  say "lit"
  suite lit 1800 "$llvm/bin/lit" -sv --xunit-xml-output="$results/lit.xml" build/test
fi
if step build-sanitize build sanitize build-sanitize; then
  say "unit tests with sanitizers"
  gtests build-sanitize sanitize
fi
say "pytest"
suite pytest 3300 .venv/bin/python -m pytest -q -ra --durations=8 --junitxml="$results/pytest.xml" -p no:cacheprovider test
grep -h '^SKIPPED' "$results/pytest.log"
exec .venv/bin/python scripts/count_results.py "$results"
