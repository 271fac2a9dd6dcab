"""Small graphs in which one node's result says something to the next: what type its elements have, and whose memory it lies in."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

HEAD = '<ir_version: 9, opset_import: ["": 21]> g '
BYTES = np.array([[200], [3]], np.uint8)
SHORT = np.array([200, 56], np.uint8).view(np.int8)

# Graphs as onnx.parser reads them, and their inputs; where ONNX Runtime does not take one, also the results.
GRAPHS = {
    "signed again": ("(uint8[2,1] a) => (float[2,1] b) { c = Cast<to=3>(a)  b = Cast<to=1>(c) }", {"a": BYTES}),
    "the largest": ("(uint32[1] a) => (float[1] b) { c = Cast<to=6>(a)  b = Cast<to=1>(c) }", {"a": np.array([2**32 - 1], np.uint32)}),
    "one value, two types": ("(int8[2] a) => (float[2] b, float[2] c) { u = Cast<to=2>(a)  b = Cast<to=1>(a)  c = Cast<to=1>(u) }", {"a": SHORT}),
    "chosen": ("(bool[2] c, uint8[2] x, uint8[2] y) => (float[2] b) { w = Where(c, x, y)  b = Cast<to=1>(w) }",
               {"c": np.array([True, False]), "x": np.array([200, 1], np.uint8), "y": np.array([2, 251], np.uint8)}),
    "hot": ("(int64[2] i, uint8[2] v) => (float[2,3] b) <int64[1] d = {3}> { o = OneHot(i, d, v)  b = Cast<to=1>(o) }",
            {"i": np.array([0, 2]), "v": np.array([7, 200], np.uint8)}, [np.array([[200, 7, 7], [7, 7, 200]], np.float32)]),
    "filled": ("(uint8[3] x) => (float[3] b, uint8[3] y) <int64[1] s = {3}> { c = ConstantOfShape<value = uint8[1] {200}>(s)  b = Cast<to=1>(c)  y = Add(c, x) }",
               {"x": np.array([1, 2, 3], np.uint8)}),
    "four bits": ("(float[3] x) => (float[3] y) <float s = {1.0}, int4 z = {0}> { q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z) }",
                  {"x": np.array([100, -100, 3], np.float32)}),
    "four bits without a sign": ("(float[3] x) => (float[3] y) <float s = {1.0}, uint4 z = {3}> { q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z) }",
                                 {"x": np.array([100, -100, 3], np.float32)}),
    "spelled constants": ("(float[2] x) => (float[2] y, int64[2] z) { a = Constant<value_float = 2.5>()  b = Constant<value_floats = [1.0, 2.0]>() "
                          " i = Constant<value_int = 3>()  k = Constant<value_ints = [4, 5]>()  c = Mul(x, a)  y = Add(c, b)  z = Add(i, k) }", {"x": np.ones(2, np.float32)}),
    "padded alike": ("(float[2] x, float[2] y) => (float[4] a, float[4] b) <int64[2] p = {1, 1}> { a = Pad(x, p)  b = Pad(y, p) }",
                     {"x": np.array([1, 2], np.float32), "y": np.array([3, 4], np.float32)}),
    "joined results": ("(float[2] x) => (float[2] a, float[4] b, float[2] c) { a = Exp(x)  b = Concat<axis=0>(a, x)  c = Neg(a) }", {"x": np.array([1, 2], np.float32)}),
    "powers": ("(float[3] x) => (float[1,3] y, float[1,3] z) <float[1,1] e = {2.0}> { y = Pow(x, e)  c = Neg(y)  z = Sqrt(y) }", {"x": np.array([1, 2, 3], np.float32)}),
    # Of several numbers one of which is none, ONNX Runtime's answer depends on their order.
    "no number": ("(float[3] x) => (float y, float z) { a = ReduceMax<keepdims=0>(x)  y = Identity(a)  z = ReduceMin<keepdims=0>(x) }",
                  {"x": np.array([1, np.nan, 2], np.float32)}, [np.float32(np.nan)] * 2),
    "no number, constant": ("(float[1] x) => (float[1] y, float[1] z) <float[3] c = {1.0, nan, 2.0}> { a = ReduceMax(c)  y = Add(a, x)  b = ReduceMin(c)  z = Add(b, x) }",
                            {"x": np.zeros(1, np.float32)}, [np.full(1, np.nan, np.float32)] * 2),
    # Beyond the other type's range ONNX leaves everything open; here it is the nearest number, and 0 for what is none.
    "too large": ("(float[5] x) => (int8[5] a, uint32[5] b, int64[5] c) { a = Cast<to=3>(x)  b = Cast<to=12>(x)  c = Cast<to=7>(x) }",
                  {"x": np.array([np.inf, -np.inf, np.nan, 1e30, -2.5], np.float32)},
                  [np.array([127, -128, 0, 127, -2], np.int8), np.array([2**32 - 1, 0, 0, 2**32 - 1, 0], np.uint32), np.array([2**63 - 1, -(2**63), 0, 2**63 - 1, -2])]),
    "divided by nothing": ("(int32[2] x) => (int32[2] a, int32[2] b) <int32[2] y = {5, -5}, int32[1] z = {0}> { a = Div(x, z)  c = Div(y, z)  d = Sub(x, x)  b = Add(c, d) }",
                           {"x": np.array([3, -3], np.int32)}, [np.array([3, -3], np.int32), np.array([5, -5], np.int32)]),
}  # fmt: skip


def run(halftone, folder, model, inputs):
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "inputs.npz", **inputs)
    done = halftone("run", "model.onnx", "--inputs=inputs.npz", "--outputs=outputs.npz", cwd=folder)
    assert done.returncode == 0, done.stderr
    results = np.load(folder / "outputs.npz")
    return [results[output.name] for output in model.graph.output]


@pytest.mark.parametrize("name", GRAPHS)
def test_chain(name, halftone, tmp_path):
    text, inputs, *known = GRAPHS[name]
    model = onnx.parser.parse_model(HEAD + text)
    session = None if known else onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for given, expected in zip(run(halftone, tmp_path, model, inputs), known[0] if known else session.run(None, inputs), strict=True):
        assert (given.dtype, given.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(given, expected, rtol=1e-6)  # at most five roundings of float32


def test_a_long_chain(halftone, tmp_path):
    """Analyses that see every tensor took 13 s for so many; the limit is far from what they take fused, and far from that."""
    count = 500
    nodes = [helper.make_node("Neg", [f"x{i}"], [f"x{i + 1}"]) for i in range(count)]
    ends = [helper.make_tensor_value_info(name, 1, [4]) for name in ("x0", f"x{count}")]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("", 21)], ir_version=9)
    x = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(run(halftone, tmp_path, model, {"x0": x})[0], x)
