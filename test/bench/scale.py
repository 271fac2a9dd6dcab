"""What depth and size cost the compiler: python test/bench/scale.py [--shape NAME] [--folder DIR] [--runs N]

Depth: random models of 6 and 48 equal layers, small enough that their weights take no time: seconds of import, seconds of everything after
it, bytes of machine code. Size: a random model of a known shape in f32 to int4-g32: seconds against those of copying its weights with cp, in
turn, and the peak of anonymous memory. Medians; the least and the greatest in brackets.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from compiling import compileModel, export

DEPTHS = (6, 48)
FORMAT = "--format=int4-g32"


def codeBytes(program):
    sections = subprocess.run(["/usr/lib/llvm-22/bin/llvm-size", "-A", program], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^\.text +(\d+)", sections, re.MULTILINE).group(1))


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def depth(folder, runs):
    rows = {}
    for layers in DEPTHS:
        model = folder / f"depth-{layers}.onnx"
        sizes = ["--hidden=64", "--heads=4", "--kv-heads=2", "--ffn=160", "--vocab=512", "--context=512"]
        export(model, f"--layers={layers}", *sizes)
        measured = [compileModel(model, folder / f"depth-{layers}", FORMAT)[1] for _ in range(runs)]
        after = [sum(seconds for name, seconds in stages.items() if name not in ("import", "total")) for stages in measured]
        rows[layers] = ([stages["import"] for stages in measured], after, codeBytes(folder / f"depth-{layers}"))
        print(f"{layers:3} layers: import {spread(rows[layers][0])} s, after it {spread(after)} s, .text {rows[layers][2]} bytes")
    few, many = (rows[layers] for layers in DEPTHS)
    ratio = lambda i: statistics.median(many[i]) / statistics.median(few[i])
    print(f"{DEPTHS[1]} against {DEPTHS[0]}: import {ratio(0):.2f}, after it {ratio(1):.2f}, .text {many[2] / few[2] - 1:+.2%}")


def size(folder, shape, runs):
    model = folder / f"{shape}.onnx"
    if not model.exists():
        export(model, f"--shape={shape}")
    weights = Path(f"{model}.data")
    copies, compiles, peaks = [], [], []
    for _ in range(runs):
        start = time.monotonic()
        subprocess.run(["cp", weights, folder / "copy"], check=True)
        copies.append(time.monotonic() - start)
        (folder / "copy").unlink()
        seconds, _, peak = compileModel(model, folder / shape, FORMAT)
        compiles.append(seconds)
        peaks.append(peak)
    ratios = [a / b for a, b in zip(compiles, copies)]
    print(f"{shape}, {weights.stat().st_size} bytes: cp {spread(copies)} s, compile {spread(compiles)} s, ratio {spread(ratios)}, "
          f"peak RssAnon {max(peaks) / 1e6:.0f} MB")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="TinyLlama-1.1B", help="a shape of halftone.export.random_llama (%(default)s)")
    parser.add_argument("--folder", type=Path, help="where models are made and kept; a temporary one by default")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        depth(folder, options.runs)
        size(folder, options.shape, options.runs)


if __name__ == "__main__":
    main()
