"""Quantized ONNX models taken apart again, by the definitions of the operators alone: which matrix each linear has, what it is in f32,
and the model with these matrices in the place of codes."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIGNED = {TensorProto.INT2, TensorProto.INT4, TensorProto.INT8}
BITS = {TensorProto.INT2: 2, TensorProto.UINT2: 2, TensorProto.INT4: 4, TensorProto.UINT4: 4, TensorProto.INT8: 8, TensorProto.UINT8: 8}


@dataclass
class Linear:
    """A linear of a quantized model: what it reads, what it gives, and its matrix [inputs, outputs] in f32."""

    node: str
    input: str
    output: str
    bias: str
    matrix: np.ndarray


def isNew(name, part):
    """Whether an initializer is one that quantization added: w.codes, or w.codes_1 where that name was taken."""
    return re.search(rf"\.{part}(_\d+)?$", name) is not None


def unpack(data, bits, count):
    """`count` unsigned integers of `bits` bits from bytes, from the low bits up."""
    all_bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: count * bits].reshape(count, bits)
    return all_bits.astype(np.int64) @ (1 << np.arange(bits))


def integers(tensor):
    """The elements of an initializer of 2, 4 or 8 bits."""
    bits, shape = BITS[tensor.data_type], list(tensor.dims)
    values = unpack(tensor.raw_data, bits, int(np.prod(shape)))
    if tensor.data_type in SIGNED:
        values = np.where(values >= 1 << bits - 1, values - (1 << bits), values)
    return values.reshape(shape)


def floats(tensor):
    return numpy_helper.to_array(tensor).astype(np.float32)


def attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _nbits(node, constants):
    """The matrix of MatMulNBits [K, N]: onnxruntime/docs/ContribOperators.md."""
    given = attributes(node)
    k, n, bits, block = (given[name] for name in ("K", "N", "bits", "block_size"))
    blocks, codes = -(-k // block), constants[node.input[1]]
    assert list(codes.dims) == [n, blocks, block * bits // 8]
    codes = unpack(codes.raw_data, bits, n * blocks * block).reshape(n, blocks, block)
    zeros = np.full((n, blocks), 1 << bits - 1)
    if len(node.input) > 3:
        tensor = constants[node.input[3]]
        width = -(-blocks * bits // 8)
        assert list(tensor.dims) == [n, width]
        zeros = unpack(tensor.raw_data, bits, n * width * 8 // bits).reshape(n, -1)[:, :blocks]
    scales = floats(constants[node.input[2]])
    assert scales.shape == (n, blocks)
    decoded = (codes - zeros[..., None]).astype(np.float32) * scales[..., None]
    padding = decoded.reshape(n, -1)[:, k:]
    assert not padding.any()
    return decoded.reshape(n, -1)[:, :k].T


def _dequantized(node, constants):
    """What DequantizeLinear gives: onnx/docs/Operators.md."""
    given, codes, scales = attributes(node), integers(constants[node.input[0]]), floats(constants[node.input[1]])
    zeros = integers(constants[node.input[2]]) if len(node.input) > 2 else np.zeros(scales.shape, np.int64)
    axis, block = given["axis"], given.get("block_size", 0)

    def spread(values):
        if not block:
            return np.expand_dims(values, 1 - axis)
        assert values.shape[axis] == -(-codes.shape[axis] // block)
        return np.repeat(values, block, axis).take(range(codes.shape[axis]), axis)

    return (codes - spread(zeros)).astype(np.float32) * spread(scales)


def nodes(graph):
    """All nodes, those of graphs inside of nodes too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes(attribute.g)


def graphs(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from graphs(attribute.g)


def constants(model):
    return {tensor.name: tensor for graph in graphs(model.graph) for tensor in graph.initializer}


def linears(model):
    """The quantized linears of a model in either style, whose weights are in it."""
    known, found, dequantized = constants(model), [], {}
    for node in nodes(model.graph):
        if node.op_type == "MatMulNBits" and node.input[1] in known:
            found.append(Linear(node.name, node.input[0], node.output[0], "", _nbits(node, known)))
        elif node.op_type == "DequantizeLinear" and isNew(node.input[0], "codes"):
            dequantized[node.output[0]] = _dequantized(node, known)
        elif node.op_type in ("MatMul", "Gemm") and node.input[1] in dequantized:
            matrix, bias = dequantized[node.input[1]], node.input[2] if len(node.input) > 2 else ""
            turned = attributes(node).get("transB", 0)
            found.append(Linear(node.name, node.input[0], node.output[0], bias, matrix.T if turned else matrix))
    return found
