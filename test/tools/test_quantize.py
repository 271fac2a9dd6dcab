"""halftone quantize: the linears of any graph in either style; everything else of a file as it was."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from pathlib import Path

import numpy as np
import onnx
import pytest
from lowbit_numpy import quantized
from onnx import TensorProto, helper, numpy_helper
from onnx_quantized import constants, graphs, linears, nodes
from quantized_graphs import STYLES, checkLinears, checkOutput, checkRest, checkWeights, feed, isValid, product, run, save, tensorOf

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


def test_what_is_left_alone(quantize, refusal, tmp_path):
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
    refused = refusal(before, tmp_path / "out.onnx", "--allow-fallback=scaled")
    assert refused == f"{before}: 1 weight falls back, which --allow-fallback=GLOB allows:"  # and a line that says which and why
    report = quantize(before, tmp_path / "out.onnx", "--allow-fallback=scaled,pl*")
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
