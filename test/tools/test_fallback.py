"""What would be computed worse than was asked for is an error, unless --allow-fallback names it."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BF16 = ("--format=bf16", "--target=x86-64-v3")  # whose family has instructions for bf16, which this member lacks
REASON = "bf16 by portable arithmetic, for want of avx512bf16"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fallback")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    return path


@pytest.fixture(scope="module")
def compileTiny(tool, folder):
    def call(*options):
        return subprocess.run([tool, "compile", "tiny.onnx", *options], cwd=folder, capture_output=True, text=True, timeout=600)

    return call


def test_slower_arithmetic_is_refused(compileTiny, folder):
    done = compileTiny(*BF16, "-o", "refused")
    assert done.returncode == 1
    assert "weights fall back, which --allow-fallback=GLOB allows:\n  model.layers.0.self_attn.q_proj.weight: " + REASON in done.stderr
    assert not [name for name in os.listdir(folder) if name.startswith("refused")]


@pytest.mark.parametrize("globs,allowed", [("*", True), ("model.*,*", True), ("*.layers.*", False)])
def test_named_ones_are_allowed(compileTiny, folder, globs, allowed):
    done = compileTiny(*BF16, f"--allow-fallback={globs}", "-o", "named", "--report=named.json")
    assert (done.returncode == 0) == allowed, done.stderr
    if not allowed:  # the embedding, which is the head too, is none of the layers'
        return
    report = json.loads((folder / "named.json").read_text())
    assert {t["fallback"] for t in report["tensors"] if t["kernel"]} == {REASON}
    info = json.loads(subprocess.run([folder / "named", "--info"], capture_output=True, check=True).stdout)
    assert set(info["fallbacks"]) == {t["name"] for t in report["tensors"] if t["kernel"]}


def test_what_falls_not_back_is_not_named(compileTiny):
    done = compileTiny("--format=int4-g16", "--target=x86-64-v3", "--allow-fallback=model.*", "-o", "none")
    assert done.returncode == 1 and "--allow-fallback: nothing falls back whose weight is called 'model.*'" in done.stderr


def test_every_processor_has_codes(compileTiny, folder):
    done = compileTiny("--format=int4-g16", "--target=x86-64", "--allow-fallback=*", "-o", "codes", "--report=codes.json")
    assert done.returncode == 0, done.stderr
    assert not any(tensor["fallback"] for tensor in json.loads((folder / "codes.json").read_text())["tensors"])


def test_loops_that_were_asked_for_are_no_error(compileTiny):
    done = compileTiny("--format=int4-g16", "--target=x86-64-v3", "--lower-reference", "-o", "loops")
    assert done.returncode == 0, done.stderr
