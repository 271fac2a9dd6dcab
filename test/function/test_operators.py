"""Every row of the tables of passes/function, twice, against ONNX Runtime: on what the graph is given, and on constants, which the
importer's evaluator answers where it can. Over all element types that ONNX Runtime takes there, with the ends of their ranges."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

FLOATS, SIGNED, UNSIGNED, BOOL = "f2 f4 f8", "i1 i2 i4 i8", "u1 u2 u4 u8", "?"
INTEGERS = f"{SIGNED} {UNSIGNED}"
NUMBERS, ALL = f"{FLOATS} {INTEGERS}", f"{FLOATS} {INTEGERS} {BOOL}"
MICROSOFT = "com.microsoft"


class Case(NamedTuple):
    """`inputs(type)` names arrays; those in capitals are constants in both ways."""

    types: str  # candidates: those are tested that ONNX Runtime takes, at least one
    inputs: object
    attributes: dict
    opset: int
    outputs: int
    roundings: float  # how many roundings a number may be off, in units of its size or of 1; integers are exact


def case(types, inputs, opset=21, outputs=1, roundings=8, **attributes):
    return Case(types, inputs, attributes, opset, outputs, roundings)


#===-- Numbers -----------------------------------------------------------------------------------------------------------===#


def ends(dtype, extreme=True):
    """Numbers where arithmetic goes wrong first."""
    if dtype == np.bool_:
        return np.array([False, True])
    if dtype.kind != "f":
        limit = np.iinfo(dtype)
        return np.array([limit.min, limit.max, 0, 1, 2, 7, limit.max // 2 + 9, limit.min // 2 - (dtype.kind == "i")], dtype)
    sizes = [0, 1, 0.5, 2.5, 7, *([np.finfo(dtype).max, np.inf] if extreme else [])]
    return np.array([*sizes, *np.negative(sizes), *([np.nan] if extreme else [])], dtype)


def some(dtype, *shape, seed=1):
    random = np.random.default_rng(seed)
    if dtype == np.bool_:
        return random.random(shape) < 0.5
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def small(dtype, *shape, seed=1):
    """Integers whose sums and products fit."""
    return np.random.default_rng(seed).integers(0, 4, shape).astype(dtype) if dtype.kind in "iu" else some(dtype, *shape, seed=seed)


def one(dtype):
    return {"a": ends(dtype)}


def moderate(dtype):
    return {"a": ends(dtype, extreme=False)}


def pairs(dtype):
    """Each with each, by broadcasting."""
    return {"a": ends(dtype)[:, None], "b": ends(dtype)}


def quotients(dtype):
    """Without integers by 0, which ends ONNX Runtime; the least by -1 is not among them."""
    b = ends(dtype)
    return {"a": ends(dtype)[:, None], "b": b if dtype.kind == "f" else b[b != 0]}


def rows(dtype):
    """Infinities, what is no number first and later, and the ends."""
    if dtype.kind == "f":
        return {"a": np.array([[-np.inf] * 3, [np.inf] * 3, [1, np.nan, 2], [np.nan, 1, 2], [-np.inf, 0, np.inf], [-3, -1, -3]], dtype)}
    return {"a": np.array([[False, False], [True, True], [False, True]]) if dtype == np.bool_ else np.resize(ends(dtype), (5, 3))}


def drawn(*shape, **more):
    """Elements of a type at random, and other inputs beside them."""
    return lambda dtype: {"a": some(dtype, *shape), **more}


def f4(*shape, seed=1):
    return some(np.dtype("f4"), *shape, seed=seed)


def i8(*values):
    return np.array(values, np.int64)


def scalar(value, dtype="i8"):
    return np.array(value, dtype)


def fixed(inputs, **options):
    """Inputs of types of their own."""
    return case("f4", lambda _: inputs, **options)


def unary(inputs=one, **options):
    return [case(FLOATS, inputs, **options)]


def numbered(dtype):
    """Without what is no number: which of it and others ONNX Runtime calls larger, depends on their order and type."""
    return {"a": np.array([row for row in rows(dtype)["a"] if not np.isnan(row.astype("f8")).any()])}


def reductions(types, edgeTypes, opset=21, edges=rows, **options):
    """Axes that are an input, missing, empty, or a parameter; then rows of ends."""
    options = {"opset": opset, **options}
    reduced = lambda dtype: {"a": small(dtype, 3, 4, 2)}
    found = [
        case(types, lambda t: {**reduced(t), "AXES": i8(1)}, keepdims=0, **options),
        case(types, lambda t: {**reduced(t), "AXES": i8(-1, 0)}, **options),
        case(types, reduced, **options),
        case(types, reduced, noop_with_empty_axes=1, **options),
        case(types, lambda t: {**reduced(t), "AXES": i8()}, noop_with_empty_axes=1, **options),
        case(types, reduced, axes=[1], **{**options, "opset": 11}),
    ]
    return [*found, case(edgeTypes, lambda t: {**edges(t), "AXES": i8(1)}, **options)]


def castCases():
    """From each type to each: whole numbers wrap, and of floats those that the other type has room for."""

    def fitting(to):
        def inputs(dtype):
            numbers = ends(dtype)
            if dtype.kind == "f" and to.kind in "iu":
                numbers = np.array([0, 0.5, 1.5, 100.9, *([-0.5, -1.5, -100.9] if to.kind == "i" else [])], dtype)
            return {"a": numbers}

        return inputs

    return [case(ALL, fitting(np.dtype(to)), to=helper.np_dtype_to_tensor_dtype(np.dtype(to)), roundings=0) for to in ALL.split()]


def codes(dtype, *shape, seed=1):
    return some(np.dtype(dtype), *shape, seed=seed)


STEP, STEP2 = np.array(0.05, np.float32), np.array(0.02, np.float32)

CODES = [{"a": codes(a, 3, 4), "as": STEP, "az": scalar(3, a), "b": codes(b, 4, 2, seed=2), "bs": STEP2, "bz": scalar(1, b), "ys": np.array(2, np.float32), "yz": scalar(5, a)}
         for a, b in (("u1", "u1"), ("u1", "i1"), ("i1", "i1"))]  # fmt: skip


#===-- The rows: the name of an operator, and its cases ------------------------------------------------------------------===#

TRIANGLE = [scalar(k) for k in (0, 1, -2, 2**63 - 1, -(2**63))]
SLICES = [([1], [2**63 - 1], [0], [2]), ([-1], [-(2**63)], [1], [-1]), ([0], [9], [1], [2**63 - 1]), ([-1], [-9], [1], [-(2**63)]),
          ([0, -2], [2, 9], [0, 1], [1, 1]), ([2], [1], [0], [1])]  # fmt: skip
ANGLES = np.random.default_rng(3).random((6, 2)).astype(np.float32)
QKV = {"q": f4(1, 4, 3, 8), "k": f4(1, 2, 5, 8, seed=2), "v": f4(1, 2, 5, 8, seed=3)}
HIDDEN = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 0, 1, 1, 1]], bool)
IMAGE, KERNEL = f4(2, 4, 7, 6), f4(6, 2, 3, 2, seed=2)
PAST = {"q": f4(1, 2, 32), "k": f4(1, 2, 16, seed=2), "v": f4(1, 2, 16, seed=3), "pk": f4(1, 2, 3, 8, seed=4), "pv": f4(1, 2, 3, 8, seed=5),
        "last": np.array([4], np.int32), "total": scalar(5, "i4")}  # fmt: skip

ROWS = {
    "Abs": [case(NUMBERS, one)],
    "Acos": unary(),
    "Add": [case(NUMBERS, pairs)],
    "And": [case(BOOL, pairs)],
    "ArgMax": [case(NUMBERS, rows, axis=1), case(NUMBERS, rows, axis=-1, select_last_index=1, keepdims=0), case(NUMBERS, drawn(3, 4, 2), axis=0)],
    "ArgMin": [case(NUMBERS, rows, axis=1), case(NUMBERS, rows, axis=-1, select_last_index=1, keepdims=0), case(NUMBERS, drawn(3, 4, 2), axis=0)],
    "Asin": unary(),
    "Atan": unary(),
    "Attention": [
        fixed(QKV, opset=23),
        fixed({**QKV, "mask": HIDDEN}, opset=23),
        fixed({**QKV, "mask": np.where(HIDDEN, 0, -np.inf).astype(np.float32)}, opset=23),
        fixed({**QKV, "mask": f4(3, 5)}, opset=23, is_causal=1, softcap=2.0),
    ],
    "AveragePool": [case(FLOATS, drawn(2, 3, 7, 6), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]),
                    case(FLOATS, drawn(1, 2, 7, 6), kernel_shape=[3, 2], pads=[1, 0, 1, 1], count_include_pad=1)],
    "BatchNormalization": [case(FLOATS, lambda t: {"x": some(t, 2, 3, 4), "g": some(t, 3), "b": some(t, 3), "m": some(t, 3), "v": np.abs(some(t, 3))}, roundings=32)],
    "Cast": castCases(),
    "Ceil": unary(),
    "Clip": [case(NUMBERS, lambda t: {**one(t), "low": scalar(1, t), "high": scalar(3, t)}), case(NUMBERS, lambda t: {**one(t), "low": scalar(1, t)}),
             case("f4", one, opset=7, min=-1.0, max=2.0)],
    "Concat": [case(ALL, lambda t: {"a": some(t, 2, 3), "b": some(t, 2, 1, seed=2), "c": some(t, 2, 0)}, axis=-1)],
    "ConstantOfShape": [case("f4", lambda _, value=value: {"SHAPE": i8(2, 3)}, value=value) for value in
                        (onnx.numpy_helper.from_array(np.array([200 if t == "u1" else 1 / 3]).astype(t)) for t in ALL.split())],
    "Conv": [case(FLOATS, lambda t: {"x": some(t, 2, 4, 7, 6), "w": some(t, 6, 2, 3, 2), "b": some(t, 6)}, group=2, strides=[2, 1], pads=[1, 0, 2, 1], roundings=64)],
    "ConvInteger": [fixed({"x": codes("u1", 1, 2, 5, 5), "w": codes(w, 3, 2, 3, 3), "xz": scalar(9, "u1"), "wz": scalar(4, w)}) for w in ("u1", "i1")],
    "Cos": unary(moderate),
    "CumSum": [case(NUMBERS, lambda t: {"a": small(t, 3, 4), "AXIS": scalar(1)}, exclusive=e, reverse=r) for e in (0, 1) for r in (0, 1)],
    "DequantizeLinear": [
        *[fixed({"x": codes(t, 3, 4), "s": STEP, "z": scalar(7, t)}) for t in ("i1", "u1", "i2", "u2")],
        fixed({"x": codes("i4", 3, 4), "s": STEP}),
        fixed({"x": codes("u1", 3, 4), "s": np.abs(f4(3)), "z": codes("u1", 3)}, axis=0),
        fixed({"x": codes("i1", 3, 4), "s": np.abs(f4(3, 2)), "z": codes("i1", 3, 2)}, axis=1, block_size=2),
    ],
    "Div": [case(NUMBERS, quotients)],
    "Dropout": [case(FLOATS, one)],
    "DynamicQuantizeLinear": [fixed({"x": x}, outputs=3) for x in (f4(3, 4), np.zeros((2, 2), np.float32), np.abs(f4(5)), -np.abs(f4(5)))],
    "Equal": [case(ALL, pairs)],
    "Erf": unary(),
    "Exp": unary(),
    "Expand": [case(ALL, lambda t: {"a": some(t, 3, 1), "SHAPE": i8(2, 1, 4)})],
    "Flatten": [case(ALL, drawn(2, 3, 4), axis=axis) for axis in (0, 2, -1)],
    "Floor": unary(),
    "Gather": [case(ALL, lambda t, i=i: {"a": some(t, 4, 3), "i": np.array([[3, -1], [0, 1]], i)}, axis=axis) for axis, i in ((0, "i8"), (0, "i4"))]
    + [case(ALL, lambda t: {"a": some(t, 4, 3), "i": scalar(-1)}, axis=1)],
    "GatherElements": [case(ALL, lambda t: {"a": some(t, 3, 3), "i": np.array([[1, -1, 0]])}, axis=0)],
    "GatherND": [case(ALL, lambda t: {"a": some(t, 2, 3, 4), "i": np.array([[[1], [2]], [[0], [-1]]])}, batch_dims=1),
                 case(ALL, lambda t: {"a": some(t, 2, 3, 4), "i": np.array([[1, 2], [0, -1]])})],
    "Gelu": [*unary(), case("f2 f4", one, approximate="tanh")],
    "Gemm": [case(NUMBERS, lambda t: {"a": small(t, 4, 2), "b": small(t, 3, 4, seed=2), "c": small(t, 3)}, transA=1, transB=1, alpha=0.5, beta=2.0, roundings=32),
             case(NUMBERS, lambda t: {"a": small(t, 2, 4), "b": small(t, 4, 3, seed=2)}, roundings=32)],
    "GlobalAveragePool": [case(FLOATS, drawn(2, 3, 4, 5), roundings=32)],
    "GlobalMaxPool": [case(FLOATS, drawn(2, 3, 4, 5))],
    "Greater": [case(NUMBERS, pairs)],
    "GreaterOrEqual": [case(NUMBERS, pairs)],
    "HardSigmoid": unary(alpha=0.3),
    "HardSwish": unary(moderate),
    "Identity": [case(ALL, one)],
    "IsInf": [case(FLOATS, one), case(FLOATS, one, detect_negative=0), case(FLOATS, one, detect_positive=0)],
    "IsNaN": unary(),
    "LayerNormalization": [case(FLOATS, lambda t: {"a": some(t, 2, 3, 4), "g": some(t, 3, 4), "b": some(t, 3, 4)}, axis=1, roundings=64)],
    "LeakyRelu": unary(alpha=0.2),
    "Less": [case(NUMBERS, pairs)],
    "LessOrEqual": [case(NUMBERS, pairs)],
    "Log": unary(),
    "MatMul": [case(NUMBERS, lambda t: {"a": small(t, 2, 1, 3, 4), "b": small(t, 5, 4, 2, seed=2)}, roundings=64), case(NUMBERS, lambda t: {"a": small(t, 4), "b": small(t, 4, seed=2)}, roundings=64)],
    "MatMulInteger": [fixed({"a": codes(a, 3, 4), "b": codes(b, 4, 2), "az": scalar(9, a), "bz": codes(b, 2)}) for a in ("u1", "i1") for b in ("u1", "i1")],
    "Max": [case(NUMBERS, pairs), case(NUMBERS, lambda t: {**pairs(t), "c": scalar(2, t)})],
    "MaxPool": [case(f"{FLOATS} i1 u1", drawn(2, 3, 7, 6), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])],
    "Min": [case(NUMBERS, pairs), case(NUMBERS, lambda t: {**pairs(t), "c": scalar(2, t)})],
    "Mod": [case(INTEGERS, quotients), case(NUMBERS, quotients, fmod=1)],
    "Mul": [case(NUMBERS, pairs)],
    "Neg": [case(f"{FLOATS} {SIGNED}", one)],
    "Not": [case(BOOL, one)],
    "OneHot": [case("f4 i4 i8", lambda t, d=d, v=v: {"a": np.array([[0, 2], [-1, 7]], t), "DEPTH": scalar(4, d), "values": scalar([200, 7], v)}, axis=axis)
               for d, v, axis in (("i8", "i8", -1), ("i8", "f4", 0), ("f4", "f4", 1), ("f4", "i4", 1), ("i4", "f4", 0))],
    "Or": [case(BOOL, pairs)],
    "Pad": [case(ALL, lambda t: {"a": some(t, 2, 3), "PADS": i8(1, 0, 0, 2), "VALUE": ends(t)[1]}), case(ALL, lambda t: {"a": some(t, 2, 3), "PADS": i8(1, 0, 0, 2)})],
    "Pow": [case(f"{FLOATS} i4 i8", lambda t, e=e: {"a": small(t, 3, 1), "b": scalar([0, 1, 2, 3], e)}) for e in ("f4", "f8", "i4", "i8")]
    + [case(f"{FLOATS} i4 i8", lambda t, value=value: {"a": small(t, 3), "B": scalar([[value]], t)}) for value in (2, 3)],
    "QLinearConv": [fixed({"x": codes(x, 1, 2, 5, 5), "xs": STEP, "xz": scalar(9, x), "w": codes(w, 3, 2, 3, 3), "ws": STEP2, "wz": scalar(0, w), "ys": np.array(3, np.float32),
                           "yz": scalar(7, x), "b": scalar([100, -100, 0], "i4")}) for x, w in (("u1", "u1"), ("u1", "i1"), ("i1", "i1"))],
    "QLinearMatMul": [fixed(inputs) for inputs in CODES],
    "QuantizeLinear": [
        *[case("f4", lambda _, t=t: {"x": 300 * f4(3, 4), "s": np.array(0.5, np.float32), "z": scalar(7, t)}) for t in ("i1", "u1", "i2", "u2")],
        fixed({"x": 10 * f4(3, 4), "s": STEP}),
        *[fixed({"x": 1000 * f4(3, 4), "s": STEP}, output_dtype=number) for number in (2, 3, 4, 5)],
        fixed({"x": f4(3, 4), "s": np.abs(f4(3)) + STEP, "z": codes("u1", 3)}, axis=0),
        fixed({"x": f4(3, 4), "s": np.abs(f4(3, 2)) + STEP, "z": codes("i1", 3, 2)}, axis=1, block_size=2),
    ],
    "RMSNormalization": [case(FLOATS, lambda t: {"a": some(t, 2, 3, 4), "g": some(t, 4)}, opset=23, roundings=64)],
    "Range": [case("f4 f8 i2 i4 i8", lambda t, a=a, b=b, c=c: {"START": scalar(a, t), "LIMIT": scalar(b, t), "STEP": scalar(c, t)}) for a, b, c in ((1, 9, 2), (1, 10, 2), (5, -5, -3), (5, 1, 1))]
    + [case("i8", lambda _: {"START": scalar(2**63 - 2), "LIMIT": scalar(2**63 - 1), "STEP": scalar(2)})],
    "Reciprocal": unary(),
    "ReduceL2": reductions(NUMBERS, FLOATS, roundings=32),
    "ReduceMax": reductions(ALL, ALL, edges=numbered),
    "ReduceMean": reductions(NUMBERS, FLOATS, roundings=32),
    "ReduceMin": reductions(ALL, ALL, edges=numbered),
    "ReduceProd": reductions(NUMBERS, FLOATS, roundings=32),
    "ReduceSum": reductions(NUMBERS, FLOATS, roundings=32),
    "ReduceSumSquare": reductions(NUMBERS, FLOATS, roundings=32),
    "Relu": [case(f"{FLOATS} {SIGNED}", one)],
    "Reshape": [case(ALL, lambda t, shape=shape: {"a": some(t, 2, 6), "SHAPE": i8(*shape)}) for shape in ((3, 4), (0, 2, -1))],
    "RotaryEmbedding": [fixed({"x": f4(1, 2, 3, 4), "cos": np.cos(ANGLES), "sin": np.sin(ANGLES), "at": i8(1, 4, 2)[None]}, opset=23, interleaved=i) for i in (0, 1)],
    "Round": unary(),
    "Shape": [case(ALL, drawn(2, 0, 3)), case(ALL, drawn(2, 4, 3), start=-2)],
    "Sigmoid": unary(),
    "Sign": [case(f"f4 f8 {INTEGERS}", one), case("f2", moderate)],  # of a half that is no number, ONNX Runtime gives 0, of others itself
    "SimplifiedLayerNormalization": [case(FLOATS, lambda t: {"a": some(t, 2, 3, 4), "g": some(t, 4)}, roundings=64)],
    "Sin": unary(moderate),
    "Size": [case(ALL, drawn(2, 4, 3))],
    "Slice": [case(ALL, lambda t, s=s, e=e, x=x, n=n: {"a": some(t, 3, 4), "STARTS": i8(*s), "ENDS": i8(*e), "AXES": i8(*x), "STEPS": i8(*n)}) for s, e, x, n in SLICES],
    "Softmax": [case(FLOATS, rows), case(FLOATS, drawn(2, 3, 4), axis=1), case(FLOATS, drawn(2, 3, 4), opset=11, axis=1)],
    "Softplus": unary(),
    "Split": [case(ALL, drawn(2, 7), outputs=3, axis=1, num_outputs=3), case(ALL, lambda t: {"a": some(t, 5, 2), "SIZES": i8(1, 4)}, outputs=2)],
    "Sqrt": unary(),
    "Squeeze": [case(ALL, lambda t: {"a": some(t, 1, 3, 1), "AXES": i8(-1)}), case(ALL, drawn(1, 3, 1))],
    "Sub": [case(NUMBERS, pairs)],
    "Sum": [case(FLOATS, pairs), case(FLOATS, lambda t: {**pairs(t), "c": scalar(2, t)})],
    "Tan": unary(moderate),
    "Tanh": unary(),
    "Tile": [case(ALL, lambda t: {"a": some(t, 2, 3), "REPEATS": i8(2, 1)})],
    "Transpose": [case(ALL, drawn(2, 3, 4), perm=[2, 0, 1]), case(ALL, drawn(2, 3))],
    "Trilu": [case(ALL, lambda t, k=k: {"a": some(t, 3, 4), "K": k}, upper=upper) for k in TRIANGLE for upper in (0, 1)],
    "Unsqueeze": [case(ALL, lambda t: {"a": some(t, 3), "AXES": i8(0, -1)})],
    "Where": [case(ALL, lambda t: {"c": np.array([True, False, True, False])[:, None, None], **pairs(t)})],
    "Xor": [case(BOOL, pairs)],
    "com.microsoft.Attention": [
        fixed({"x": f4(2, 3, 8), "w": f4(8, 24, seed=2), "b": f4(24, seed=3), **mask}, num_heads=2, unidirectional=causal, roundings=64)
        for causal in (0, 1) for mask in ({}, {"mask": scalar([[1, 1, 0], [1, 1, 1]], "i4")}, {"mask": scalar([2, 3], "i4")})],
    "com.microsoft.BiasGelu": [fixed({"a": f4(2, 5), "b": f4(5)})],
    "com.microsoft.DequantizeLinear": [fixed({"x": codes(t, 3, 4), "s": STEP, "z": scalar(7, t)}) for t in ("i1", "u1", "i2", "u2")],
    "com.microsoft.FastGelu": [fixed({"a": f4(2, 5), "b": f4(5)}), fixed({"a": f4(2, 5)})],
    "com.microsoft.GatherBlockQuantized": [fixed({"data": codes("u1", 5, 16), "i": i8(3, -1), "s": np.abs(f4(5, 2)), "z": codes("u1", 5, 1)}, bits=4, block_size=16)],
    "com.microsoft.Gelu": [fixed({"a": ends(np.dtype("f4"))})],
    "com.microsoft.GroupQueryAttention": [fixed(PAST, outputs=3, num_heads=4, kv_num_heads=2, roundings=64, **extra) for extra in ({}, {"local_window_size": 2})],
    "com.microsoft.MatMulNBits": [fixed({"x": f4(3, 32), "w": codes("u1", 5, 2, 8), "s": np.abs(f4(5, 2)), **zeros}, K=32, N=5, bits=4, block_size=16, roundings=256)
                                  for zeros in ({}, {"z": codes("u1", 5, 1)})],
    "com.microsoft.QGemm": [fixed({**dict(list(inputs.items())[:6]), "c": scalar([5, -5], "i4"), "ys": inputs["ys"], "yz": inputs["yz"]}) for inputs in CODES],
    "com.microsoft.QLinearAdd": [fixed({"a": codes(t, 3, 4), "as": STEP, "az": scalar(9, t), "b": codes(t, 4), "bs": STEP2, "bz": scalar(3, t), "ys": STEP, "yz": scalar(7, t)}) for t in ("u1", "i1")],
    "com.microsoft.QLinearGlobalAveragePool": [fixed({"x": codes(t, 2, 3, 4, 5), "xs": STEP, "xz": scalar(9, t), "ys": STEP2, "yz": scalar(7, t)}) for t in ("u1", "i1")],
    "com.microsoft.QuantizeLinear": [fixed({"x": 300 * f4(3, 4), "s": np.array(0.5, np.float32), "z": scalar(7, t)}) for t in ("i1", "u1", "i2", "u2")],
    "com.microsoft.QuickGelu": [fixed({"a": f4(2, 5)}, alpha=1.5)],
    "com.microsoft.RotaryEmbedding": [fixed({"x": f4(1, 2, 3, 4), "at": i8(1, 4, 2)[None], "cos": np.cos(ANGLES), "sin": np.sin(ANGLES)}, interleaved=i) for i in (0, 1)],
    "com.microsoft.SkipLayerNormalization": [fixed({"x": f4(2, 3, 4), "skip": f4(2, 3, 4, seed=2), "g": f4(4), "b": f4(4), "c": f4(4)}, roundings=64)],
    "com.microsoft.SkipSimplifiedLayerNormalization": [fixed({"x": f4(2, 3, 4), "skip": f4(2, 3, 4, seed=2), "g": f4(4)}, roundings=64)],
}  # fmt: skip


#===-- The test ------------------------------------------------------------------------------------------------------------===#


def plain():
    """ONNX Runtime's options for what the graph says and nothing else."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return options


class Graph:
    """Nodes of one operator beside each other."""

    def __init__(self, operator, opset):
        self.domain, _, self.operator = operator.rpartition(".")
        self.opset, self.nodes, self.inputs, self.constants, self.roundings = opset, [], {}, {}, {}

    def add(self, case, dtype, way):
        """`case` on a type, with its inputs given, or constant."""
        prefix = f"n{len(self.nodes)}"
        inputs = {f"{prefix}.{name}": (name, array) for name, array in case.inputs(dtype).items()}
        for name, (own, array) in inputs.items():
            (self.constants if own.isupper() or way == "constant" else self.inputs)[name] = array
        outputs = [f"{prefix}.{dtype}.{way}.{i}" for i in range(case.outputs)]
        self.roundings |= dict.fromkeys(outputs, case.roundings)
        self.nodes.append(helper.make_node(self.operator, list(inputs), outputs, prefix, domain=self.domain, **case.attributes))

    def model(self, types=()):
        """The outputs' types are what ONNX Runtime says of them."""
        values = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for name, a in self.inputs.items()]
        results = [helper.make_tensor_value_info(name, number, None) for name, number in types] or [onnx.ValueInfoProto(name=name) for name in self.roundings]
        graph = helper.make_graph(self.nodes, "g", values, results, [onnx.numpy_helper.from_array(a, name) for name, a in self.constants.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)], ir_version=10)

    def session(self):
        return onnxruntime.InferenceSession(self.model().SerializeToString(), plain(), providers=["CPUExecutionProvider"])


def isTaken(operator, case, dtype):
    graph = Graph(operator, case.opset)
    graph.add(case, dtype, "given")
    try:
        graph.session()
    except Exception:  # ONNX Runtime has many ways to say that it does not take a type
        return False
    return True


def tableRows(root):
    """The names of all rows, as the sources spell them."""
    row = re.compile(r'\{(""|"com\.microsoft"), "(\w+)",\s*\d+,\s*\d+,')
    found = [match for path in (root / "passes" / "function").glob("*.cpp") for match in row.findall(path.read_text())]
    return {(domain.strip('"') + "." + name).lstrip(".") for domain, name in found}


def test_every_row_has_cases(root):
    rows = tableRows(root)
    assert len(rows) > 100
    assert rows - set(ROWS) == set()
    assert set(ROWS) - rows == {"Shape", "Size"}, "only what the evaluator answers has no row"


NUMPY = {"tensor(float16)": 10, "tensor(float)": 1, "tensor(double)": 11, "tensor(bool)": 9, **{f"tensor({s}int{n})": t for s, row in (("", (3, 5, 6, 7)), ("u", (2, 4, 12, 13))) for n, t in zip((8, 16, 32, 64), row)}}  # fmt: skip


@pytest.mark.parametrize("operator", ROWS)
def test_operator(operator, halftone, tmp_path):
    graphs = {}
    for case in ROWS[operator]:
        types = [np.dtype(code) for code in case.types.split()]
        taken = [dtype for dtype in types if isTaken(operator, case, dtype)]
        assert taken, f"ONNX Runtime takes {case} with no type"
        graph = graphs.setdefault(case.opset, Graph(operator, case.opset))
        for dtype in taken:
            for way in ("given", "constant"):
                graph.add(case, dtype, way)
    for graph in graphs.values():
        check(graph, halftone, tmp_path)


def check(graph, halftone, folder):
    session = graph.session()
    expected = session.run(None, graph.inputs)
    onnx.save(graph.model([(output.name, NUMPY[output.type]) for output in session.get_outputs()]), folder / "model.onnx")
    np.savez(folder / "inputs.npz", **graph.inputs)
    done = halftone("run", "model.onnx", "--inputs=inputs.npz", "--outputs=outputs.npz", cwd=folder)
    assert done.returncode == 0, done.stderr
    results = np.load(folder / "outputs.npz")
    wrong = []
    for (name, roundings), value in zip(graph.roundings.items(), expected, strict=True):
        given, value = results[name], np.asarray(value)
        off = roundings * np.finfo(value.dtype).eps if value.dtype.kind == "f" else 0
        same = (given.dtype, given.shape) == (value.dtype, value.shape)
        if not same or not np.allclose(given.astype(np.longdouble), value.astype(np.longdouble), rtol=off, atol=off, equal_nan=True):
            wrong.append(f"{name}: {given.dtype}{given.tolist()} instead of {value.dtype}{value.tolist()}")
    assert not wrong, "\n".join(wrong)


def test_the_page_shows_the_code(root):
    """docs/adding-an-operator.md quotes lines of the sources and of this file."""
    page = (root / "docs" / "adding-an-operator.md").read_text()
    quoted = [line.strip() for block in re.findall(r"```(?:cpp|python)\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    folders = [*(root / "passes" / "function").glob("*.cpp"), *(root / "passes" / "import").glob("*.cpp"), root / "test" / "function" / "test_operators.py"]
    lines = {line.strip() for path in folders for line in path.read_text().splitlines()}
    assert len(quoted) >= 6 and [line for line in quoted if line not in lines] == []
