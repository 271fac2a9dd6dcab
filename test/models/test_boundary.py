"""The f32 executable computes what ONNX Runtime computes on the same ONNX file: logits, and greedy text."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import dataclasses
import shutil
import subprocess
import sys

import numpy as np
import pytest
from protocol import OnnxRuntime, scoredIds

BOUND = 2e-4  # the project's own, for stories15M: logits reach 20, and 2e-4 is 170 units in the last place there
ALL = pytest.mark.parametrize("model", ["tiny", "stories260K", "stories15M"], indirect=True)
TRAINED = pytest.mark.parametrize("model", ["stories260K", "stories15M"], indirect=True)


def largestDifference(model, binary, oracle, folder):
    tokenizer = model.tokenizer
    differences = []
    for text in model.documents(10):
        ids = scoredIds(tokenizer, text)[: model.context]
        got, want = binary.logits(ids, folder), oracle.logits(ids)
        assert (got.dtype, got.shape) == (np.float32, want.shape)
        differences.append(np.abs(got - want).max())
    return max(differences)


@ALL
def test_logits(model, compiled, oracle, tmp_path):
    assert largestDifference(model, compiled(model, "f32"), oracle(model), tmp_path) <= BOUND


@TRAINED
def test_greedy_text(model, compiled, oracle):
    """Ten prompts, 200 tokens each: the same ids, and the text that sentencepiece makes of them."""
    binary, tokenizer = compiled(model, "f32"), model.tokenizer
    for prompt in model.prompts:
        ids = tokenizer.encode(prompt)
        want = ids + oracle(model).greedy(ids, model.newTokens)
        assert binary.greedy(ids, model.newTokens) == want
        done = binary.run(prompt, "-n", model.newTokens, "--temperature", 0)
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().rstrip("\n") == tokenizer.decode(want[1:]).rstrip("\n")


def rebuilt(sharedData, checkpoint, name, folder):
    """A stories15M graph of another exporter, its weights rebuilt into `folder` by the script beside it."""
    target = folder / name
    shutil.copytree(sharedData / "onnx" / name, target)
    target.chmod(0o755)
    script = sharedData / "onnx" / "rebuild_stories15M.py"
    subprocess.run([sys.executable, script, checkpoint, target], check=True, capture_output=True)
    return target / "model.onnx"


def test_optimum_graph(stories15M, sharedData, compiled, tmp_path):
    """The graph that optimum itself exported, tied weights stored twice."""
    onnx = rebuilt(sharedData, stories15M.checkpoint, "stories15M-optimum", tmp_path)
    model = dataclasses.replace(stories15M, name="stories15M-optimum", onnx=onnx)
    assert largestDifference(model, compiled(model, "f32"), OnnxRuntime(onnx), tmp_path) <= BOUND
