"""halftone quantize: the linears of any graph in either style, held to ONNX Runtime and to a decoder written by the operators'
definitions; everything else of a file as it was."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from lowbit_numpy import quantized
from onnx import TensorProto, helper, numpy_helper
from onnx_quantized import attributes, constants, graphs, isNew, linears, nodes

STYLES = ("matmulnbits", "qdq")


@pytest.fixture(scope="module")
def quantize(tool):
    """quantize(model, output, *options): the report. The file that it makes is the caller's to look at."""

    def call(model, output, *options):
        done = subprocess.run([tool, "quantize", model, *options, "-o", output, "--json"], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="module")
def refusal(tool):
    """refusal(model, output, *options): the one error that quantizing ends with; nothing is written then."""

    def call(model, output, *options):
        before = sorted(output.parent.iterdir())
        done = subprocess.run([tool, "quantize", model, *options, "-o", output], capture_output=True, text=True, timeout=600)
        errors = [line for line in done.stderr.splitlines() if "error: " in line]
        assert done.returncode == 1 and len(errors) == 1, done.stderr
        assert sorted(output.parent.iterdir()) == before
        return errors[0].removeprefix("halftone: error: ")

    return call


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


# ---- Graphs of real exporters


def exported():
    """The graphs of the shared folder that have linears; models that are quantized already, or convolutions alone, have none."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "onnx"
    without = ("resnet", "nbits4", "int4", "dynamic", "static", "stories15M", "webgpu")
    found = [path.parent.name for path in folder.glob("*/model.onnx") if not any(word in path.parent.name for word in without)]
    return sorted(found) or [pytest.param("none", marks=pytest.mark.skip("../shared/data is not here"))]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", exported())
def test_exported_graph(name, style, quantize, sharedData, tmp_path):
    folder, output = sharedData / "onnx" / name, tmp_path / "out.onnx"
    format = "int8-g32" if "whisper" in name else "int4-g32-asym" if "dynamo" in name else "int4-g32"
    report = quantize(folder / "model.onnx", output, f"--format={format}", f"--onnx-style={style}")
    before, after = onnx.load(folder / "model.onnx"), onnx.load(output)
    assert checkWeights(before, after, format) >= len(report["weights"]) > 4
    checkRest(before, after)
    assert isValid(output) == isValid(folder / "model.onnx")
    assert report["bytes_after"] == sum(path.stat().st_size for path in tmp_path.iterdir()) < report["bytes_before"]
    suffix = next(suffix for suffix in ("", ".decode") if (folder / f"inputs{suffix}.npz").exists())
    feeds = dict(np.load(folder / f"inputs{suffix}.npz"))
    assert checkLinears(output, after, feeds, tmp_path) > 4 or "merged" in name


# ---- Graphs of a few nodes


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


FORMS = {
    "matmul": ([("MatMul", ["x", "w"])], (64, 24)),
    "gemm": ([("Gemm", ["x", "w"])], (64, 24)),
    "gemm bias": ([("Gemm", ["x", "w", "b"])], (64, 24)),
    "gemm rows": ([("Gemm", ["x", "w", "b"], {"transB": 1})], (24, 64)),
    "transpose": ([("Transpose", ["w"], {"perm": [1, 0]}), ("MatMul", ["x", "t0"])], (24, 64)),
    "twice turned": ([("Transpose", ["w"]), ("Gemm", ["x", "t0"], {"transB": 1})], (64, 24)),
    "identities": ([("Identity", ["w"]), ("Transpose", ["t0"]), ("Identity", ["t1"]), ("MatMul", ["x", "t2"])], (24, 64)),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("format", ["int4-g32", "int8-g16-asym", "int2-g16", "int4-row-asym"])
@pytest.mark.parametrize("form", FORMS)
def test_forms(form, format, style, quantize, tmp_path):
    steps, shape = FORMS[form]
    made = [helper.make_node(step[0], step[1], [f"t{i}" if i < len(steps) - 1 else "y"], f"n{i}", **(step[2] if len(step) > 2 else {}))
            for i, step in enumerate(steps)]  # fmt: skip
    before = save(tmp_path / "in.onnx", made, [tensorOf("w", shape), tensorOf("b", (24,), 1)], {"x": ["n", 64]}, {"y": None})
    report = quantize(before, tmp_path / "out.onnx", f"--format={format}", f"--onnx-style={style}")
    assert [(weight["name"], weight["rows"], weight["columns"]) for weight in report["weights"]] == [("w", 24, 64)]
    new = checkOutput(before, tmp_path / "out.onnx", feed(), format, tmp_path)
    assert "w" not in constants(new) and not any(node.op_type in ("Transpose", "Identity") for node in nodes(new.graph))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("columns", [1, 15, 16, 100, 129, 256])
@pytest.mark.parametrize("rows", [1, 7, 24])
@pytest.mark.parametrize("format", ["int4-g16", "int4-g128-asym", "int8-row-asym", "int2-g32-asym"])
def test_shapes(format, rows, columns, style, quantize, tmp_path):
    """Rows that end inside of a block, blocks longer than a row, columns and rows that do not fill a byte."""
    before = product(tmp_path / "in.onnx", rows, columns)
    if (format, style) == ("int8-row-asym", "matmulnbits") and columns == 129:
        format = "int8-g256-asym"  # the same blocks
    quantize(before, tmp_path / "out.onnx", f"--format={format}", f"--onnx-style={style}")
    checkOutput(before, tmp_path / "out.onnx", feed(columns), format, tmp_path)


@pytest.mark.parametrize("style", STYLES)
def test_blocks_that_divide(style, quantize, tmp_path):
    """MatMulNBits takes powers of two: blocks of 48 become three of 16, of 1024 four of 256, with one scale; rows are split as well."""
    for columns, format in ((100, "int4-g48"), (2100, "int8-g1024-asym"), (384, "int4-row-asym")):
        before = product(tmp_path / "in.onnx", 9, columns)
        quantize(before, tmp_path / "out.onnx", f"--format={format}", f"--onnx-style={style}")
        checkOutput(before, tmp_path / "out.onnx", feed(columns), format, tmp_path)


def test_signed_scales(quantize, tmp_path):
    """Symmetric scales have the sign of the largest weight, negated: both signs are in use."""
    before = product(tmp_path / "in.onnx")
    for style in STYLES:
        quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
        scales = numpy_helper.to_array(constants(onnx.load(tmp_path / "out.onnx"))["w.scales"])
        assert (scales < 0).any() and (scales > 0).any()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("type", "elements"), [(np.float16, TensorProto.FLOAT16), (np.float32, TensorProto.FLOAT)])
def test_half_weights(type, elements, style, quantize, tmp_path):
    """In float16 scales are float16, which holds the format's exactly; weights may be cast to the type of the product."""
    cast = [helper.make_node("Cast", ["w"], ["c"], to=TensorProto.FLOAT)] if type == np.float32 else []
    matrix = helper.make_node("MatMul", ["x", "c" if cast else "w"], ["y"], "product")
    before = save(tmp_path / "in.onnx", [*cast, matrix], [tensorOf("w", (64, 24), 0, np.float16)], {"x": ["n", 64]}, {"y": None},
                  elements=elements)  # fmt: skip
    quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
    new = checkOutput(before, tmp_path / "out.onnx", feed(type=type), "int4-g32", tmp_path)
    assert constants(new)["w.scales"].data_type == elements


def test_weights_spelled_as_numbers(quantize, tmp_path):
    """float16 as numbers in int32_data, float32 in float_data, and a Constant node."""
    half = np.random.default_rng(0).standard_normal((64, 16)).astype(np.float16)
    full = np.random.default_rng(1).standard_normal((64, 16)).astype(np.float32)
    spelled = helper.make_tensor("half", TensorProto.FLOAT16, half.shape, half.ravel())
    assert len(spelled.int32_data) == 1024
    listed = helper.make_tensor("listed", TensorProto.FLOAT, full.shape, full.ravel())
    steps = [
        helper.make_node("Cast", ["half"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "c"], ["y0"], "half"),
        helper.make_node("MatMul", ["x", "listed"], ["y1"], "listed"),
        helper.make_node("Constant", [], ["constant"], value=numpy_helper.from_array(full[::-1].copy())),
        helper.make_node("MatMul", ["x", "constant"], ["y2"], "constant"),
    ]
    before = save(tmp_path / "in.onnx", steps, [spelled, listed], {"x": ["n", 64]}, {"y0": None, "y1": None, "y2": None})
    for style in STYLES:
        quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
        new = checkOutput(before, tmp_path / "out.onnx", feed(), "int4-g32", tmp_path)
        assert len(linears(new)) == 3 and not {"half", "listed"} & set(constants(new))


@pytest.mark.parametrize("style", STYLES)
def test_shared_weights(style, quantize, tmp_path):
    """One set of codes for linears that read a matrix the same way, another for its transpose; others keep the floats."""
    steps = [
        helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
        helper.make_node("MatMul", ["a", "w"], ["b"], "second"),
        helper.make_node("Transpose", ["w"], ["t"]),
        helper.make_node("MatMul", ["b", "t"], ["c"], "turned"),
        helper.make_node("Gemm", ["c", "v"], ["d"], "rows", transB=1),
        helper.make_node("Gemm", ["d", "v"], ["y"], "columns"),
        helper.make_node("Gather", ["v", "i"], ["z"], "embedding"),
    ]
    index = numpy_helper.from_array(np.array([3, 5]), "i")
    before = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 64)), tensorOf("v", (64, 64), 1), index],
                  {"x": ["n", 64]}, {"y": None, "z": None})  # fmt: skip
    report = quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
    kept = "read by 'embedding' (Gather)"
    assert [(weight["name"], weight["node"], weight["also_kept"]) for weight in report["weights"]] == [
        ("w", "first", ""), ("w", "turned", ""), ("v", "rows", kept), ("v", "columns", kept)]  # fmt: skip
    new = checkOutput(before, tmp_path / "out.onnx", feed(), "int4-g32", tmp_path)
    known = constants(new)
    assert "v" in known and "w" not in known and len([name for name in known if ".codes" in name]) == 4


def test_what_is_left_alone(quantize, tmp_path):
    steps = [
        helper.make_node("MatMul", ["x", "cube"], ["a"], "batched"),
        helper.make_node("MatMul", ["left", "right"], ["b"], "left"),
        helper.make_node("Gemm", ["x", "scaled"], ["c"], "scaled", alpha=0.5),
        helper.make_node("Gemm", ["x", "plain", "c"], ["d"], "half", beta=0.5),
        helper.make_node("MatMul", ["x", "w"], ["e"], "product"),
        helper.make_node("Add", ["x", "addend"], ["f"], "sum"),
    ]
    tensors = [tensorOf("cube", (1, 64, 64)), tensorOf("left", (64, 64)), tensorOf("scaled", (64, 64)), tensorOf("plain", (64, 64)),
               tensorOf("w", (64, 64)), tensorOf("addend", (5, 64)), tensorOf("norm", (64,)), tensorOf("unread", (8, 8))]  # fmt: skip
    before = save(tmp_path / "in.onnx", steps, tensors, {"x": [5, 64], "right": [64, 64]}, dict.fromkeys("abcdef"))
    report = quantize(before, tmp_path / "out.onnx")
    kept = {entry["name"]: (entry["type"], entry["reason"]) for entry in report["kept"]}
    matrix = "float32 [64, 64]"
    assert kept == {
        "cube": ("float32 [1, 64, 64]", "read by 'batched' (MatMul)"), "left": (matrix, "the left side of 'left' (MatMul)"),
        "scaled": (matrix, "read by 'scaled', a Gemm with alpha 0.500000"), "plain": (matrix, "read by 'half', a Gemm with beta 0.500000"),
        "addend": ("float32 [5, 64]", "read by 'sum' (Add)"), "unread": ("float32 [8, 8]", "nothing reads it"),
    }  # fmt: skip
    assert [weight["name"] for weight in report["weights"]] == ["w"]
    report = quantize(before, tmp_path / "out.onnx", "--onnx-style=qdq")  # where the Gemm itself stays
    assert [weight["name"] for weight in report["weights"]] == ["scaled", "plain", "w"]
    given = {**feed(), "right": feed(count=64)["x"]}
    gotten, expected = run(tmp_path / "out.onnx", given), run(before, given)
    assert np.array_equal(gotten["a"], expected["a"]) and np.array_equal(gotten["b"], expected["b"])


def test_rules(quantize, refusal, tmp_path):
    steps = [helper.make_node("MatMul", ["x" if i == 0 else f"y{i - 1}", f"onnx::w{i}"], [f"y{i}"], f"/layer.{i}/fc") for i in range(4)]
    tensors = [tensorOf(f"onnx::w{i}", (64, 64), i) for i in range(4)]
    before, output = save(tmp_path / "in.onnx", steps, tensors, {"x": ["n", 64]}, {"y3": None}), tmp_path / "out.onnx"
    report = quantize(before, output, "--formats=*w1:f32,/layer.[12]/*:int8-g32,onnx::w3:int4-row-asym")
    assert {weight["name"]: weight["format"] for weight in report["weights"]} == {
        "onnx::w0": "int4-g32", "onnx::w2": "int8-g32", "onnx::w3": "int4-row-asym"}  # fmt: skip
    assert [(entry["name"], entry["reason"]) for entry in report["kept"]] == [("onnx::w1", "left alone")]
    bits = {weight["name"]: weight["bits"] for weight in report["weights"]}
    # f32 scales: 4 + 32/32; 8 + 32/32; 4 + (32 + 4)/64, in which the zero of a row fills a byte.
    assert bits == {"onnx::w0": 5, "onnx::w2": 9, "onnx::w3": 4 + 40 / 64}
    report = quantize(before, output, "--format=int8-row", "--formats", "onnx::w0:f32", "--formats", "onnx::*:int4-g16")
    assert {weight["format"] for weight in report["weights"]} == {"int4-g16"}
    other = tmp_path / "other.onnx"
    assert refusal(before, other, "--formats=*v*:f32") == (
        "--formats: no weight of a linear and no node that reads one is called '*v*'")
    assert refusal(before, other, "--formats=w1") == "--formats: 'w1' is no rule; one is GLOB:FORMAT"
    assert refusal(before, other, "--formats=[:f32").startswith("--formats: '[' is no pattern: ")
    assert refusal(before, other, "--formats=*:int5").startswith("--formats: unknown format 'int5': ")
    assert refusal(before, other, "--format=f32").endswith("there is no linear to quantize: no MatMul or Gemm may be changed")


def test_what_the_reader_does_not_know_is_carried_over(quantize, tmp_path):
    """Functions, operators of anyone's domain, sparse constants, types, documentation, metadata: byte for byte."""
    function = helper.make_function("mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 20)])
    steps = [
        helper.make_node("Twice", ["x"], ["t"], "call", domain="mine"),
        helper.make_node("Secret", ["t"], ["s"], "secret", domain="com.example", level=3),
        helper.make_node("MatMul", ["s", "w"], ["y"], "product"),
        helper.make_node("Optional", [], ["o"], "none", type=helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [2]))),
    ]
    for number, node in enumerate(steps):
        node.doc_string = f"documentation {number}"
        node.metadata_props.add(key="trace", value="line 7")
    before = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 24))], {"x": ["n", 64]}, {"y": None}, functions=[function],
                  opsets=[helper.make_opsetid("mine", 1), helper.make_opsetid("com.example", 4)])  # fmt: skip
    model = onnx.load(before)
    values, indices = numpy_helper.from_array(np.ones(2, np.float32), "sparse"), numpy_helper.from_array(np.array([1, 3]), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [8]))
    model.graph.value_info.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, ["n", 64]))
    model.graph.value_info.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [64, 24]))
    model.graph.quantization_annotation.add(tensor_name="t")
    model.graph.doc_string, model.doc_string, model.domain, model.model_version = "about the graph", "about it", "example", 17
    model.metadata_props.add(key="licence", value="free")
    model.training_info.add()
    onnx.save(model, before)
    quantize(before, tmp_path / "out.onnx")
    after = onnx.load(tmp_path / "out.onnx")
    checkWeights(model, after, "int4-g32")
    checkRest(model, after)
    changed = next(node for node in after.graph.node if node.name == "product")
    assert (changed.op_type, changed.doc_string, changed.metadata_props[0].value) == ("MatMulNBits", "documentation 2", "line 7")
    assert [value.name for value in after.graph.value_info] == ["t"]
    for whole in (model, after):
        for field in ("node", "initializer", "value_info"):
            whole.graph.ClearField(field)
        del whole.opset_import[:]
    assert after == model


def test_names_that_are_taken(quantize, tmp_path):
    steps = [helper.make_node("MatMul", ["x", "w"], ["w.codes"], "product"), helper.make_node("Add", ["w.codes", "w.scales"], ["y"])]
    before = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 24)), tensorOf("w.scales", (24,))], {"x": ["n", 64]}, {"y": None})
    for style in STYLES:
        quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
        new = onnx.load(tmp_path / "out.onnx")
        assert {"w.codes_1", "w.scales_1", "w.scales"} <= set(constants(new)) and isValid(tmp_path / "out.onnx")
        run(tmp_path / "out.onnx", feed())


def test_before_ir_version_4(quantize, tmp_path):
    """Every initializer had to be an input then, and none may be new without: the version becomes 4, and they end to be inputs."""
    before = product(tmp_path / "in.onnx", opset=9, ir=3)
    model = onnx.load(before)
    model.graph.initializer.append(tensorOf("b", (24,)))
    model.graph.node[0].output[0] = "p"
    model.graph.node.append(helper.make_node("Add", ["p", "b"], ["y"]))
    for name, shape in (("w", [64, 24]), ("b", [24])):
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.save(model, before)
    for style, ir in (("matmulnbits", 4), ("qdq", 10)):
        quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
        after = onnx.load(tmp_path / "out.onnx")
        assert after.ir_version == ir and [value.name for value in after.graph.input] == ["x"] and isValid(tmp_path / "out.onnx")
        checkLinears(tmp_path / "out.onnx", after, feed(), tmp_path)


def test_versions_are_raised_as_far_as_needed(quantize, tmp_path):
    """By the format alone, and never lowered."""
    for style, format, opset, ir, wanted in (
        ("matmulnbits", "int4-g32", 11, 6, (11, 6)), ("qdq", "int8-row", 11, 6, (13, 7)), ("qdq", "int8-row", 17, 8, (17, 8)),
        ("qdq", "int8-g32", 17, 8, (21, 10)), ("qdq", "int4-row", 21, 9, (21, 10)), ("qdq", "int4-g32", 22, 11, (22, 11)),
        ("qdq", "int2-g16-asym", 21, 10, (25, 13)),
    ):  # fmt: skip
        before = product(tmp_path / "in.onnx", opset=opset, ir=ir)
        quantize(before, tmp_path / "out.onnx", f"--format={format}", f"--onnx-style={style}")
        after = onnx.load(tmp_path / "out.onnx")
        assert ({entry.domain: entry.version for entry in after.opset_import}[""], after.ir_version) == wanted
        checkOutput(before, tmp_path / "out.onnx", feed(), format, tmp_path)


def test_graphs_inside_of_nodes(quantize, tmp_path):
    """Branches read a matrix of the graph around them, and have one of their own under the same name."""
    def branch(name, tensor, opType):
        step = helper.make_node("Add", [f"{name}.p", "c"], [f"{name}.y"])
        first = helper.make_node(opType, ["x", tensor], [f"{name}.p"], f"{name}.product")
        own = [tensorOf("v", (64, 24), 5)] if tensor == "v" else []
        outputs = [helper.make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, None)]
        return helper.make_graph([first, step], name, [], outputs, own)

    steps = [
        helper.make_node("If", ["flag"], ["b"], "if", then_branch=branch("then", "w", "MatMul"), else_branch=branch("else", "v", "Gemm")),
        helper.make_node("MatMul", ["x", "v"], ["a"], "outside"),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    before = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 24)), tensorOf("v", (64, 24), 1), tensorOf("c", (24,))],
                  {"x": ["n", 64]}, {"y": None})  # fmt: skip
    model = onnx.load(before)
    model.graph.input.append(helper.make_tensor_value_info("flag", TensorProto.BOOL, []))
    onnx.save(model, before)
    for style in STYLES:
        report = quantize(before, tmp_path / "out.onnx", f"--onnx-style={style}")
        assert [weight["node"] for weight in report["weights"]] == ["else.product", "then.product", "outside"]
        after = onnx.load(tmp_path / "out.onnx")
        for flag in (True, False):
            given = {**feed(), "flag": np.array(flag)}
            sources = {"then.product": ("w", 0), "else.product": ("v", 5), "outside": ("v", 1)}
            matrices = {node: quantized(numpy_helper.to_array(tensorOf(name, (64, 24), seed)).T, "int4-g32").T
                        for node, (name, seed) in sources.items()}  # fmt: skip
            inner = matrices["then.product" if flag else "else.product"]
            weights = matrices["outside"].astype(np.float64) + inner
            x, c = given["x"].astype(np.float64), numpy_helper.to_array(tensorOf("c", (24,)))
            size = np.abs(x) @ (np.abs(matrices["outside"]) + np.abs(inner)) + np.abs(c)
            assert (np.abs(run(tmp_path / "out.onnx", given)["y"] - (x @ weights + c)) <= (64 + 5) * 2**-24 * size).all()
        assert sum(len(graph.initializer) for graph in graphs(after.graph)) == 7


# ---- Raising the operator set


def raised(node, tensors, feeds, opset, tmp_path, quantize, *, format="int4-g16", ir=8, outputs=1):
    """A model of `node`, which reads 'a', beside a linear: its outputs before and after raising it."""
    inputs = [helper.make_tensor_value_info("a", TensorProto.FLOAT, [None] * feeds["a"].ndim), helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 64])]
    names = [f"o{i}" for i in range(outputs)]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in [*names, "y"]]
    graph = helper.make_graph([node, helper.make_node("MatMul", ["x", "w"], ["y"])], "graph", inputs, results, [tensorOf("w", (64, 8)), *tensors])
    path, output = tmp_path / "in.onnx", tmp_path / "out.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir), path)
    feeds = {**feeds, **feed()}
    before = run(path, feeds)
    quantize(path, output, "--onnx-style=qdq", f"--format={format}")
    after, model = run(output, feeds), onnx.load(output)
    del before["y"]
    for value in model.graph.output:
        value.type.tensor_type.shape.SetInParent()
        for size in after[value.name].shape:  # the checker wants shapes; and they must be those that it infers
            value.type.tensor_type.shape.dim.add().CopyFrom(onnx.TensorShapeProto.Dimension(dim_value=size))
    onnx.checker.check_model(model, full_check=True)
    return before, after, model


A = np.random.default_rng(3).standard_normal((2, 3, 4, 5)).astype(np.float32)
RAISED = {
    "Squeeze": (11, dict(axes=[1, -1]), A[:, :1, :, :1]),
    "Squeeze all": (11, {}, A[:1, :, :1]),
    "Unsqueeze": (11, dict(axes=[0, 3]), A),
    "ReduceSum": (11, dict(axes=[1, -1], keepdims=0), A),
    "ReduceSum all": (11, {}, A),
    "ReduceMean": (17, dict(axes=[-1]), A),
    "ReduceMean all": (11, dict(keepdims=0), A),
    "ReduceMax": (13, dict(axes=[0]), A),
    "ReduceMin": (12, dict(axes=[2], keepdims=0), A),
    "ReduceProd": (11, dict(axes=[2, 3]), A),
    "ReduceL1": (11, dict(axes=[2]), A),
    "ReduceL2": (17, dict(axes=[2]), A),
    "ReduceLogSum": (11, dict(axes=[2]), np.abs(A)),
    "ReduceLogSumExp": (17, dict(axes=[2]), A),
    "ReduceSumSquare": (11, dict(axes=[2]), A),
    "Softmax": (11, {}, A),
    "Softmax of the last": (11, dict(axis=3), A),
    "Softmax of the last, from behind": (12, dict(axis=-1), A),
    "Softmax of all": (11, dict(axis=0), A),
    "LogSoftmax": (12, dict(axis=2), A),
    "LogSoftmax of the second": (11, dict(axis=-3), A),
    "Hardmax": (11, dict(axis=2), A),
    "Softmax since 13": (13, dict(axis=1), A),
    "Slice": (9, dict(starts=[0, 1], ends=[2, 3], axes=[1, 2]), A),
    "Slice of the first": (8, dict(starts=[1], ends=[2]), A),
    "Dropout": (11, dict(ratio=0.3), A),
    "Dropout since 12": (12, {}, A),
    "Clip": (9, {}, A),
}


@pytest.mark.parametrize("case", RAISED)
def test_raised(case, quantize, tmp_path):
    """An operator with its old meaning, then the new ones that keep it: the same numbers to the bit, or where a row was flattened and
    so is summed in another order, to its rounding."""
    opset, given, a = RAISED[case]
    node = helper.make_node(case.split()[0], ["a"], ["o0"], **given)
    before, after, model = raised(node, [], {"a": a}, opset, tmp_path, quantize)
    assert model.opset_import[0].version == 21 and model.ir_version == 10
    assert before["o0"].shape == after["o0"].shape
    assert np.allclose(before["o0"], after["o0"], rtol=60 * 2**-23, atol=60 * 2**-23)  # 60 terms of at most 1, or their logarithm


def test_raised_with_several_outputs(quantize, tmp_path):
    for opset, given, tensors in ((11, dict(axis=2), []), (11, dict(axis=3, split=[1, 4]), []), (13, dict(axis=3), [numpy_helper.from_array(np.array([2, 3]), "s")]),
                                  (17, dict(axis=2), [])):  # fmt: skip
        node = helper.make_node("Split", ["a", *[tensor.name for tensor in tensors]], ["o0", "o1"], **given)
        before, after, _ = raised(node, tensors, {"a": A}, opset, tmp_path, quantize, outputs=2)
        assert all(np.array_equal(before[name], after[name]) for name in before)
    node = helper.make_node("TopK", ["a"], ["o0", "indices"], k=2)
    before, after, _ = raised(node, [], {"a": A}, 9, tmp_path, quantize)
    assert np.array_equal(before["o0"], after["o0"])


def test_raised_inside_of_a_branch(quantize, tmp_path):
    def branch(name):
        steps = [helper.make_node("Unsqueeze", ["a"], [f"{name}.u"], axes=[0]), helper.make_node("Softmax", [f"{name}.u"], [f"{name}.o"], axis=1)]
        return helper.make_graph(steps, name, [], [helper.make_tensor_value_info(f"{name}.o", TensorProto.FLOAT, [None] * 5)])

    node = helper.make_node("If", ["flag"], ["o0"], then_branch=branch("then"), else_branch=branch("else"))
    flag = numpy_helper.from_array(np.array(True), "flag")
    before, after, _ = raised(node, [flag], {"a": A}, 11, tmp_path, quantize)
    assert np.allclose(before["o0"], after["o0"], rtol=120 * 2**-23, atol=0)


def test_raised_models_of_exporters(quantize, sharedData, tmp_path):
    """The fully connected layer of a network of opset 11, behind operators of that time."""
    folder = sharedData / "onnx" / "resnet-torchscript-opset11"
    quantize(folder / "model.onnx", tmp_path / "out.onnx", "--onnx-style=qdq")
    before, after = onnx.load(folder / "model.onnx"), onnx.load(tmp_path / "out.onnx")
    assert checkWeights(before, after, "int4-g32") == 1 and after.opset_import[0].version == 21
    checkLinears(tmp_path / "out.onnx", after, dict(np.load(folder / "inputs.npz")), tmp_path)


REFUSED = {
    "Upsample": (9, {}, "its meaning changed in opset 10"),
    "Pad": (10, dict(pads=[0] * 8), "its meaning changed in opset 11"),
    "Resize": (10, {}, "its meaning changed in opset 11"),
    "Clip": (10, dict(max=6.0), "its bounds became inputs of the type of its data in opset 11"),
    "Scatter": (10, {}, "its meaning changed in opset 11"),
    "BatchNormalization": (8, dict(spatial=0), "it can no longer have spatial = 0 in opset 9"),
    "RoiAlign": (15, {}, "its meaning changed in opset 16"),
    "GridSample": (16, {}, "its meaning changed in opset 20"),
    "DFT": (19, {}, "its meaning changed in opset 20"),
    "GroupNormalization": (20, {}, "its meaning changed in opset 21"),
}


@pytest.mark.parametrize("type", REFUSED)
def test_what_cannot_be_raised(type, refusal, quantize, tmp_path):
    opset, given, reason = REFUSED[type]
    steps = [helper.make_node("MatMul", ["x", "w"], ["p"], "product"), helper.make_node(type, ["p"], ["y"], "old", **given)]
    before = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 24))], {"x": ["n", 64]}, {"y": None}, opset=opset)
    assert refusal(before, tmp_path / "out.onnx", "--onnx-style=qdq") == (
        f"{before}: node 'old' ({type}, opset {opset}): cannot be raised to opset 21: {reason}")
    quantize(before, tmp_path / "out.onnx")  # MatMulNBits needs no raising


def test_functions_cannot_be_raised(refusal, tmp_path):
    function = helper.make_function("mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 20)])
    steps = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Twice", ["p"], ["y"], domain="mine")]
    before = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 24))], {"x": ["n", 64]}, {"y": None}, functions=[function],
                  opsets=[helper.make_opsetid("mine", 1)])  # fmt: skip
    assert refusal(before, tmp_path / "out.onnx", "--onnx-style=qdq") == (
        f"{before}: function 'Twice' states its operator sets itself: a model with functions cannot be raised from opset 20 to 21")


def test_every_change_of_the_schemas_is_known(tool, tmp_path):
    """Each operator whose attributes vanish or get other defaults, or whose inputs become others, between two versions: the tool
    refuses to raise it, or writes nothing that the later version does not have."""
    schemas = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and not schema.deprecated:
            schemas.setdefault(schema.name, {})[schema.since_version] = schema
    # Inputs that only have other names; one more behind the others.
    harmless = {("BatchNormalization", 14), ("Pad", 18)}
    checked = 0
    for name, versions in schemas.items():
        for old, new in zip(sorted(versions), sorted(versions)[1:]):
            before, after = versions[old], versions[new]
            gone = set(before.attributes) - set(after.attributes)
            defaults = [key for key in set(before.attributes) & set(after.attributes)
                        if str(before.attributes[key].default_value) != str(after.attributes[key].default_value)]  # fmt: skip
            inputs = [value.name for value in before.inputs] != [value.name for value in after.inputs]
            if not 7 < new <= 25 or not (gone or defaults or inputs) or (name, new) in harmless:
                continue
            checked += 1
            node = helper.make_node(name, [f"i{i}" for i in range(before.min_input)], [f"o{i}" for i in range(before.min_output)], "old")
            for key in gone:
                kind = before.attributes[key].type
                value = {onnx.defs.OpSchema.AttrType.INT: 1, onnx.defs.OpSchema.AttrType.FLOAT: 1.0, onnx.defs.OpSchema.AttrType.STRING: "s"}
                node.attribute.append(helper.make_attribute(key, value.get(kind, [1])))
            steps = [node, helper.make_node("MatMul", ["x", "w"], ["y"], "product")]
            inputs = {"x": ["n", 64], **{f"i{i}": [2, 3] for i in range(before.min_input)}}
            path, output = save(tmp_path / "in.onnx", steps, [tensorOf("w", (64, 24))], inputs, {"y": None}, opset=new - 1), tmp_path / "out.onnx"
            format = "int2-g16" if new > 21 else "int4-g16"
            done = subprocess.run([tool, "quantize", path, "--onnx-style=qdq", f"--format={format}", "-o", output], capture_output=True, text=True)
            if done.returncode:
                assert f"node 'old' ({name}, opset {new - 1}): cannot be raised to opset" in done.stderr, done.stderr
                continue
            written = next(node for node in onnx.load(output).graph.node if node.op_type == name)
            assert not gone & {attribute.name for attribute in written.attribute}, (name, new)
            assert all(any(attribute.name == key for attribute in written.attribute) for key in defaults), (name, new)
            output.unlink()
    assert checked > 25


# ---- Files


def test_external_data(quantize, refusal, tmp_path):
    """Where the model has external data, large tensors lie in OUT.onnx.data, page-aligned, small ones inside."""
    inside, folder = product(tmp_path / "inside.onnx", 128, 64), tmp_path / "out"
    model = onnx.load(inside)
    model.graph.node[0].output[0] = "p"
    for name, shape in (("large", (128,)), ("table", (40, 40))):
        model.graph.initializer.append(tensorOf(name, shape, 4))
    model.graph.node.append(helper.make_node("Add", ["p", "large"], ["y"]))
    folder.mkdir()
    onnx.save(model, tmp_path / "in.onnx", save_as_external_data=True, location="in.bin", size_threshold=1000)
    quantize(tmp_path / "in.onnx", folder / "out.onnx")
    assert sorted(path.name for path in folder.iterdir()) == ["out.onnx", "out.onnx.data"]
    new = checkOutput(tmp_path / "in.onnx", folder / "out.onnx", feed(), "int4-g32", tmp_path)
    bare = onnx.load(folder / "out.onnx", load_external_data=False)
    places = {tensor.name: {entry.key: entry.value for entry in tensor.external_data} for tensor in bare.graph.initializer}
    assert {name for name, place in places.items() if place} == {"w.codes", "table"}
    assert all(place["location"] == "out.onnx.data" and int(place["offset"]) % 4096 == 0 for place in places.values() if place)
    assert np.array_equal(numpy_helper.to_array(constants(new)["table"]), numpy_helper.to_array(tensorOf("table", (40, 40), 4)))
    # The input's data is no output.
    data = tmp_path / "in.bin"
    link = tmp_path / "o.onnx.data"
    link.hardlink_to(data)
    assert refusal(tmp_path / "in.onnx", tmp_path / "o.onnx").endswith(f"would replace the input '{data}'")
    assert refusal(tmp_path / "in.onnx", data) == f"{data}: the output would replace the input '{data}'"
    link.unlink()
    # A folder of its own for external data is allowed as elsewhere.
    (tmp_path / "apart").mkdir()
    shutil.move(data, tmp_path / "apart")
    assert "external data 'in.bin' is missing" in refusal(tmp_path / "in.onnx", tmp_path / "o.onnx")
    quantize(tmp_path / "in.onnx", tmp_path / "o.onnx", f"--external-data-root={tmp_path / 'apart'}")
    assert (tmp_path / "o.onnx.data").read_bytes() == (folder / "out.onnx.data").read_bytes()


def test_the_same_bytes(tool, quantize, tmp_path):
    """For any number of threads, again and again, and in any folder."""
    before = product(tmp_path / "in.onnx", 1500, 900)
    for style in STYLES:
        files = []
        for number, threads in enumerate((1, 2, 3)):
            (tmp_path / f"{style}{number}").mkdir()
            output = tmp_path / f"{style}{number}" / "out.onnx"
            quantize(before, output, f"--onnx-style={style}", f"--threads={threads}", "--format=int4-g32-asym")
            files.append(output.read_bytes())
        assert files[0] == files[1] == files[2]


def test_bad_input(refusal, tmp_path):
    before, output = product(tmp_path / "in.onnx"), tmp_path / "out.onnx"
    assert refusal(tmp_path / "none.onnx", output).endswith("none.onnx: cannot open: No such file or directory")
    assert refusal(before, before) == f"{before}: the output would replace the input '{before}'"
    assert refusal(before, output, "--format=int3-g32") == (
        f"{before}: weight 'w': MatMulNBits cannot store 'int3-g32' in rows of 64 weights; allowed are int8, int4, int2, with or without "
        "zero points, in blocks that 16 divides or that are a whole row")
    assert "MatMulNBits cannot store 'int4-g24'" in refusal(before, output, "--format=int4-g24")
    assert "MatMulNBits cannot store 'nf4-g32'" in refusal(before, output, "--format=nf4-g32")
    for format in ("int3-g32", "nf4-g64", "f16"):
        assert refusal(before, output, f"--format={format}", "--onnx-style=qdq") == (
            f"{before}: weight 'w': DequantizeLinear cannot store '{format}'; allowed are int8, int4, int2, with or without zero "
            "points, in any blocks")
    assert refusal(before, output, "--onnx-style=gguf") == "--onnx-style: no style is called 'gguf'; there are matmulnbits, qdq"
    assert refusal(before, output, "--format=int4").startswith("--format: unknown format 'int4'")
    model = onnx.load(before)
    weight = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weight[5, 7] = np.nan
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w"))
    onnx.save(model, before)
    assert refusal(before, output) == f"{before}: weight 'w', row 7, column 5 is nan"
    half = save(tmp_path / "half.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], [tensorOf("w", (64, 24), 0, np.float16)],
                {"x": ["n", 64]}, {"y": None}, elements=TensorProto.FLOAT16)  # fmt: skip
    assert refusal(half, output, "--format=int4-g32-bf16") == (
        f"{half}: weight 'w': a linear in float16 has scales of that type, which does not hold those of 'int4-g32-bf16' exactly; allowed "
        "there are scales in f16")
    none = save(tmp_path / "none.onnx", [helper.make_node("Add", ["x", "w"], ["y"])], [tensorOf("w", (64,))], {"x": ["n", 64]}, {"y": None})
    assert refusal(none, output) == f"{none}: there is no linear to quantize: no MatMul or Gemm reads a constant matrix"
    (tmp_path / "cut.onnx").write_bytes(before.read_bytes()[:-100])
    assert "cut.onnx: truncated at byte" in refusal(tmp_path / "cut.onnx", output)


# ---- GPTQ


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


def relativeError(change, weight, inputs):
    """The root of tr(dW H dW^T) / tr(W H W^T) over the inputs [tokens, columns]: that of the outputs."""
    return np.linalg.norm(inputs @ change) / np.linalg.norm(inputs @ weight)


@pytest.mark.parametrize("style", STYLES)
def test_gptq(style, quantize, tmp_path):
    """What the report says of the outputs is what numpy finds with ONNX Runtime's activations; rounding loses more."""
    before, data, count = mlp(tmp_path / "in.onnx"), tmp_path / "data.npz", 20
    samples = correlated(count, 12)
    np.savez(data, x=samples.reshape(count, 12, 48))
    report = quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", f"--onnx-style={style}")
    quantize(before, tmp_path / "rtn.onnx", f"--onnx-style={style}")
    watched = onnx.load(before)
    for name in "qrs":
        watched.graph.output.append(helper.make_empty_tensor_value_info(name))
    onnx.save(watched, tmp_path / "watched.onnx")
    values = {"x": samples.reshape(-1, 48)}
    values |= run(tmp_path / "watched.onnx", values)
    values["both"] = np.concatenate([values["r"], values["s"]])
    weights = {name: numpy_helper.to_array(tensor) for name, tensor in constants(onnx.load(before)).items()}
    decoded, rounded = ({linear.node: linear.matrix for linear in linears(onnx.load(tmp_path / name))} for name in ("out.onnx", "rtn.onnx"))
    assert [weight["name"] for weight in report["weights"]] == ["A", "B", "C", "D"]
    for weight, read in zip(report["weights"], ("x", "q", "q", "both")):
        original, node, inputs = weights[weight["name"]].astype(np.float64), weight["node"], values[read].astype(np.float64)
        assert weight["output_error"] == pytest.approx(relativeError(decoded[node] - original, original, inputs), rel=1e-4)
        assert weight["damp"] == 0.01
        assert weight["error"] == pytest.approx(np.linalg.norm(decoded[node] - original) / np.linalg.norm(original), rel=1e-6)
        assert weight["output_error"] < 0.8 * relativeError(rounded[node] - original, original, inputs)
    searched = quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", "--grid-search", "--act-order")
    assert sum(weight["output_error"] for weight in searched["weights"]) < sum(weight["output_error"] for weight in report["weights"])


def test_gptq_does_not_depend_on_threads_and_memory(quantize, tmp_path):
    before, data = mlp(tmp_path / "in.onnx"), tmp_path / "data.npz"
    np.savez(data, x=correlated(9, 5))
    files = set()
    for threads in (1, 2, 4):
        for memory in ("1GB", "40KB", "1"):
            quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", f"--threads={threads}", f"--memory={memory}")
            files.add((tmp_path / "out.onnx").read_bytes())
    assert len(files) == 1
    quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", "--samples=9", "--seed=3")
    assert (tmp_path / "out.onnx").read_bytes() in files
    some = set()
    for seed in (1, 1, 2):
        quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", "--samples=4", f"--seed={seed}")
        some.add((tmp_path / "out.onnx").read_bytes())
    assert len(some) == 2 and not some & files


def test_gptq_of_turned_activations_and_halves(quantize, tmp_path):
    """Gemm that reads its activations as [columns, tokens]; a graph in float16."""
    x = correlated(6, 10)
    turned = save(tmp_path / "turned.onnx", [helper.make_node("Gemm", ["x", "w"], ["y"], "turned", transA=1)], [tensorOf("w", (48, 16))],
                  {"x": [48, "n"]}, {"y": None})  # fmt: skip
    np.savez(tmp_path / "turned.npz", x=x.transpose(0, 2, 1))
    reports = [quantize(turned, tmp_path / "out.onnx", "--onnx-style=qdq", "--method=gptq", f"--calibrate={tmp_path / 'turned.npz'}")]
    for type, elements in ((np.float32, TensorProto.FLOAT), (np.float16, TensorProto.FLOAT16)):
        plain = save(tmp_path / "plain.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"], "plain")], [tensorOf("w", (48, 16), 0, type)],
                     {"x": ["n", 48]}, {"y": None}, elements=elements)  # fmt: skip
        np.savez(tmp_path / "plain.npz", x=x.astype(type))
        reports.append(quantize(plain, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={tmp_path / 'plain.npz'}"))
    errors = [report["weights"][0]["output_error"] for report in reports]
    assert errors[0] == errors[1] and errors[2] == pytest.approx(errors[1], rel=0.05)  # weights and inputs to 11 bits, codes may differ


def test_gptq_of_exporters_graphs(quantize, sharedData, tmp_path):
    """An encoder, a decoder with an empty past, whose arrays have no elements, and a network of convolutions."""
    for name in ("bert-dynamo", "llama-hf-decode", "whisper-optimum-encoder", "resnet-torchscript-opset11", "vit-optimum"):
        folder, data = sharedData / "onnx" / name, tmp_path / "data.npz"
        arrays = dict(np.load(folder / "inputs.npz"))
        np.savez(data, **arrays)
        report = quantize(folder / "model.onnx", tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}")
        assert all(weight["output_error"] < 0.2 for weight in report["weights"]), name
        run(tmp_path / "out.onnx", arrays)


def test_bad_calibration(refusal, tmp_path):
    before, output, data = mlp(tmp_path / "in.onnx"), tmp_path / "out.onnx", tmp_path / "data.npz"
    x = correlated(4, 5)

    def errorOf(*options, **arrays):
        np.savez(data, **arrays)
        return refusal(before, output, "--method=gptq", f"--calibrate={data}", *options)

    assert refusal(before, output, "--method=gptq") == "--method: this one needs data to calibrate on: --calibrate=FILE"
    assert refusal(before, output, f"--calibrate={data}") == "--calibrate: the method uses no data; others do: --method=gptq"
    assert refusal(before, output, "--method=awq") == "--method: no method is called 'awq'; there are rtn, gptq"
    assert refusal(before, output, "--method=gptq", "--calibrate=none.npz") == "none.npz: cannot open: No such file or directory"
    assert refusal(before, output, "--method=gptq", f"--calibrate={before}").startswith(f"{before}: not an .npz file")
    assert errorOf() == f"{data}: no arrays to calibrate on"
    assert errorOf(z=x) == "in.onnx: input 'x' is missing; the inputs are x"
    assert errorOf(x=x, z=x) == "in.onnx: no input is called 'z'; the inputs are x"
    assert errorOf(x=x, z=x[:3]) == f"{data}: array 'z' is float32 [3, 5, 48], but 'x' has 4 samples"
    assert errorOf(x=np.float32(1)) == f"{data}: array 'x' is float32 []: its first axis should be that of samples, but it has none"
    assert errorOf(x=x[:0]) == f"{data}: array 'x' is float32 [0, 5, 48]: no sample to calibrate on"
    assert errorOf(x=x[..., :40]) == "in.onnx: input 'x' is float32 [5, 40], not float32 [n, 48]"
    assert errorOf(x=x.astype(np.int64)) == "in.onnx: input 'x' is int64 [5, 48], not float32 [n, 48]"
    assert errorOf(x=x[:, :0]) == f"{before}: value 'x' is float32 [0, 48]: a linear reads it, and there is no vector to calibrate on"
    bad = x.copy()
    bad[2, 3, 7] = np.nan
    assert errorOf(x=bad) == f"{data}: array 'x' is NaN at [2, 3, 7]"
    bad[2, 3, 7] = -np.inf
    assert errorOf(x=bad) == f"{before}: value 'x', token 3 of sequence 2: column 7 is infinite"
    assert errorOf("--act-order", "--block-order", x=x) == "--act-order and --block-order are two orders: choose one"
    huge = (x * np.float32(1e25)).astype(np.float32)
    assert errorOf(x=huge) == f"{before}: weight 'A': row 0, column 0 of the Hessian is inf"
    assert errorOf("--memory=much", x=x) == "--memory: 'much' is no size; 1GB, 1.5MB and 4096 are"
    assert errorOf("--samples=0", x=x) == "--samples: '0' is not a whole number from 1 on"
    model = onnx.load(before)
    model.graph.node[1].op_type, model.graph.node[1].domain = "Secret", "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    onnx.save(model, before)
    assert errorOf(x=x).startswith(f"{before}: node 'q' (com.example.Secret, opset 1): domain 'com.example' is not known")


def lookup(path):
    """y = root(table[ids]) w."""
    table = numpy_helper.from_array(np.random.default_rng(1).uniform(0.5, 1, (10, 32)).astype(np.float32), "table")
    steps = [helper.make_node("Gather", ["table", "ids"], ["rows"], "lookup"), helper.make_node("Sqrt", ["rows"], ["roots"]),
             helper.make_node("MatMul", ["roots", "w"], ["y"], "product")]  # fmt: skip
    return save(path, steps, [table, tensorOf("w", (32, 16))], {"ids": ["n"]}, {"y": None}, given=TensorProto.INT64)


def test_bad_calibration_inside_of_the_graph(quantize, refusal, tmp_path):
    """Ids that the vocabulary does not have, also in a sample that comes late; numbers that become NaN on the way."""
    before, output, data = lookup(tmp_path / "in.onnx"), tmp_path / "out.onnx", tmp_path / "ids.npy"
    ids = np.random.default_rng(2).integers(-10, 10, (5, 7))
    options = ("--method=gptq", f"--calibrate={data}")
    for bad in (10, -11, 2**40):
        wrong = ids.copy()
        wrong[3, 5] = bad
        np.save(data, wrong)
        reason = f"sample 3: in.onnx: node 'lookup' (Gather, opset 20): index {bad} lies outside of 10 elements"
        assert refusal(before, output, *options) == f"{data}: {reason}"
    np.save(data, ids)
    quantize(before, output, *options)
    output.unlink()
    model = onnx.load(before)
    table = numpy_helper.to_array(model.graph.initializer[0]).copy()
    table[ids[4, 2], 9] = -1
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(table, "table"))
    onnx.save(model, before)
    assert refusal(before, output, *options).startswith(f"{before}: value 'roots', token ")


def test_gptq_options(quantize, tmp_path):
    """Each gives codes of its own. Weights that share an input need not share a format, though the order of blocks hangs on their
    size: what a weight becomes does not depend on the other. An .npy file serves a graph with one input."""
    before, data, output = mlp(tmp_path / "in.onnx"), tmp_path / "x.npy", tmp_path / "out.onnx"
    np.save(data, correlated(20, 12))
    errors, files = {}, set()
    for option in ("--damp=.01", "--damp=.1", "--act-order", "--block-order", "--static-groups", "--grid-search"):

        def errorsOf(formats):
            report = quantize(before, output, "--method=gptq", f"--calibrate={data}", "--format=int4-g16", option, f"--formats={formats}")
            assert {weight["damp"] for weight in report["weights"]} == {0.1 if option == "--damp=.1" else 0.01}
            return {weight["name"]: weight["output_error"] for weight in report["weights"]}

        errors[option] = errorsOf("C:int4-g32")
        files.add(output.read_bytes())
        assert errorsOf("C:f32")["B"] == errors[option]["B"] and errorsOf("B:f32,C:int4-g32")["C"] == errors[option]["C"]
    assert len(files) == len(errors)


def test_command_line(tool):
    def errorOf(*arguments):
        done = subprocess.run([tool, "quantize", *arguments], capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr.strip()

    usage = "usage: halftone quantize MODEL.onnx [options] -o OUT.onnx"
    assert errorOf() == f"halftone: error: no model given; {usage}"
    assert errorOf("m.onnx") == "halftone: error: no output given: -o FILE"
    assert errorOf("m.onnx", "n.onnx") == "halftone: error: two models given, 'm.onnx' and 'n.onnx'"
    assert errorOf("m.onnx", "--formt=int4-row") == "halftone: error: unknown option '--formt'; did you mean '--format'?"
