"""What calibrating costs: python test/bench/calibration.py [--shape NAME] [--layers N] [--samples N] [--length N] [--runs N] [--folder DIR]

A random model of some blocks of a known shape is quantized by GPTQ on random tokens: what --dry-run says before, seconds of the quantize
stage and the peak of anonymous memory; medians, the least and the greatest in brackets. Then what --dry-run says of the whole shape.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from compiling import HALFTONE, compileModel, export

UNITS = {"MB": 1e6, "GB": 1e9, "s": 1, "min": 60, "h": 3600}


def dryRun(model, *options):
    """(what it says, peak in bytes, seconds)"""
    said = subprocess.run([HALFTONE, "compile", model, *options, "--dry-run"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    found = {name: float(value) * UNITS[unit] for name, value, unit in re.findall(r"^(peak memory|time) +(\S+) (\w+)", said, re.MULTILINE)}
    return said, found["peak memory"], found["time"]


def spread(values, unit):
    low, middle, high = (value / UNITS[unit] for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.2f} {unit} ({low:.2f}-{high:.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="TinyLlama-1.1B", help="a shape of halftone.export.random_llama (%(default)s)")
    parser.add_argument("--layers", type=int, default=2, help="blocks that are quantized (%(default)s)")
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--length", type=int, default=2048, help="tokens of a sample (%(default)s)")
    parser.add_argument("--format", default="int4-g128")
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where models are made and kept; a temporary one by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        some, whole, ids = folder / f"{options.shape}-{options.layers}.onnx", folder / f"{options.shape}.hollow.onnx", folder / "ids.npy"
        if not some.exists():
            export(some, f"--shape={options.shape}", f"--layers={options.layers}")
        export(whole, f"--shape={options.shape}", "--hollow")
        np.save(ids, np.random.default_rng(1).integers(0, 32000, (options.samples, options.length)))
        words = [f"--calibrate={ids}", "--method=gptq", f"--length={options.length}", f"--format={options.format}", f"--memory={options.memory}"]
        said, peak, seconds = dryRun(some, *words)
        print(f"{options.shape}, {options.layers} blocks, {options.samples} x {options.length} tokens, {options.format}, {options.memory}\n{said}")
        measured = [compileModel(some, folder / "out", *words) for _ in range(options.runs)]
        peaks, stages = [peak for _, _, peak in measured], [stages["quantize"] for _, stages, _ in measured]
        print(f"quantize     {spread(stages, 's')}, predicted {seconds / statistics.median(stages):.2f} of it\n"
              f"peak RssAnon {spread(peaks, 'GB')}, predicted {peak / statistics.median(peaks):.3f} of it\n")  # fmt: skip
        print(f"all blocks\n{dryRun(whole, *words)[0]}", end="")


if __name__ == "__main__":
    main()
