"""Operators that mean several others, in every form that onnxruntime runs: what is imported computes what it computes. What cannot be
imported is refused by the name of the parameter, input or output."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import onnx
import onnxruntime
import pytest
from imported_numpy import Module
from onnx import helper, numpy_helper

HEADS, KEY_HEADS, SIZE = 4, 2, 16  # of llama-genai-fp32
HIDDEN, KEY_HIDDEN, CONTEXT = HEADS * SIZE, KEY_HEADS * SIZE, 128


class Graph:
    """llama-genai-fp32, to be changed."""

    def __init__(self, folder):
        self.model = onnx.load(folder / "model.onnx")
        self.graph = self.model.graph

    def nodes(self, kind):
        return [node for node in self.graph.node if node.op_type == kind]

    def set(self, kind, **attributes):
        """Sets attributes of all nodes of that kind; None takes one away."""
        for node in self.nodes(kind):
            kept = [attribute for attribute in node.attribute if attribute.name not in attributes]
            del node.attribute[:]
            node.attribute.extend(kept + [helper.make_attribute(name, x) for name, x in attributes.items() if x is not None])

    def constant(self, name, array):
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def insert(self, before, *args, **attributes):
        self.graph.node.insert(list(self.graph.node).index(before), helper.make_node(*args, **attributes))

    def replaceTable(self, name, array):
        tensor = next(tensor for tensor in self.graph.initializer if tensor.name == name)
        tensor.CopyFrom(numpy_helper.from_array(np.asarray(array, np.float32), name))


def attentions(graph):
    return graph.nodes("GroupQueryAttention")


def norms(graph):
    return graph.nodes("SkipSimplifiedLayerNormalization")


def setInputs(node, **inputs):
    for i, name in inputs.items():
        i = int(i[1:])
        node.input.extend([""] * (i + 1 - len(node.input)))
        node.input[i] = name


def splitInputs(graph):
    """Queries, keys and values as three inputs."""
    sizes = graph.constant("sizes", np.int64([HIDDEN, KEY_HIDDEN, KEY_HIDDEN]))
    for i, node in enumerate(attentions(graph)):
        parts = [f"part.{i}.{j}" for j in range(3)]
        graph.insert(node, "Split", [node.input[0], sizes], parts, axis=2)
        setInputs(node, i0=parts[0], i1=parts[1], i2=parts[2])


def givePositions(graph):
    graph.graph.input.append(helper.make_tensor_value_info("position_ids", onnx.TensorProto.INT64, ["batch_size", "sequence_length"]))
    for node in attentions(graph):
        setInputs(node, i9="position_ids")


def withoutPast(graph):
    """A graph without a cache: the mask is as long as the ids."""
    for i in reversed(range(len(graph.graph.input))):
        if graph.graph.input[i].name.startswith("past"):
            del graph.graph.input[i]
    del graph.graph.output[1:]
    for node in attentions(graph):
        setInputs(node, i3="", i4="")


def biasedNorms(graph):
    bias = graph.constant("norm.bias", np.linspace(-1, 1, HIDDEN, dtype=np.float32))
    for node in norms(graph):
        setInputs(node, i3=bias)


def scaledTables(graph):
    """Attention factors are folded into the tables of some models; the angles of position 0 are not 0 and 1 then."""
    for name in ("cos_cache", "sin_cache"):
        tensor = next(tensor for tensor in graph.graph.initializer if tensor.name == name)
        graph.replaceTable(name, 1.25 * numpy_helper.to_array(tensor))


TAKEN = {
    "as it is": lambda graph: None,
    "neighbours": lambda graph: graph.set("GroupQueryAttention", rotary_interleaved=1),
    "no rotation": lambda graph: graph.set("GroupQueryAttention", do_rotary=0),
    "default scale": lambda graph: graph.set("GroupQueryAttention", scale=None),
    "other scale": lambda graph: graph.set("GroupQueryAttention", scale=0.4),
    "scale 0 is the default": lambda graph: graph.set("GroupQueryAttention", scale=0.0),
    "no softcap": lambda graph: graph.set("GroupQueryAttention", softcap=None, smooth_softmax=0),
    "window of the context": lambda graph: graph.set("GroupQueryAttention", local_window_size=CONTEXT),
    "three inputs": splitInputs,
    "positions given": givePositions,
    "no past": withoutPast,
    "norm with bias": biasedNorms,
    "other epsilon": lambda graph: graph.set("SkipSimplifiedLayerNormalization", epsilon=0.5),
    "default epsilon": lambda graph: graph.set("SkipSimplifiedLayerNormalization", epsilon=None),
    "scaled tables": scaledTables,
}  # fmt: skip

ATTENTION = "(com.microsoft.GroupQueryAttention, opset 1): "
REFUSED = {
    "softcap": (lambda graph: graph.set("GroupQueryAttention", softcap=30.0), ATTENTION + "parameter 'softcap' is 30, only 0 is supported"),
    "smooth": (lambda graph: graph.set("GroupQueryAttention", smooth_softmax=1), ATTENTION + "parameter 'smooth_softmax' is 1, only -1 to 0 is supported"),
    "window": (lambda graph: graph.set("GroupQueryAttention", local_window_size=8), ATTENTION + "the attention mask is not causal: token 127 does not see position 0"),
    "no window": (lambda graph: graph.set("GroupQueryAttention", local_window_size=0), ATTENTION + "parameter 'local_window_size' is 0, only -1 or a size is supported"),
    "unknown": (lambda graph: graph.set("GroupQueryAttention", colour=1), ATTENTION + "parameter 'colour' is not supported"),
    "quantized cache": (lambda graph: graph.set("GroupQueryAttention", k_quant_type="PER_TENSOR"), ATTENTION + "parameter 'k_quant_type' is 'PER_TENSOR', only 'NONE' is supported"),
    "no heads": (lambda graph: graph.set("GroupQueryAttention", num_heads=0), ATTENTION + "parameter 'num_heads' is 0, only 1 or more is supported"),
    "heads": (lambda graph: graph.set("GroupQueryAttention", num_heads=3), ATTENTION + "3 query heads do not divide by 2 heads of keys and values"),
    "sinks": (lambda graph: [setInputs(node, i11=node.input[7]) for node in attentions(graph)], ATTENTION + "input 'head_sink' is not supported"),
    "tables": (lambda graph: [setInputs(node, i7="", i8="") for node in attentions(graph)], ATTENTION + "parameter 'do_rotary' is 1, but 'cos_cache' and 'sin_cache' are not given"),
    "one table": (lambda graph: [setInputs(node, i8="") for node in attentions(graph)], ATTENTION + "of 'cos_cache' and 'sin_cache' only one is given"),
    "length": (lambda graph: [setInputs(node, i5="") for node in attentions(graph)], ATTENTION + "input 'seqlens_k' is missing"),
}  # fmt: skip


@pytest.fixture
def imported(qopt, sharedData, tmp_path):
    """imported(change): the path of the changed graph, and the finished process that imported it."""

    def run(change):
        graph = Graph(sharedData / "onnx" / "llama-genai-fp32")
        change(graph)
        path = tmp_path / "model.onnx"
        onnx.save(graph.model, path)
        pipeline = f"--pass-pipeline=builtin.module(import{{file={path} work={tmp_path / 'work'} context={CONTEXT}}})"
        return path, qopt(pipeline, "--mlir-print-op-generic", input="")

    return run


def feeds(session, ids, past):
    """Inputs of one sequence: ids after what `past` holds."""
    before = next(iter(past.values())).shape[2] if past else 0
    known = {
        "input_ids": ids[None], "attention_mask": np.ones((1, before + len(ids)), np.int64),
        "position_ids": np.arange(before, before + len(ids))[None], **past,
    }  # fmt: skip
    return {value.name: known[value.name] for value in session.get_inputs()}


@pytest.mark.parametrize("case", TAKEN)
def test_taken(imported, case):
    """Prefill, then one more token on the cache."""
    path, done = imported(TAKEN[case])
    assert done.returncode == 0, done.stderr
    module, session = Module(done.stdout), onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    ids = np.int64([5, 200, 17, 99, 3, 64, 128, 7])
    past = {
        value.name: np.zeros((1, KEY_HEADS, 0, SIZE), np.float32) for value in session.get_inputs() if value.name.startswith("past")
    }
    for start, stop in ((0, 7), (7, 8)) if past else ((0, 8),):
        names = [value.name for value in session.get_outputs()]
        results = dict(zip(names, session.run(names, feeds(session, ids[start:stop], past))))
        logits = results.pop("logits")[0]
        np.testing.assert_allclose(module.forward(ids[start:stop], start), logits, rtol=1e-3, atol=1e-4)  # as for the graph itself
        past = {name.replace("present", "past_key_values"): value for name, value in results.items()}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(imported, case):
    change, message = REFUSED[case]
    done = imported(change)[1]
    assert done.returncode == 1
    assert "model.onnx: node '/model/layers.0/attn/GroupQueryAttention' " + message in done.stderr
    assert done.stderr.count("error:") == 1 and "Stack dump" not in done.stderr
