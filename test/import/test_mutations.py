"""Graphs changed at random: each is refused in one error, or imported as what onnxruntime says it computes. Never a crash, never another function."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import random

import numpy as np
import onnx
import onnxruntime
import pytest
from imported_numpy import Module
from onnx import numpy_helper

COUNT = 60
# Operators of the same inputs, so that most changed graphs are still graphs.
OTHERS = {
    "Add": ["Sub", "Mul"], "Sub": ["Add"], "Mul": ["Add", "Div"], "Div": ["Mul"], "Cos": ["Sin"], "Sin": ["Cos"], "And": ["Or"],
    "LessOrEqual": ["Less", "GreaterOrEqual", "Equal"], "Sqrt": ["Reciprocal", "Neg"], "Reciprocal": ["Neg"], "Neg": ["Abs", "Sqrt"],
    "Sigmoid": ["Tanh", "Neg"], "ReduceMean": ["ReduceSum", "ReduceMax"],
}  # fmt: skip


def swapOperator(graph, rng):
    node = rng.choice([node for node in graph.node if node.op_type in OTHERS])
    node.op_type = rng.choice(OTHERS[node.op_type])


def swapInputs(graph, rng):
    node = rng.choice([node for node in graph.node if len(node.input) > 1])
    i, j = rng.sample(range(len(node.input)), 2)
    node.input[i], node.input[j] = node.input[j], node.input[i]


def changeConstant(graph, rng):
    tensors = [node.attribute[0].t for node in graph.node if node.op_type == "Constant"] + list(graph.initializer)
    tensor = rng.choice([tensor for tensor in tensors if 0 < np.prod(tensor.dims) < 50])
    array = numpy_helper.to_array(tensor).copy()
    i = rng.randrange(array.size)
    old = array.reshape(-1)[i]
    choices = [0, -old, 1, -1, old / 2] if array.dtype.kind == "f" else [not old] if array.dtype == bool else [0, 1, 2, 3, 4, 16, -1, -2]
    array.reshape(-1)[i] = rng.choice(choices)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def rewire(graph, rng):
    place = rng.randrange(1, len(graph.node))
    node, before = graph.node[place], [name for node in list(graph.node)[:place] for name in node.output]
    if node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(before[-60:])


def changeParameter(graph, rng):
    kinds = (onnx.AttributeProto.INT, onnx.AttributeProto.INTS, onnx.AttributeProto.FLOAT)
    parameter = rng.choice([a for node in graph.node if node.op_type != "Cast" for a in node.attribute if a.type in kinds])
    if parameter.type == onnx.AttributeProto.INT:
        parameter.i = rng.choice([0, 1, 2, 3, -1, -2])
    elif parameter.type == onnx.AttributeProto.FLOAT:
        parameter.f = rng.choice([0, 1, -parameter.f, parameter.f / 2])
    else:
        mixed = rng.sample(list(parameter.ints), len(parameter.ints))
        del parameter.ints[:]
        parameter.ints.extend(mixed)


def dropInput(graph, rng):
    """An optional input that is not given, or one that has to be."""
    node = rng.choice([node for node in graph.node if node.input])
    node.input[rng.randrange(len(node.input))] = ""


CHANGES = (swapOperator, swapInputs, changeConstant, changeConstant, rewire, changeParameter, dropInput)


def expected(path, inputs):
    """Logits of the first sequence; nothing when onnxruntime refuses the graph."""
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run(["logits"], {value.name: inputs[value.name][:1] for value in session.get_inputs()})[0][0]
    except Exception:  # onnxruntime's exceptions have no common base of their own
        return None


@pytest.mark.parametrize("name", ("llama-optimum", "llama-torchscript", "llama-genai-fp32", "llama-hf-ortcpu-decode"))
def test_changed_graphs(qopt, sharedData, tmp_path, name):
    onnxruntime.set_default_logger_severity(4)
    original = onnx.load(sharedData / "onnx" / name / "model.onnx")
    with np.load(sharedData / "onnx" / name / "inputs.npz") as file:
        inputs = dict(file)
    rng, path, work = random.Random(name), tmp_path / "model.onnx", tmp_path / "work"
    same = 0
    for attempt in range(COUNT):
        model = onnx.ModelProto()
        model.CopyFrom(original)
        change = rng.choice(CHANGES)
        change(model.graph, rng)
        onnx.save(model, path)
        what = f"{name}, attempt {attempt}: {change.__name__}"
        done = qopt(f"--pass-pipeline=builtin.module(import{{file={path} work={work}}})", "--mlir-print-op-generic", input="")
        if done.returncode:
            assert done.returncode == 1 and done.stderr.count("error:") == 1, f"{what}: {done.returncode}: {done.stderr}"
            continue
        logits = expected(path, inputs)
        if logits is None:
            continue  # not a graph any more; some of what onnxruntime rejects is harmless here
        # Divisions by small activations magnify rounding: the bound is relative to what a layer's activations reach.
        np.testing.assert_allclose(Module(done.stdout).forward(inputs["input_ids"][0]), logits, rtol=1e-2, atol=1e-2, err_msg=what)
        same += 1
    assert same > COUNT // 10  # harmless changes must not all be refused
