"""Operators that the exported models do not have but the importer takes: the executable computes what onnxruntime computes."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import onnx
import pytest
from protocol import Binary, OnnxRuntime, scoredIds


@pytest.mark.parametrize("operator", ["Erf", "Tanh"])
@pytest.mark.parametrize("lowering", [(), ("--lower-reference",)], ids=["kernels", "reference"])
def test_gate(operator, lowering, halftone, tiny, tmp_path):
    """Another function in the gate's place. Single precision carries 2^-24 of what a step sums: 2^-15 of the largest logit is 512
    roundings in a row, and a gate left as it was moves the logits by far more."""
    model, path = onnx.load(tiny.onnx), tmp_path / "model.onnx"
    for node in model.graph.node:
        if node.op_type == "Sigmoid":
            node.op_type = operator
    onnx.save(model, path)
    done = halftone("compile", path, f"--tokenizer={tiny.tokenizerPath}", "--format=f32", *lowering, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    ids = scoredIds(tiny.tokenizer, "ABBA C BA CAB ABBA")
    expected, without = OnnxRuntime(path).logits(ids), OnnxRuntime(tiny.onnx).logits(ids)
    bound = 2**-15 * np.abs(expected).max()
    assert np.abs(expected - without).max() > 1000 * bound
    np.testing.assert_allclose(Binary(tmp_path / "out").logits(ids, tmp_path), expected, rtol=0, atol=bound)
