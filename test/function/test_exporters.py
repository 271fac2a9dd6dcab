"""halftone run on the graphs of real exporters, with the arrays that ONNX Runtime gave for them, and on graphs of one node."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

# The shared folder's README has these: fp32 results differ by the order of sums; those of fp16 and of integer codes by roundings
# that fall the other way. (pattern, rtol, atol), the first that fits.
# Two graphs ask for int8 activations (accuracy_level 4): one code is 1/127 of a block's largest activation, and where a value lies
# between two codes, float16's rounding or the order of a sum decides. Logits of up to 4 then move by up to 0.08; the argmax stays.
TOLERANCES = [
    ("llama-genai-webgpu", 3e-2, 1e-1), ("mistral-genai-int4asym", 2e-2, 4e-2),
    ("fp16", 2e-2, 2e-2), ("genai-int[48]", 2e-2, 2e-2), ("webgpu", 3e-2, 3e-2), ("nbits", 1e-2, 1e-2),
    ("-dynamic$", 3e-2, 3e-2), ("-static", 5e-2, 5e-2), ("", 1e-3, 1e-4),
]  # fmt: skip

# What keeps a graph from running: the operators without a row, or the words of the error. A graph that begins to run, or lacks
# other operators than these, fails its test.
MISSING = {
    "whisper-optimum-decoder-merged": {"If"},
}


def tolerance(name):
    return next((rtol, atol) for pattern, rtol, atol in TOLERANCES if re.search(pattern, name))


def cases():
    """(folder, "" or ".decode") for every graph of the shared folder that carries its own weights."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "onnx"
    found = [(path.parent.name, suffix) for suffix in ("", ".decode") for path in folder.glob(f"*/inputs{suffix}.npz")]
    return sorted(found) or [pytest.param("none", "", marks=pytest.mark.skip("../shared/data is not here"))]


def unsupported(error):
    """The operators that an error of missing ones lists."""
    return set(re.findall(r"\(([\w.]+), opset \d+\): (?:operator is not supported|neither is this)", error))


@pytest.fixture(scope="session")
def stories15M(root, sharedData, tmp_path_factory):
    """stories15M(folder): a copy of a stories15M graph with its weights."""
    done = subprocess.run(["scripts/get_stories15M.sh"], cwd=root, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"stories15M cannot be had: {done.stderr.strip().splitlines()[-1]}")

    def make(name):
        copy = tmp_path_factory.mktemp("stories") / name
        shutil.copytree(sharedData / "onnx" / name, copy)
        copy.chmod(0o755)
        rebuild = [sys.executable, sharedData / "onnx" / "rebuild_stories15M.py", root / "demo" / "stories15M.bin", copy]
        subprocess.run(rebuild, check=True, capture_output=True)
        return copy

    return make


@pytest.mark.parametrize(("name", "suffix"), cases())
def test_exported_graph(name, suffix, halftone, sharedData, request, tmp_path):
    folder = sharedData / "onnx" / name
    if name.startswith("stories15M"):
        folder = request.getfixturevalue("stories15M")(name)
    output = tmp_path / "outputs.npz"
    done = halftone("run", folder / "model.onnx", f"--inputs={folder / f'inputs{suffix}.npz'}", f"--outputs={output}", "--json")
    if name in MISSING:
        assert done.returncode == 1 and not output.exists()
        assert unsupported(done.stderr) == MISSING[name], done.stderr
        return
    assert done.returncode == 0, done.stderr
    given, expected, (rtol, atol) = np.load(output), np.load(folder / f"outputs{suffix}.npz"), tolerance(name)
    assert set(given.files) == set(expected.files)
    for key in expected.files:
        assert (given[key].dtype, given[key].shape) == (expected[key].dtype, expected[key].shape), key
        np.testing.assert_allclose(given[key].astype(np.float64), expected[key].astype(np.float64), rtol=rtol, atol=atol, err_msg=key)
    report = json.loads(done.stdout)
    assert [output["name"] for output in report["outputs"]] == given.files


#===-- Graphs of one node, against ONNX Runtime ------------------------------------------------------------------------===#

RANDOM = np.random.default_rng(5)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def node(operator, inputs, outputs=1, opset=20, **attributes):
    return operator, inputs, outputs, opset, attributes


NODES = {
    "broadcast": node("Sub", {"a": floats(2, 1, 3), "b": floats(4, 1)}),
    "integers": node("Div", {"a": np.array([7, -7, 9], np.int64), "b": np.array([2, 2, -3], np.int64)}),
    "int32": node("Mul", {"a": np.array([7, -7], np.int32), "b": np.array([2], np.int32)}),
    "half": node("Exp", {"a": floats(3, 5).astype(np.float16)}),
    "double": node("Sqrt", {"a": np.abs(RANDOM.standard_normal(4))}),
    "double constant": node("Mul", {"a": RANDOM.standard_normal(4), "low": np.array([1 / 3])}),
    "scalar": node("Add", {"a": np.array(1.5, np.float32), "b": np.array(2, np.float32)}),
    "nothing": node("Relu", {"a": floats(2, 0, 3)}),
    "bytes": node("Cast", {"a": np.array([0, 127, 128, 255], np.uint8)}, to=onnx.TensorProto.FLOAT),
    "less of bytes": node("Less", {"a": np.array([0, 200], np.uint8), "b": np.array([100, 100], np.uint8)}),
    "truth": node("Xor", {"a": np.array([True, False, True]), "b": np.array([True, True, False])}),
    "nan": node("IsNaN", {"a": np.array([1, np.nan, np.inf], np.float32)}),
    "floor mod": node("Mod", {"a": np.array([7, -7, 7, -7, 4], np.int64), "b": np.array([3, 3, -3, -3, 2], np.int64)}),
    "fmod": node("Mod", {"a": floats(4), "b": floats(4)}, fmod=1),
    "clip": node("Clip", {"a": floats(9), "low": np.array(-0.5, np.float32), "high": np.array(0.25, np.float32)}),
    "gelu": node("Gelu", {"a": floats(9)}),
    "tanh gelu": node("Gelu", {"a": floats(9)}, approximate="tanh"),
    "softplus": node("Softplus", {"a": np.array([-100, -1, 0, 1, 100], np.float32)}),
    "sign": node("Sign", {"a": np.array([-2.5, 0, 3], np.float32)}),
    "round": node("Round", {"a": np.array([0.5, 1.5, -2.5, 0.7], np.float32)}),
    "hard swish": node("HardSwish", {"a": 4 * floats(9)}),
    "concat": node("Concat", {"a": floats(2, 3), "b": floats(2, 0), "c": floats(2, 1)}, axis=-1),
    "transpose": node("Transpose", {"a": floats(2, 3, 4)}, perm=[2, 0, 1]),
    "split": node("Split", {"a": floats(2, 7)}, outputs=3, axis=1, num_outputs=3),
    "trilu": node("Trilu", {"a": floats(4, 5)}, upper=0),
    "gather": node("Gather", {"a": floats(4, 3), "i": np.array([[3, -1], [0, 1]], np.int64)}, axis=0),
    "gather rows": node("GatherElements", {"a": floats(3, 3), "i": np.array([[1, -1, 0]], np.int64)}, axis=0),
    "gather nd": node("GatherND", {"a": floats(2, 3, 4), "i": np.array([[[1], [2]], [[0], [-1]]], np.int64)}, batch_dims=1),
    "max": node("ReduceMax", {"a": floats(2, 3, 4)}, keepdims=0),
    "arg max": node("ArgMax", {"a": np.array([[1, 3, 3], [2, 0, 1]], np.float32)}, axis=1),
    "last arg min": node("ArgMin", {"a": np.array([[1, 1, 3]], np.float32)}, axis=1, keepdims=0, select_last_index=1),
    "softmax": node("Softmax", {"a": 30 * floats(2, 3, 4)}, axis=1),
    "layer norm": node("LayerNormalization", {"a": floats(2, 3, 4), "g": floats(3, 4), "b": floats(3, 4)}, axis=1),
    "vector product": node("MatMul", {"a": floats(3), "b": floats(2, 3, 4)}),
    "batched product": node("MatMul", {"a": floats(2, 1, 3, 4), "b": floats(5, 4, 2)}),
    "inner product": node("MatMul", {"a": floats(3), "b": floats(3)}),
    "gemm": node("Gemm", {"a": floats(4, 2), "b": floats(3, 4), "c": floats(3)}, transA=1, transB=1, alpha=0.5, beta=2.0),
    "grouped conv": node("Conv", {"x": floats(2, 4, 7, 6), "w": floats(6, 2, 3, 2), "b": floats(6)}, group=2, strides=[2, 1], pads=[1, 0, 2, 1]),
    "dilated conv": node("Conv", {"x": floats(1, 2, 9), "w": floats(3, 2, 3)}, dilations=[2], pads=[1, 2]),
    "same conv": node("Conv", {"x": floats(1, 2, 9), "w": floats(3, 2, 4)}, strides=[2], auto_pad="SAME_LOWER"),
    "max pool": node("MaxPool", {"x": floats(1, 2, 7, 7)}, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "ceiling pool": node("MaxPool", {"x": floats(1, 1, 6, 6)}, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "average pool": node("AveragePool", {"x": floats(1, 2, 5, 5)}, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "padded average": node("AveragePool", {"x": floats(1, 2, 5, 5)}, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    "batch norm": node("BatchNormalization", {"x": floats(2, 3, 4), "g": floats(3), "b": floats(3), "m": floats(3), "v": np.abs(floats(3))}),
}  # fmt: skip


def plain():
    """ONNX Runtime's options for what the graph says and nothing else."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def graphOf(operator, inputs, outputs, opset, attributes, constants=(), domain=""):
    """A model of one node; inputs named in `constants` are initializers. Types and shapes of outputs are left to find out."""
    names = [f"out{i}" for i in range(outputs)]
    values = {name: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape) for name, array in inputs.items()}
    made = helper.make_node(operator, list(inputs), names, domain=domain, **attributes)
    initializers = [onnx.numpy_helper.from_array(inputs[name], name) for name in constants]
    results = [onnx.ValueInfoProto(name=name) for name in names]
    graph = helper.make_graph([made], "g", [value for name, value in values.items() if name not in constants], results, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def runGraph(halftone, folder, model, inputs):
    onnx.save(model, folder / "model.onnx")
    np.savez_compressed(folder / "inputs.npz", **inputs)
    done = halftone("run", "model.onnx", "--inputs=inputs.npz", "--outputs=outputs.npz", cwd=folder)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "outputs.npz")


@pytest.mark.parametrize("case", NODES)
def test_node(case, halftone, tmp_path):
    """Both ways to spell it differ by the order of sums of at most 20 numbers of about 1, in the precision of their type: far from 32
    roundings of a few units; a half rounds once, where the reference may round each step."""
    operator, inputs, outputs, opset, attributes = NODES[case]
    constants = [name for name in ("low", "high") if name in inputs]
    model = graphOf(operator, inputs, outputs, opset, attributes, constants)
    given = {name: array for name, array in inputs.items() if name not in constants}
    expected = onnxruntime.InferenceSession(model.SerializeToString(), plain(), providers=["CPUExecutionProvider"]).run(None, given)
    results = runGraph(halftone, tmp_path, model, given)
    for name, value in zip(results.files, expected, strict=True):
        value = np.asarray(value)
        assert (results[name].dtype, results[name].shape) == (value.dtype, value.shape)
        precision = np.finfo(value.dtype).eps if value.dtype.kind == "f" else 0
        np.testing.assert_allclose(results[name], value, rtol=32 * precision, atol=32 * precision)


#===-- Errors -----------------------------------------------------------------------------------------------------------===#


@pytest.fixture
def sum2(tmp_path):
    """A folder with a graph that adds x [n, 3] and y [3]."""
    values = [helper.make_tensor_value_info(*value) for value in (("x", 1, ["n", 3]), ("y", 1, [3]), ("z", 1, ["n", 3]))]
    graph = helper.make_graph([helper.make_node("Add", ["x", "y"], ["z"], name="sum")], "g", values[:2], values[2:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), tmp_path / "sum.onnx")
    return tmp_path


def refuse(halftone, folder, model, **inputs):
    np.savez(folder / "inputs.npz", **inputs)
    done = halftone("run", model, "--inputs=inputs.npz", "--outputs=outputs.npz", cwd=folder)
    assert done.returncode == 1 and done.stdout == "" and not (folder / "outputs.npz").exists()
    return done.stderr.partition("halftone: error: ")[2].rstrip("\n")


def test_inputs_that_do_not_fit(halftone, sum2):
    x, y = floats(2, 3), floats(3)
    assert refuse(halftone, sum2, "sum.onnx", x=x) == "sum.onnx: input 'y' is missing; the inputs are x, y"
    assert refuse(halftone, sum2, "sum.onnx", x=x, y=y, q=y) == "sum.onnx: no input is called 'q'; the inputs are x, y"
    assert refuse(halftone, sum2, "sum.onnx", x=x, y=floats(4)) == "sum.onnx: input 'y' is float32 [4], not float32 [3]"
    assert refuse(halftone, sum2, "sum.onnx", x=x.astype(np.float64), y=y) == "sum.onnx: input 'x' is float64 [2, 3], not float32 [n, 3]"


def test_the_output_is_not_an_input(halftone, sum2):
    np.savez(sum2 / "inputs.npz", x=floats(2, 3), y=floats(3))
    for path in ("inputs.npz", "sum.onnx"):
        before = (sum2 / path).read_bytes()
        done = halftone("run", "sum.onnx", "--inputs=inputs.npz", f"--outputs={path}", cwd=sum2)
        assert done.returncode == 1 and path in done.stderr and (sum2 / path).read_bytes() == before


def test_all_unsupported_nodes_are_named_at_once(halftone, tmp_path):
    nodes = [helper.make_node("Det", ["x"], ["a"], name="first"), helper.make_node("Add", ["a", "a"], ["b"]),
             helper.make_node("Inverse", ["x"], ["c"], name="second", domain="com.microsoft"), helper.make_node("Add", ["b", "c"], ["z"])]
    values = [helper.make_tensor_value_info(name, 1, ["n", "n"]) for name in "xz"]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:]), opset_imports=opsets, ir_version=8), tmp_path / "m.onnx")
    assert refuse(halftone, tmp_path, "m.onnx", x=floats(2, 2)) == (
        "m.onnx: node 'first' (Det, opset 18): operator is not supported\n"
        "  note: m.onnx: node 'second' (com.microsoft.Inverse, opset 1): neither is this"
    )


def test_shapes_that_only_running_gives_are_an_error(halftone, tmp_path):
    values = [helper.make_tensor_value_info("n", 7, []), helper.make_tensor_value_info("z", 7, ["m"])]
    constants = [onnx.numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (("zero", 0), ("one", 1))]
    graph = helper.make_graph([helper.make_node("Range", ["zero", "n", "one"], ["z"], name="count")], "g", values[:1], values[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), tmp_path / "m.onnx")
    error = refuse(halftone, tmp_path, "m.onnx", n=np.array(3, np.int64))
    assert error == "m.onnx: node 'count' (Range, opset 18): its result depends on values that are known only when the graph runs"


UNFIT = {
    "product": (node("MatMul", {"a": floats(2, 3), "b": floats(2, 3)}), "inner dimensions differ: 3 and 2"),
    "broadcast": (node("Add", {"a": floats(2, 3), "b": floats(2)}), "shapes do not broadcast, [2, 3] and [2]"),
    "batches": (node("MatMul", {"a": floats(2, 1, 3), "b": floats(3, 3, 1)}), "batches do not broadcast, [2] and [3]"),
    "index": (node("Gather", {"a": floats(4, 2), "b": np.array([[3, -4], [4, -5]])}), "index 4 lies outside of 4 elements"),
    "index from behind": (node("GatherElements", {"a": floats(4, 2), "b": np.array([[3, -3]], np.int32)}, axis=1), "index 3 lies outside of 2 elements"),
    "index of a corner": (node("GatherND", {"a": floats(4, 2), "b": np.array([[3, -2], [-4, -3]])}), "index -3 lies outside of 2 elements"),
    "index of nothing": (node("Gather", {"a": floats(0, 2), "b": np.array([0])}), "indices of 0 elements"),
    "types": (node("Add", {"a": floats(2), "b": np.array([1, 2], np.int64)}), "inputs have different types"),
    "kernel": (node("Conv", {"x": floats(1, 2, 5), "w": np.array(1, np.float32)}), "a kernel of 0 dimensions for an input of 3"),
    "padding": (node("MaxPool", {"x": floats(1, 1, 5)}, kernel_shape=[3], pads=[1 << 40, 0]), "its padding is not between 0 and 2147483647"),
    "memory": (node("AveragePool", {"x": floats(1, 1, 5, 5)}, kernel_shape=[1, 1], pads=[1 << 30] * 4), "a tensor has more bytes than this machine has memory"),
    "types of the operator": (node("Sqrt", {"a": np.array([4], np.int32)}), "inputs of i32 are not supported"),
    "two types of the operator": (node("Conv", {"x": floats(1, 1, 3), "w": np.ones((1, 1, 2), np.int32)}), "a kernel of 3 dimensions for an input of 3, or of another type"),
    "triangle": (node("Trilu", {"a": floats(3)}), "a tensor of 1 dimensions has no triangle"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_nodes_whose_inputs_do_not_fit(case, halftone, tmp_path):
    (operator, inputs, outputs, opset, attributes), reason = UNFIT[case]
    values = {name: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape) for name, array in inputs.items()}
    made = helper.make_node(operator, list(inputs), ["z"], name="odd", **attributes)
    graph = helper.make_graph([made], "g", list(values.values()), [helper.make_tensor_value_info("z", 1, None)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9), tmp_path / "m.onnx")
    assert refuse(halftone, tmp_path, "m.onnx", **inputs).startswith(f"m.onnx: node 'odd' ({operator}, opset {opset}): {reason}")


def test_a_result_of_another_type_than_the_model_says(halftone, tmp_path):
    values = [helper.make_tensor_value_info("x", 7, [2]), helper.make_tensor_value_info("z", 1, [2])]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["z"])], "g", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), tmp_path / "m.onnx")
    error = refuse(halftone, tmp_path, "m.onnx", x=np.array([1, 2]))
    assert error == "m.onnx: output 'z' is computed as i64, but the model says that it is float32"


@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_no_division_ends_the_program(operator, halftone, tmp_path):
    least = np.iinfo(np.int64).min
    inputs = {"a": np.array([least, 7, least]), "b": np.array([-1, 0, 3])}
    values = [helper.make_tensor_value_info(name, 7, [3]) for name in "abz"]
    graph = helper.make_graph([helper.make_node(operator, ["a", "b"], ["z"])], "g", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    result = runGraph(halftone, tmp_path, model, inputs)["z"]
    assert result[2] == (-((2**63) // 3) if operator == "Div" else least % 3)


def test_archives_that_are_none(halftone, sum2):
    np.savez(sum2 / "whole.npz", x=floats(2, 3), y=floats(3))
    whole = (sum2 / "whole.npz").read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(b"NUMPY") + 130] ^= 1
    for name, content in {"empty": b"", "text": b"no archive", "short": whole[: len(whole) // 2], "flipped": bytes(flipped)}.items():
        (sum2 / f"{name}.npz").write_bytes(content)
        done = halftone("run", "sum.onnx", f"--inputs={name}.npz", "--outputs=outputs.npz", cwd=sum2)
        assert done.returncode == 1 and done.stderr.startswith(f"halftone: error: {name}.npz: "), done.stderr
