#!/usr/bin/env python3
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of docs/encoders.md: how close the sentence embeddings of MiniLM stay when `halftone quantize` has been at it.

usage: test/bench/embeddings.py [--rows ROW;ROW] [--inputs FILE] [--output PAGE]      a row: FORMAT [OPTION ...]"""
import sys
import tempfile
from pathlib import Path

import numpy as np
from tables import ROOT, parser, publish, run, table

sys.path.append(str(ROOT / "test" / "python"))
from minilm import WordPiece, calibrationInputs, cosines, embeddings, judgedSentences  # noqa: E402

HEADING = ["format", "options", "style", "MB", "mean", "worst", "mean, optimized", "worst, optimized"]
GPTQ = "--method=gptq"
BEST = f"{GPTQ} --grid-search --act-order"
ROWS = ";".join(
    ["int8-row --method=rtn", f"int8-row {GPTQ}", "int4-g32 --method=rtn", f"int4-g32 {GPTQ}", f"int4-g32 {GPTQ} --grid-search",
     f"int4-g32-asym {BEST}", f"int4-g128 {BEST}"])  # fmt: skip
STYLES = ("matmulnbits", "qdq")


def row(model, tokens, expected, options, words, style, output):
    data = [f"--calibrate={options.inputs}"] if GPTQ in words else []
    run(options.halftone, "quantize", model, f"--format={words[0]}", *words[1:], *data, f"--onnx-style={style}", "-o", output)
    found = [cosines(embeddings(output, tokens, isOptimized), expected) for isOptimized in (False, True)]
    figures = [f"{figure:.4f}" for one in found for figure in (one.mean(), one.min())]
    return [words[0], f"`{' '.join(words[1:])}`", style, f"{output.stat().st_size / 1e6:.1f}", *figures]


def main():
    arguments = parser(__doc__, "encoders.md")
    arguments.add_argument("--rows", default=ROWS, help="default: %(default)s")
    arguments.add_argument("--inputs", type=Path, help="where the arrays for --calibrate are kept")
    arguments.add_argument("--texts", type=Path, default=ROOT.parent / "shared" / "data" / "text")
    arguments.set_defaults(model=ROOT / "demo" / "minilm.onnx", tokenizer=ROOT / "demo" / "minilm.vocab.txt")
    options = arguments.parse_args()
    tokenizer = WordPiece(options.tokenizer)
    tokens = [tokenizer.encode(sentence) for sentence in judgedSentences(options.texts)]
    expected = embeddings(options.model, tokens)
    with tempfile.TemporaryDirectory() as folder:
        options.inputs = options.inputs or Path(folder) / "inputs.npz"
        np.savez(options.inputs, **calibrationInputs(tokenizer, options.texts))
        rows = [row(options.model, tokens, expected, options, words.split(), style, Path(folder) / "quantized.onnx")
                for words in options.rows.split(";") for style in STYLES]  # fmt: skip
    about = f"{options.model.name}, {options.model.stat().st_size / 1e6:.1f} MB, on {len(tokens)} sentences.\n\n"
    publish(about + table(HEADING, rows), options.output)


if __name__ == "__main__":
    main()
