#!/usr/bin/env python3
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of docs/quality.md: what each number format loses, by `halftone eval` on one text.

usage: test/bench/quality.py [--formats f32,int4-g32] [--text FILE] [--output PAGE]"""
import json
import tempfile
from pathlib import Path

from tables import ROOT, compileAll, parser, publish, run, table

HEADING = ["format", "bits per weight", "weights, MB", "perplexity", "mean KL", "99.9 % KL", "same top token"]


def row(name, found):
    divergence = [f"{found.get(key, 0):.5f}" for key in ("mean_kl_divergence", "kl_divergence_99.9_percentile")]
    return [name, f"{found['bits_per_weight']:.2f}", f"{found['weight_bytes'] / 1e6:.1f}", f"{found['perplexity']:.4f}", *divergence,
            f"{100 * found.get('same_top_share', 1):.1f} %"]


def evaluate(options, executables):
    against = [f"--against={path}" for path in executables.values()]
    found = run(options.halftone, "eval", options.model, f"--tokenizer={options.tokenizer}", f"--text={options.text}",
                f"--documents={options.documents}", "--json", *against)
    return json.loads(found)


def main():
    arguments = parser(__doc__, "quality.md")
    arguments.add_argument("--text", type=Path, default=ROOT.parent / "shared" / "data" / "text" / "tinystories.test.txt")
    arguments.add_argument("--documents", default="<|endoftext|>", help="what separates the documents; default: %(default)s")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        executables = compileAll(options, folder)
        found = evaluate(options, executables)
    rows = [row(name, figures) for name, figures in zip(executables, found["against"])]
    about = (f"{options.model.name} on {options.text.name}: {found['tokens']} scored tokens of {found['documents']} documents. "
             f"The reference's perplexity is {found['reference']['perplexity']:.4f}.\n\n")
    publish(about + table(HEADING, rows), options.output)


if __name__ == "__main__":
    main()
