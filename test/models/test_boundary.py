"""The f32 executable computes what ONNX Runtime computes on the same ONNX file: logits, and greedy text."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import pytest
from protocol import scoredIds

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
def test_greedy_text(model, compiled, stories):
    """Ten prompts, 200 tokens each: the same ids, and the text that sentencepiece makes of them."""
    binary, tokenizer = compiled(model, "f32"), model.tokenizer
    for prompt, (ids, want) in zip(model.prompts, stories(model)):
        assert binary.greedy(ids, model.newTokens) == want
        done = binary.run(prompt, "-n", model.newTokens, "--temperature", 0)
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().rstrip("\n") == tokenizer.decode(want[1:]).rstrip("\n")
