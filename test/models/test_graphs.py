"""One model in four graphs: three exporters' and one written by hand. All compute what ONNX Runtime says of their own file, and all
tell one story."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import dataclasses
import shutil
import subprocess
import sys

import numpy as np
import pytest
from protocol import Binary, OnnxRuntime, Quality, logSoftmax, scoredIds
from synthetic import TINY
from test_boundary import BOUND, largestDifference
from unlike import NAMES, writeUnlike

EXPORTED = ("stories15M-optimum", "stories15M-dynamo", "stories15M-genai-fp32")
GRAPHS = (*EXPORTED, "unlike")


def rebuilt(sharedData, checkpoint, name, folder):
    """An exporter's graph of stories15M, its weights rebuilt into `folder` by the script beside it."""
    target = folder / name
    shutil.copytree(sharedData / "onnx" / name, target)
    target.chmod(0o755)
    script = sharedData / "onnx" / "rebuild_stories15M.py"
    subprocess.run([sys.executable, script, checkpoint, target], check=True, capture_output=True)
    return target / "model.onnx"


@pytest.fixture(scope="module", params=GRAPHS)
def graph(request, stories15M, tmp_path_factory):
    """stories15M in the graph of that name."""
    name, folder = request.param, tmp_path_factory.mktemp("graph")
    if name == "unlike":
        onnx = writeUnlike(stories15M.checkpoint, folder / "model.onnx")
    else:
        onnx = rebuilt(request.getfixturevalue("sharedData"), stories15M.checkpoint, name, folder)
    return dataclasses.replace(stories15M, name=name, onnx=onnx)


@pytest.fixture(scope="module")
def binary(graph, compiled):
    """Two of the graphs do not say how long the context is."""
    return compiled(graph, "f32", f"--context={graph.context}")


def test_logits(graph, binary, tmp_path):
    oracle = OnnxRuntime(graph.onnx, NAMES, headSize=48)
    assert largestDifference(graph, binary, oracle, tmp_path) <= BOUND


def test_greedy_ids(graph, binary, stories15M, stories):
    """What ONNX Runtime tells on the project's own graph, everyone tells."""
    for ids, want in stories(stories15M):
        assert binary.greedy(ids, graph.newTokens) == want


def test_any_shape(synthetic, compiled, tmp_path):
    """The handwritten graph with heads that queries share."""
    model = synthetic("shared", TINY)
    model = dataclasses.replace(model, name="unlike-shared", onnx=writeUnlike(model.checkpoint, tmp_path / "model.onnx"))
    ids = scoredIds(model.tokenizer, "ABBA C BA CAB ABBA")
    got, want = compiled(model, "f32").logits(ids, tmp_path), OnnxRuntime(model.onnx, NAMES).logits(ids)
    assert np.abs(got - want).max() <= 2e-5  # as in test_shapes.py


@pytest.mark.parametrize("format", ["int8-g32", "int4-g32-asym"])
def test_quantized_alike(format, stories15M, sharedData, compiled, tmp_path):
    """Parts of joined matrices are quantized as those that came alone: bit for bit the same logits, at position 0, where the
    exporters' angles agree in the last bit too."""
    onnx = rebuilt(sharedData, stories15M.checkpoint, "stories15M-genai-fp32", tmp_path)
    joined, alone = compiled(dataclasses.replace(stories15M, name="joined", onnx=onnx), format), compiled(stories15M, format)
    for token in (1, 9038, 31999):
        np.testing.assert_array_equal(joined.logits([token], tmp_path), alone.logits([token], tmp_path))


def test_without_tokenizer(halftone, stories260K, stories, tmp_path):
    """A model alone takes ids and gives ids; it knows no end of a text, and refuses to read one."""
    done = halftone("compile", stories260K.onnx, "--format=f32", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    binary = Binary(tmp_path / "out")
    for ids, want in stories(stories260K):
        assert binary.greedy(ids, stories260K.newTokens)[: len(want)] == want
    refused = binary.run("Once upon a time", "-n", 5)
    assert (refused.returncode, refused.stdout) == (1, b"") and b"--tokens" in refused.stderr


# Small decoders with what stories15M has not: shared heads, biases, an activation as one operator, weights in half precision.
SMALL = (
    "llama-dynamo-opset23", "llama-optimum-o2", "llama-hf-ortcpu-decode", "llama-genai-fp32", "llama-genai-fp16", "llama-optimum-fp16",
    "qwen2-optimum", "qwen2-genai-fp32",
)  # fmt: skip


def fullSequence(folder):
    """The ids and the expected logits of the sequence that is not padded."""
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
        row = int(np.argmax(inputs["attention_mask"].sum(axis=1))) if "attention_mask" in inputs else 0
        return inputs["input_ids"][row], outputs["logits"][row]


def emitted(halftone, folder, target, *options):
    """The executable of a graph without a tokenizer."""
    done = halftone("compile", folder / "model.onnx", *options, "-o", target / "out")
    assert done.returncode == 0, done.stderr
    return Binary(target / "out")


@pytest.mark.parametrize("name", SMALL)
def test_small_decoders(name, halftone, sharedData, tmp_path):
    folder = sharedData / "onnx" / name
    ids, want = fullSequence(folder)
    got = emitted(halftone, folder, tmp_path, "--format=f32").logits(ids, tmp_path)
    rtol, atol = (1e-3, 1e-4) if want.dtype == np.float32 else (2e-2, 2e-2)  # ../shared/data/onnx/README.md, fp32 and fp16
    np.testing.assert_allclose(got, want, rtol, atol)


def test_biases_behind_codes(halftone, sharedData, tmp_path):
    """A bias is added behind the scaling of integer sums, as the reference lowering adds it. Bound as in test_shapes.py: the last bit of
    f32 seldom moves a code; what a model loses by int8 alone is more, and without its biases it is another model."""
    folder, quality = sharedData / "onnx" / "qwen2-genai-fp32", Quality()
    ids = fullSequence(folder)[0]
    own, reference = (
        logSoftmax(emitted(halftone, folder, tmp_path, "--format=int8-g32", *options).logits(ids, tmp_path)[:-1])
        for options in ((), ("--lower-reference",))
    )
    quality.add(reference, own, ids)
    assert quality.meanDivergence <= 4e-5
