"""`halftone compile --rotate`: the same model in other weights, which any method can quantize."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import subprocess

import numpy as np
import pytest
from llama_numpy import forward
from protocol import Binary

from halftone.export.checkpoint import Checkpoint


@pytest.mark.parametrize("model", ["tiny", "stories15M"], indirect=True)
def test_same_function(halftone, model, tmp_path):
    """In f32, against the exact logits. A rotated weight has been rounded three times more (scale, columns, rows), while the sums that
    it goes into are as long as before and so are their roundings: the errors are of one size. 4 is for their being random."""
    ids = np.array(model.tokenizer.encode(model.prompts[0]))
    exact = forward(Checkpoint(model.checkpoint), ids)
    errors = {}
    for name, options in {"plain": (), "rotated": ("--rotate",)}.items():
        done = halftone("compile", model.onnx, f"--tokenizer={model.tokenizerPath}", "--format=f32", *options, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        errors[name] = np.abs(Binary(tmp_path / name).logits(ids, tmp_path) - exact).max()
    info = json.loads(subprocess.run([tmp_path / "rotated", "--info"], capture_output=True, text=True).stdout)
    assert info["options"]["rotate"] == "true"
    config = Checkpoint(model.checkpoint).config
    done = halftone("compile", model.onnx, "--rotate", "--stop-after=prepare")
    for size in (config.dim, config.headDim):
        assert f"size {size} seed 0" in done.stdout
    assert 0 < errors["rotated"] <= 4 * errors["plain"], errors


@pytest.mark.parametrize("method", ["gptq", "awq,gptq", "hqq"])
def test_any_method_follows(halftone, tiny, tmp_path, method):
    """The tiny model's weights are normally distributed, and so are they rotated: what quantizing does is of one size. A rotation that
    nothing makes up for, or that a method undoes in one place alone, makes logits of another model, with an error of 1."""
    np.save(tmp_path / "data.npy", np.random.default_rng(0).integers(3, 300, (20, 30)))
    ids = np.array([1, 70, 80, 90, 33, 21, 9])
    exact = forward(Checkpoint(tiny.checkpoint), ids)
    data = () if method == "hqq" else (f"--calibrate={tmp_path / 'data.npy'}",)
    errors = {}
    for name, options in {"plain": (), "rotated": ("--rotate",)}.items():
        done = halftone("compile", tiny.onnx, "--format=int8-g32", f"--method={method}", *data, *options, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        errors[name] = np.linalg.norm(Binary(tmp_path / name).logits(ids, tmp_path) - exact) / np.linalg.norm(exact)
    assert errors["rotated"] <= 1.5 * errors["plain"] < 0.1, errors
