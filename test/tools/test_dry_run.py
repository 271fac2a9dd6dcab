"""halftone compile --dry-run: what it would cost and give, and that nothing is done."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import TINY

DATA = ("--method=gptq", "--calibrate=ids.npy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("dry")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    np.save(path / "ids.npy", np.random.default_rng(3).integers(0, TINY.vocabulary, (4, 16)))
    return path


def run(tool, folder, *options):
    done = subprocess.run([tool, "compile", *options], cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("options", [
    ("--format=int4-g16-asym",), ("--format=f16",), ("--format=int3-g16", "--untie", "--head-format=int4-g32"),
    ("--format=int4-g16", "--formats=*down_proj*=int8-g16"), ("--format=int4-g16", "--fold-norm-scale"),
])
def test_size_is_that_of_the_weights(tool, folder, options):
    said = run(tool, folder, "tiny.onnx", *options, "--dry-run")
    run(tool, folder, "tiny.onnx", *options, "--report=real.json", "-o", "real")
    totals = json.loads((folder / "real.json").read_text())["totals"]
    found = re.search(r"^weights +(\S+) MB, (\S+) bits per weight", said, re.M)
    assert float(found.group(2)) == pytest.approx(totals["all"]["bits"], abs=0.0006)
    assert float(found.group(1)) == pytest.approx(totals["all"]["bytes"] / 1e6, abs=0.06)


def test_calibration(tool, folder):
    said = run(tool, folder, "tiny.onnx", *DATA, "--dry-run", "-o", "none")
    assert "4 sequences, 64 tokens" in said
    assert re.search(r"^peak memory +\S+ MB at model.layers.\d.*: weights of its block .*, Hessian .*, work .*, activations ", said, re.M)
    assert re.search(r"^time +\S+ s: .* Tflop for the model, Hessians and the method, at \d+ Gflop/s here$", said, re.M)
    assert not [name for name in os.listdir(folder) if name.startswith("none")]


def test_the_model_s_own_text_is_counted_and_not_written(tool, folder):
    said = run(tool, folder, "tiny.onnx", "--method=gptq", "--calibrate=self", "--samples=7", "--dry-run", "-o", "none")
    assert f"7 sequences, {7 * TINY.context} tokens" in said
    assert not [name for name in os.listdir(folder) if name.startswith("none")]


def test_errors_are_those_of_the_real_run(tool, folder):
    done = subprocess.run([tool, "compile", "tiny.onnx", "--formats=absent=int4-g32", "--dry-run"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and "no weight of a linear or embedding is called 'absent'" in done.stderr
