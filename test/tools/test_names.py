"""What a file calls its tensors, and how large it says things are, changes no numbers and stops no program."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("names")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    return path / "tiny.onnx"


def logits(tool, model, folder):
    subprocess.run([tool, "compile", model, "-o", folder / "program"], check=True, capture_output=True)
    np.save(folder / "ids.npy", np.array([1, 5, 9, 2]))
    subprocess.run([folder / "program", "--logits", "ids.npy", "-o", "logits.npy"], cwd=folder, check=True, capture_output=True)
    return np.load(folder / "logits.npy")


def test_a_weight_that_is_called_like_the_turned_copy_of_another(tool, tiny, tmp_path):
    """Both are turned: the file has [inputs, outputs], linears want [outputs, inputs]."""
    model = onnx.load(tiny)
    old, new = (f"model.layers.{place}" for place in ("1.self_attn.o_proj.weight", "0.self_attn.o_proj.weight.transposed"))
    renamed = [tensor for tensor in model.graph.initializer if tensor.name == old]
    readers = [(node, i) for node in model.graph.node for i, name in enumerate(node.input) if name == old]
    assert len(renamed) == 1 and readers
    renamed[0].name = new
    for node, i in readers:
        node.input[i] = new
    onnx.save(model, tmp_path / "renamed.onnx")
    np.testing.assert_array_equal(logits(tool, tmp_path / "renamed.onnx", tmp_path), logits(tool, tiny, tmp_path))


def test_a_context_that_no_memory_holds(tool, tiny, tmp_path):
    done = subprocess.run([tool, "compile", tiny, f"--context={1 << 40}", "-o", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and os.listdir(tmp_path) == []
    assert "the angles of 1099511627776 positions are more than a table holds, which is 33554432 positions of 4 pairs" in done.stderr


def test_an_error_names_its_place_though_its_text_has_the_name(tool, tiny, tmp_path):
    """The input 'past' is also read by a sum."""
    model = onnx.load(tiny)
    old, logits = model.graph.input[3].name, model.graph.output[0].name
    assert old.startswith("past_key_values")
    for node in model.graph.node:
        node.input[:] = ["past" if name == old else name for name in node.input]
        node.output[:] = ["inner" if name == logits else name for name in node.output]
    model.graph.input[3].name = "past"
    model.graph.node.extend([helper.make_node("ReduceSum", ["past"], ["sum"], keepdims=0), helper.make_node("Add", ["inner", "sum"], [logits])])
    onnx.save(model, tmp_path / "odd.onnx")
    done = subprocess.run([tool, "compile", "odd.onnx", "-o", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "error: odd.onnx: 'past': past keys or values are read by something that is no attention" in done.stderr
