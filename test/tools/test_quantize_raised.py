"""halftone quantize raises the operator set as far as a style needs, and no model computes anything else for that."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from quantized_graphs import checkLinears, checkWeights, feed, run, save, tensorOf

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
