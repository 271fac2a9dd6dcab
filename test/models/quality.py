"""python test/models/quality.py EXECUTABLE... : a table of bits, perplexity and KL divergence by the protocol of protocol.py.

The reference is ONNX Runtime on demo/stories15M.onnx; scripts/demo.sh makes it. With options: another model, tokenizer or text.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import sys
import tempfile
from pathlib import Path

from protocol import Binary, OnnxRuntime, Quality, Tokenizer, documents, logSoftmax, scoredIds

ROOT = Path(__file__).resolve().parent.parent.parent


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("executables", nargs="*", help="what `halftone compile` emitted from the model; none: f32 alone")
    parser.add_argument("--model", default=ROOT / "demo" / "stories15M.onnx")
    parser.add_argument("--tokenizer", default=ROOT / "demo" / "tokenizer.model")
    parser.add_argument("--text", default=ROOT.parent / "shared" / "data" / "text" / "tinystories.test.txt")
    parser.add_argument("--documents", type=int, help="only the first so many")
    return parser.parse_args()


def main():
    options = _arguments()
    tokenizer, oracle = Tokenizer(options.tokenizer), OnnxRuntime(options.model)
    rows = {"f32 (ONNX Runtime)": Quality(), **{path: Quality() for path in options.executables}}
    texts = documents(options.text)[: options.documents]
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts, 1):
            print(f"document {number}/{len(texts)}", file=sys.stderr, end="\r")
            ids = scoredIds(tokenizer, text)
            reference = logSoftmax(oracle.logits(ids[:-1]))
            for path, quality in rows.items():
                model = logSoftmax(Binary(path).logits(ids[:-1], folder)) if path in options.executables else reference
                quality.add(reference, model, ids)
    print(f"{'model':40} {'bytes':>12} {'tokens':>7} {'perplexity':>10} {'mean KL':>9} {'same top':>8}")
    for path, q in rows.items():
        size = Path(path if path in options.executables else options.model).stat().st_size
        print(f"{path:40} {size:12} {q.tokens:7} {q.perplexity:10.3f} {q.meanDivergence:9.5f} {q.agreement:8.3f}")


if __name__ == "__main__":
    main()
