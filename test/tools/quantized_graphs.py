"""Graphs with linears, and what a quantized graph is held to: ONNX Runtime, and a decoder written by the operators' definitions."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import onnx
import onnxruntime
from lowbit_numpy import quantized
from onnx import TensorProto, helper, numpy_helper
from onnx_quantized import attributes, constants, graphs, isNew, linears, nodes

STYLES = ("matmulnbits", "qdq")




def run(model, feeds, outputs=None):
    """The outputs of a model, as the graph says: without the optimizations that turn linears into int8."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options)
    names = outputs or [output.name for output in session.get_outputs()]
    wanted = {value.name for value in session.get_inputs()}
    return dict(zip(names, session.run(names, {name: feeds[name] for name in feeds if name in wanted})))


# What a linear computes may differ from the exact product by the rounding of each weight, of each product and of each sum, in any
# order: (inputs + 2) * 2^-24 * |x| |W|, and 2^-24 of the result and the bias that is added. In float16 weights and results are
# rounded to 11 bits besides, sums are f32.
def checkLinears(path, model, feeds, tmp_path):
    """Runs the quantized model with the inputs and outputs of its linears as outputs; checks each product."""
    found = linears(model)
    watched = onnx.load(path)
    inner = {output for graph in list(graphs(watched.graph))[1:] for node in graph.node for output in node.output}
    found = [linear for linear in found if linear.output not in inner]
    known = {output.name for output in watched.graph.output}
    for name in {name for linear in found for name in (linear.input, linear.output)} - known - set(feeds):
        watched.graph.output.append(helper.make_empty_tensor_value_info(name))
    copy = tmp_path / "watched.onnx"
    onnx.save(watched, copy, save_as_external_data=True, location="watched.data")
    values = {**feeds, **run(copy, feeds)}
    initializers = constants(model)
    for linear in found:
        x, y = values[linear.input], values[linear.output]
        isNarrow = y.dtype == np.float16
        weights = linear.matrix.astype(np.float64)
        bias = numpy_helper.to_array(initializers[linear.bias]).astype(np.float64) if linear.bias else 0.0
        x = x.astype(np.float64)
        size = np.abs(x) @ np.abs(weights)
        bound = (len(weights) + 2) * 2**-24 * size + 2**-23 * (size + np.abs(bias))
        if isNarrow:
            bound += 2**-11 * (2 * size + np.abs(bias)) + 2**-24
        expected = x @ weights + bias
        assert (np.abs(y.astype(np.float64) - expected) <= bound).all(), linear.node
    return len(found)


def originals(model):
    """{node name: matrix [inputs, outputs]} of the linears of a model that is not quantized."""
    known = {name: numpy_helper.to_array(tensor) for name, tensor in constants(model).items()}
    for node in nodes(model.graph):
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            known[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type in ("Transpose", "Identity", "Cast") and node.input[0] in known:
            value = known[node.input[0]]
            known[node.output[0]] = value.transpose(attributes(node).get("perm")) if node.op_type == "Transpose" else value
    found = {}
    for node in nodes(model.graph):
        if node.op_type in ("MatMul", "Gemm") and node.input[1] in known and known[node.input[1]].ndim == 2:
            weight = known[node.input[1]]
            found[node.name] = weight.T if attributes(node).get("transB", 0) else weight
    return found


def checkWeights(before, after, format):
    """The linears of `after` are those of `before`, quantized. Returns how many there are."""
    found, expected = linears(after), originals(before)
    for linear in found:
        weight = expected[linear.node].astype(np.float32)
        assert np.array_equal(linear.matrix, quantized(weight.T, format).T), linear.node
    return len(found)


def checkRest(before, after):
    """Nodes and initializers that quantization has no business with are as they were, in the same order."""
    changed = {linear.node for linear in linears(after)}
    moves = {"Transpose", "Identity", "Cast", "Constant"}
    own = {node.output[0] for node in nodes(after.graph) if node.op_type == "DequantizeLinear" and isNew(node.input[0], "codes")}

    def withoutGraphs(node):
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.ClearField("attribute")
        copy.attribute.extend(attribute for attribute in node.attribute if attribute.type != onnx.AttributeProto.GRAPH)
        return copy

    def rest(model):
        return [withoutGraphs(node) for node in nodes(model.graph) if node.name not in changed and node.output[0] not in own]

    kept = {node.output[0] for node in rest(after)}
    left = [node for node in rest(before) if node.output[0] in kept or node.op_type not in moves]
    added = [node for node in rest(after) if node.op_type == "Add" and node.name.endswith(".bias")]
    assert [node for node in rest(after) if node not in added] == left
    old = constants(before)
    for name, tensor in constants(after).items():
        if name in old:
            assert np.array_equal(numpy_helper.to_array(tensor), numpy_helper.to_array(old[name]), equal_nan=True), name
        else:
            assert isNew(name, "(codes|scales|zeros)")
    assert after.metadata_props == before.metadata_props and after.functions == before.functions
    assert after.graph.input == before.graph.input and after.graph.output == before.graph.output


def isValid(path):
    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        print(error)  # for whoever sees the test fail
        return False
    return True


def tensorOf(name, shape, seed=0, type=np.float32):
    return numpy_helper.from_array(np.random.default_rng(seed).standard_normal(shape).astype(type), name)


def save(path, nodes, initializers, inputs, outputs, opset=20, ir=10, elements=TensorProto.FLOAT, given=None, **others):
    """A model file. `inputs` and `outputs` are {name: shape or None}, floats; inputs are of type `given` if it is."""
    sides = ((inputs, given or elements), (outputs, elements))
    values = [[helper.make_tensor_value_info(name, type, shape or ["p", "q"]) for name, shape in side.items()] for side, type in sides]
    graph = helper.make_graph(nodes, "graph", *values, initializers)
    opsets = [helper.make_opsetid("", opset), *others.pop("opsets", [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=ir, **others), path)
    return path


def product(path, rows=24, columns=64, **others):
    """y = x W, W [columns, rows]."""
    return save(path, [helper.make_node("MatMul", ["x", "w"], ["y"], "product")], [tensorOf("w", (columns, rows))],
                {"x": ["n", columns]}, {"y": None}, **others)  # fmt: skip


def feed(columns=64, count=5, type=np.float32):
    return {"x": np.random.default_rng(9).standard_normal((count, columns)).astype(type)}


def checkOutput(before, output, feeds, format, tmp_path):
    """All of it for a model of a few nodes, the quantized one run to its end included."""
    old, new = onnx.load(before), onnx.load(output)
    assert isValid(output) == isValid(before)
    checkWeights(old, new, format)
    checkRest(old, new)
    checkLinears(output, new, feeds, tmp_path)
    return new


def mlp(path, columns=48, hidden=64, opset=20):
    """y = relu(x A + a) B, then both once more: linears that share an input, a weight with two readers."""
    steps = [
        helper.make_node("Gemm", ["x", "A", "a"], ["p"], "first"), helper.make_node("Relu", ["p"], ["q"]),
        helper.make_node("MatMul", ["q", "B"], ["r"], "second"), helper.make_node("MatMul", ["q", "C"], ["s"], "third"),
        helper.make_node("MatMul", ["r", "D"], ["t"], "shared"), helper.make_node("MatMul", ["s", "D"], ["u"], "shared too"),
        helper.make_node("Add", ["t", "u"], ["y"]),
    ]  # fmt: skip
    tensors = [tensorOf("A", (columns, hidden)), tensorOf("a", (hidden,), 1), tensorOf("B", (hidden, columns), 2),
               tensorOf("C", (hidden, columns), 3), tensorOf("D", (columns, 16), 4)]  # fmt: skip
    return save(path, steps, tensors, {"x": ["n", columns]}, {"y": None}, opset=opset)


def correlated(count, tokens, columns=48):
    """Samples whose columns vary together, so that one weight can make up for another."""
    random = np.random.default_rng(7)
    return (random.standard_normal((count, tokens, 6)) @ random.standard_normal((6, columns)) + 0.3 * random.standard_normal((count, tokens, columns))).astype(np.float32)
