#!/usr/bin/env bash
# From a fresh checkout to a story: installs what is missing, builds the compiler, gets stories15M, exports it to ONNX, compiles it
# to one static 4-bit executable, demo/stories, and runs it.
# usage: scripts/demo.sh [arguments for demo/stories]
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh

# Everything but the story goes to stderr, so that the demo's stdout is the story.
{
  scripts/setup.sh
  echo "demo: building (the first time takes some minutes)"
  cmake --preset release | tail -n 1
  ninja -C build -j "$(nproc)" halftone
  scripts/get_stories15M.sh
  build/bin/halftone compile demo/stories15M.onnx --tokenizer=demo/tokenizer.model --format=int4-g32 -o demo/stories
} >&2
[ $# -gt 0 ] || set -- "Once upon a time" -n 200 --temperature 0.8 --top-p 0.9 --seed 7
exec demo/stories "$@"
