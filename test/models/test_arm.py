"""Executables for 64-bit ARM, run on processors that qemu emulates: the same functions as everywhere, by instructions of their own."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import dataclasses
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from contract import compare
from protocol import Binary, OnnxRuntime, Quality, logSoftmax
from synthetic import TINY
from test_shapes import sequences

from halftone.export.checkpoint import Checkpoint

# A target, and a processor that qemu emulates which has it and no more of what kernels ask for.
PROCESSORS = {"cortex-a72": "cortex-a72", "armv8.2-a+dotprod": "neoverse-n1", "neoverse-n1": "neoverse-n1", "neoverse-v2": "max"}
FORMATS = ["int8-g32", "int8-g32-asym", "int4-g32", "int4-g32-asym", "int3-g32", "int3-g32-asym", "int2-g32-asym"]


@pytest.fixture(scope="module")
def emulator(halftone):
    found = shutil.which("qemu-aarch64")
    if not found:
        pytest.skip("no qemu-aarch64; scripts/setup.sh --tests installs it")
    return found


@pytest.fixture(scope="module")
def emulated(compiled, emulator):
    """emulated(model, format, target, *options): the executable, under the processor of PROCESSORS or that of its own."""

    def make(model, format, target, *options, cpu=None):
        path = compiled(model, format, f"--target={target}", *options).path
        return Binary(path, (emulator, "-cpu", cpu or PROCESSORS[target]))

    return make


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("target", PROCESSORS)
def test_every_format_is_the_contract(target, format, tiny, emulated, tmp_path):
    """Bound as in test_shapes.py."""
    binary = emulated(tiny, format, target)
    assert compare(Checkpoint(tiny.checkpoint), format, binary, sequences(tiny)[:3], tmp_path)[0] <= 4e-5


@pytest.mark.parametrize("format", ["f16", "bf16", "int8-row", "int4-g128", "nf4-g64", "iq4nl-g32"])
@pytest.mark.parametrize("target", PROCESSORS)
def test_others_are_as_on_this_processor(target, format, tiny, compiled, emulated, tmp_path):
    """Formats whose activations are not those of the contract in numpy. Few processors have an instruction for bf16."""
    binary, here = emulated(tiny, format, target, "--allow-fallback=*"), compiled(tiny, format, "--allow-fallback=*")
    quality = Quality()
    for ids in sequences(tiny)[:3]:
        quality.add(logSoftmax(here.logits(ids[:-1], tmp_path)), logSoftmax(binary.logits(ids[:-1], tmp_path)), ids)
    assert quality.meanDivergence <= 4e-5


@pytest.mark.parametrize("target", ["cortex-a72", "neoverse-v2"])
def test_f32_is_onnxruntime(target, tiny, emulated, tmp_path):
    """Bound as in test_shapes.py."""
    binary, oracle = emulated(tiny, "f32", target), OnnxRuntime(tiny.onnx)
    for ids in sequences(tiny)[:3]:
        assert np.abs(binary.logits(ids[:-1], tmp_path) - oracle.logits(ids[:-1])).max() <= 2e-5


def test_caches_and_threads(tiny, emulated, tmp_path):
    for cache in ("f32", "f16", "int8", "int4"):
        binary = emulated(tiny, "int4-g32", "neoverse-n1", f"--kv-format={cache}")
        ids = sequences(tiny)[2]
        results = [binary.logits(ids, tmp_path, "--threads", threads) for threads in (1, 2, 4)]
        assert all(np.array_equal(results[0], other) for other in results[1:])


def test_the_first_of_several_that_the_processor_has(tiny, emulated, tmp_path):
    several = "neoverse-v2,neoverse-n1,cortex-a72"
    ids = sequences(tiny)[2]
    for target in ("neoverse-n1", "cortex-a72"):
        among = emulated(tiny, "int8-g32", several, cpu=target).logits(ids, tmp_path)
        assert np.array_equal(among, emulated(tiny, "int8-g32", target).logits(ids, tmp_path))


def test_what_the_processor_lacks_is_said(tiny, emulated):
    done = emulated(tiny, "int4-g32", "neoverse-n1", cpu="cortex-a72").run("--tokens", "1", "-n", 1)
    assert done.returncode == 1 and b"asimddp" in done.stderr, done.stderr


def test_info_names_the_instructions(tiny, emulated):
    info = json.loads(emulated(tiny, "int8-g32", "armv8.2-a+dotprod").run("--info").stdout)
    assert info["triple"] == "aarch64-unknown-linux-gnu"
    assert {dot for kernel in info["kernels"] for dot in kernel[-1] if "dot" in dot} == {"sdot.less"}


def test_a_library(tiny, halftone, emulator, tmp_path):
    compiler = shutil.which("clang-22")
    if not compiler:
        pytest.skip("no clang-22")
    done = halftone("compile", tiny.onnx, "--target=cortex-a72", "--emit=lib", "-o", tmp_path / "libtiny.a")
    assert done.returncode == 0, done.stderr
    (tmp_path / "main.c").write_text("""
        #include "libtiny.h"
        int main(void) {
          struct halftone_session *session;
          if (halftone_create(&tiny, 0, &session, 0))
            return 1;
          const int64_t tokens[] = {1, 2, 3};
          const int status = halftone_prefill(session, tokens, 3, 0);
          const int64_t length = halftone_length(session);
          halftone_free(session);
          return status || length != 3;
        }""")
    subprocess.run([compiler, "--target=aarch64-linux-gnu", "-fuse-ld=lld", "-static", "-pthread", "main.c", "libtiny.a", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([emulator, "-cpu", "cortex-a72", tmp_path / "main"]).returncode == 0


@pytest.mark.parametrize("target,message", [
    ("x86-64-v3,cortex-a72", "'x86-64-v3' and 'cortex-a72' are not of one family of processors"),
    ("armv8.2-a+avx2", "feature '+avx2' is not one that LLVM knows for aarch64"),
    ("cortex-z9", "processor 'cortex-z9' is not one that LLVM knows for x86_64 or aarch64"),
])
def test_targets_that_are_none(target, message, tiny, halftone, tmp_path):
    done = halftone("compile", tiny.onnx, f"--target={target}", "-o", tmp_path / "out")
    assert done.returncode == 1 and f"--target: {message}" in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())


# Executed instructions per 32 weights of a matrix times a vector, the loop over blocks alone: the bounds of 64-bit ARM (decisions/0019).
MOST = {"int8-g32": 5.7, "int4-g32": 7.0, "int4-g32-asym": 7.2, "int2-g32": 7.5, "int3-g32": 13.0}


@pytest.fixture(scope="module")
def wide(synthetic):
    """Rows that fill tiles and columns that fill blocks."""
    return synthetic("wide", dataclasses.replace(TINY, dim=256, hidden=512))


def loops(assembly):
    """The innermost loops, as lists of instructions."""
    starts, found = {}, []
    lines = assembly.splitlines()
    for i, line in enumerate(lines):
        if label := re.match(r"(\.LBB\w+):", line):
            starts[label[1]] = i
        branch = re.match(r"\t(?:b\.\w+|cbn?z\s+\w+,)\s+(\.LBB\w+)", line)
        if branch and branch[1] in starts:
            body = lines[starts[branch[1]] + 1 : i + 1]
            if not any(line.startswith(".LBB") for line in body):
                found.append([line.strip() for line in body if line.startswith("\t") and not line.startswith("\t.")])
    return found


@pytest.mark.parametrize("format", MOST)
@pytest.mark.parametrize("target", ["neoverse-n1", "neoverse-v2"])
def test_the_loop_over_blocks_is_tight(target, format, wide, halftone):
    """16 rows times 32 columns take 32 sdot; nothing is spilled and nothing loaded but whole registers and scales."""
    done = halftone("compile", wide.onnx, f"--format={format}", f"--target={target}", "--emit=asm")
    assert done.returncode == 0, done.stderr
    blocks = [loop for loop in loops(done.stdout) if sum(line.startswith("sdot") for line in loop) == 32]
    assert blocks
    for loop in blocks:
        assert len(loop) / 16 <= MOST[format]
        assert not any(re.match(r"st[rp]\s", line) for line in loop)
