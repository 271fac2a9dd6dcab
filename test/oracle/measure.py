#!/usr/bin/env python3
"""What a method costs a llama2.c model, by the numpy oracle alone: KL against f32 and perplexity, as one line of JSON.

usage: test/oracle/measure.py FORMAT METHOD [--search] [--order falling] [--aimed] ...
METHOD: rtn, imatrix, gptq, awq or awq,gptq. Without --f32 embedding and head are int8-g32 and activations int8 per block of 32."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("python", "test/models")]

import awq
import llama
from calibrate import quantizeModel
from evaluate import evaluate
from gptq import gptq
from grids import Format
from protocol import Tokenizer, documents, scoredIds
from rtn import rtn
from search import searched

from halftone.export.checkpoint import Checkpoint

TEXT = ROOT.parent / "shared" / "data" / "text"
VOCABULARY_FORMAT = Format.parse("int8-g32")


def quantized(model, sequences, options):
    """The model with its linears quantized by the method that the options name."""
    format, last = Format.parse(options.format), options.method.split(",")[-1]
    grid = searched(format) if options.search or last == "imatrix" else None
    if "awq" in options.method:
        model = scaled(model, sequences, format, options.clip)

    def quantize(name, weights, hessian):
        if last == "gptq":
            return gptq(format, weights, hessian, options.damp, options.order, grid).decode()
        return rtn(format, weights, grid, np.diag(hessian) if last == "imatrix" else None).decode()

    return quantizeModel(model, sequences, quantize, aimed=options.aimed, sequential=last == "gptq")


def scaled(model, sequences, format, clip):
    """The model in f32 with AWQ's scales folded, and its weights clipped; from every third sequence, as the search is long."""
    model, sequences = model.copy(), sequences[::3]
    x, lengths = model.embedding[np.concatenate(sequences)], [len(s) for s in sequences]
    for layer in model.layers:
        awq.scaleBlock(model, layer, x, lengths, format)
        inputs = {}
        x = llama.runBlock(model, layer, x, lengths, before=lambda names, x, residual: inputs.update(dict.fromkeys(names, x)))
        for name in set(llama.LINEARS) - set(awq.UNCLIPPED) if clip else ():
            layer[name] = awq.clip(format, layer[name], inputs[name])
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format")
    parser.add_argument("method", choices=["rtn", "imatrix", "gptq", "awq", "awq,gptq"])
    parser.add_argument("--search", action="store_true", help="search grids instead of taking the extremes'")
    parser.add_argument("--order", choices=["columns", "falling", "blocks"], default="columns")
    parser.add_argument("--damp", type=float, default=0.01)
    parser.add_argument("--aimed", action="store_true", help="aim at what the f32 model computes")
    parser.add_argument("--clip", action="store_true", help="AWQ's clipping")
    parser.add_argument("--f32", action="store_true", help="activations, embedding and head in f32")
    parser.add_argument("--model", type=Path, default=ROOT / "demo" / "stories15M.bin")
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "demo" / "tokenizer.model")
    parser.add_argument("--calibrate", type=Path, default=TEXT / "tinystories.calib.txt")
    parser.add_argument("--text", type=Path, default=TEXT / "tinystories.test.txt")
    options = parser.parse_args()

    tokenizer, reference = Tokenizer(options.tokenizer), llama.Model.of(Checkpoint(options.model))
    calibration, test = ([scoredIds(tokenizer, text) for text in documents(path)] for path in (options.calibrate, options.text))
    model = quantized(reference, [ids[:-1] for ids in calibration], options)
    if not options.f32:
        model.embedding = model.head = rtn(VOCABULARY_FORMAT, model.embedding).decode()
    quality = evaluate(reference, model, test, llama.exact if options.f32 else llama.int8)
    print(json.dumps({"format": options.format, "method": options.method, "tokens": quality.tokens,
                      "mean_kl_divergence": quality.meanDivergence, "perplexity": quality.perplexity}))  # fmt: skip


if __name__ == "__main__":
    main()
