#!/usr/bin/env python3
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of docs/performance.md: how fast each number format decodes and reads prompts, by the executables' own --bench.

usage: test/bench/performance.py [--formats f32,int4-g32] [--threads 1,2] [--output PAGE]

The machine should have nothing else to do. Below the table stands what bandwidth.c, another program compiled for this very
processor, reads: the executables' probe has to keep up with it."""
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tables import ROOT, compileAll, parser, publish, run, table

HERE = Path(__file__).resolve().parent
HEADING = ["format", "threads", "decode, tokens/s (range)", "prefill, tokens/s (range)", "bytes a token", "decode, GB/s",
           "of reading memory, GB/s", "of reading so many bytes again and again, GB/s"]


def speed(found, name):
    least, greatest = found[f"{name}_range"]
    return f"{found[name]:.0f} ({least:.0f} to {greatest:.0f})"


def share(found, limit):
    return f"{100 * found['decode_bytes_per_second'] / found[limit]:.0f} % of {found[limit] / 1e9:.1f}"


def row(format, found):
    return [format, found["threads"], speed(found, "decode_tokens_per_second"), speed(found, "prefill_tokens_per_second"),
            found["bytes_per_token"], f"{found['decode_bytes_per_second'] / 1e9:.1f}", share(found, "bandwidth_bytes_per_second"),
            share(found, "reread_bytes_per_second")]


def commit():
    if not shutil.which("git"):
        return "unknown"
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip() or "unknown"


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "an unknown processor")


def yardstick(folder, threads):
    """GB/s that bandwidth.c reads of 1 GiB with each number of threads."""
    probe = Path(folder) / "bandwidth"
    subprocess.run(["clang-22", "-O3", "-march=native", "-pthread", HERE / "bandwidth.c", "-o", probe], check=True)
    return ", ".join(f"{float(run(probe, 1 << 30, count)) / 1e9:.1f} GB/s with {count}" for count in threads)


def main():
    arguments = parser(__doc__, "performance.md")
    arguments.add_argument("--threads", default="1,2", help="numbers between commas; default: %(default)s")
    options = arguments.parse_args()
    threads = options.threads.split(",")
    with tempfile.TemporaryDirectory() as folder:
        executables = compileAll(options, folder)
        rows = [row(format, json.loads(run(path, "--bench", "--json", "--threads", count)))
                for format, path in executables.items() for count in threads]
        about = f"{options.model.name} on {processor()}, commit {commit()}.\n\n"
        native = f"\nbandwidth.c, beside it, reads 1 GiB of memory at {yardstick(folder, threads)} threads.\n"
    publish(about + table(HEADING, rows) + native, options.output)


if __name__ == "__main__":
    main()
