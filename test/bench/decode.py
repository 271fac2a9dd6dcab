#!/usr/bin/env python3
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decode speed of compiled models as a fraction of what this machine reads, both measured in turn in one run.

usage: decode.py [--threads 1,2] [--tokens 200] [--runs 7] BINARY...

For each binary and number of threads: tokens per second (median, least and greatest of the runs), the bytes of weights that a
token reads, and their rate against two limits probed before every run: reading as many bytes again and again (they may fit a
cache), and reading 1 GiB."""
import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def buildProbe(folder):
    probe = Path(folder) / "bandwidth"
    subprocess.run(["clang-22", "-O3", "-march=native", "-pthread", HERE / "bandwidth.c", "-o", probe], check=True)
    return probe


def tokensPerSecond(binary, threads, tokens):
    done = subprocess.run([binary, "Once upon a time", "-n", str(tokens), "--temperature", "0", "--threads", str(threads)],
                          capture_output=True, text=True, check=True)
    return float(re.search(r"tokens at ([0-9.]+) tokens/s", done.stderr).group(1))


def measure(probe, binary, threads, tokens, runs):
    info = json.loads(subprocess.run([binary, "--info"], capture_output=True, text=True, check=True).stdout)
    size = info["decode_bytes"] if "decode_bytes" in info else info["weight_bytes"]
    speed, near, far = [], [], []
    for _ in range(runs):
        near.append(float(subprocess.check_output([probe, str(size), str(threads)])))
        far.append(float(subprocess.check_output([probe, str(1 << 30), str(threads)])))
        speed.append(tokensPerSecond(binary, threads, tokens))
    middle = statistics.median(speed)
    rate = middle * size
    print(f"| {info['format']} | {threads} | {middle:.0f} ({min(speed):.0f} to {max(speed):.0f}) | {size} | {rate / 1e9:.1f} | "
          f"{rate / statistics.median(near):.2f} of {statistics.median(near) / 1e9:.1f} | "
          f"{rate / statistics.median(far):.2f} of {statistics.median(far) / 1e9:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("binary", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        probe = buildProbe(folder)
        print("| format | threads | tokens/s (least to greatest) | bytes a token | GB/s | of reading as many bytes, GB/s | of reading 1 GiB, GB/s |")
        print("|---|---|---|---|---|---|---|")
        for binary in options.binary:
            for threads in map(int, options.threads.split(",")):
                measure(probe, str(Path(binary).resolve()), threads, options.tokens, options.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
