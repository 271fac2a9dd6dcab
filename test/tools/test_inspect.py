"""halftone inspect: what it tells of models and of executables, which it reads and does not run."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from synthetic import TINY


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("inspect")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    return path


@pytest.fixture(scope="module")
def inspect(tool, folder):
    def call(*arguments):
        return subprocess.run([tool, "inspect", *arguments], cwd=folder, capture_output=True, text=True)

    return call


@pytest.fixture(scope="module")
def program(tool, folder):
    """A program for a processor that this one is not."""
    command = [tool, "compile", "tiny.onnx", "--format=int4-g16", "--target=sapphirerapids", "-o", "program"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "program"


def reportOf(done):
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def test_architecture(inspect):
    found = reportOf(inspect("tiny.onnx", "--json"))["architecture"]
    assert found == {
        "layers": TINY.layers, "hidden": TINY.dim, "heads": TINY.heads, "kv_heads": TINY.kvHeads, "head_size": TINY.dim // TINY.heads,
        "vocabulary": TINY.vocabulary, "context": TINY.context, "tied_embedding": TINY.tied, "rope_channels": TINY.dim // TINY.heads,
        "rope_pairs": "halves", "rope_base": 10000.0,
    }


def test_what_the_file_says(inspect, folder):
    report, model = reportOf(inspect("tiny.onnx", "--json")), onnx.load(folder / "tiny.onnx")
    assert report["file"] == "tiny.onnx" and report["kind"] == "onnx"
    assert report["opsets"] == {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    assert [entry["name"] for entry in report["inputs"]] == [value.name for value in model.graph.input]
    assert sum(entry["nodes"] for entry in report["operators"]) == len(model.graph.node)
    tensors = {entry["name"]: entry for entry in report["tensors"]}
    data = (folder / "tiny.onnx").read_bytes()
    for tensor in model.graph.initializer:
        array, entry = numpy_helper.to_array(tensor), tensors[tensor.name]
        assert (entry["shape"], entry["bytes"], entry["type"]) == (list(array.shape), array.nbytes, str(array.dtype))
        assert data[entry["offset"]:entry["offset"] + array.nbytes] == array.tobytes()


def test_a_graph_that_is_no_decoder_is_described_all_the_same(inspect, folder):
    weight = numpy_helper.from_array(np.ones((8, 8), np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Frobnicate", ["y"], ["z"], name="odd", domain="com.microsoft")]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 8]) for name in "xz"]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [weight])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "odd.onnx")
    report = reportOf(inspect("odd.onnx", "--json"))
    assert "architecture" not in report
    assert "node 'odd'" in report["not_a_decoder"] and "not supported" in report["not_a_decoder"]
    assert report["operators"] == [{"operator": "MatMul", "nodes": 1}, {"operator": "com.microsoft.Frobnicate", "nodes": 1}]
    assert report["inputs"] == [{"name": "x", "type": "float32", "shape": ["n", 8]}]
    assert "not_a_decoder: " in inspect("odd.onnx").stdout


def test_an_executable_is_read_and_not_run(inspect, program):
    program.chmod(0o644)
    report = reportOf(inspect("program", "--json"))
    assert report["kind"] == "executable" and [target["cpu"] for target in report["targets"]] == ["sapphirerapids"]
    assert sum(entry["bytes"] for entry in report["weights"]) == sum(entry["bytes"] for entry in report["formats"])
    linears = [entry for entry in report["weights"] if entry["format"] == "int4-g16"]
    assert len(linears) == 7 * TINY.layers
    for entry in linears:  # 4 bits, and 16 for the scale of each block, of which the last of a row may be short
        columns = entry["shape"][1]
        assert entry["bits"] == round(4 + 16 * -(-columns // 16) / columns, 3)
    text = inspect("program").stdout
    assert "format: int4-g16\n" in text and "\nweights:\n" in text


def test_a_stripped_executable_too(inspect, program, folder):
    strip = shutil.which("strip")
    if not strip:
        pytest.skip("strip is not installed")
    shutil.copy(program, folder / "stripped")
    subprocess.run([strip, folder / "stripped"], check=True)
    assert reportOf(inspect("stripped", "--json")) == reportOf(inspect("program", "--json"))


def test_other_files_are_errors(inspect, program, folder):
    (folder / "short").write_bytes(program.read_bytes()[:-100_000])
    shutil.copy("/bin/true", folder / "true")
    for name, words in {"short": "short: ", "true": "true: not a linked", "nowhere": "nowhere: cannot open"}.items():
        done = inspect(name)
        assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith(f"halftone: error: {words}"), done.stderr
    assert inspect().stderr == "halftone: error: no file given; usage: halftone inspect FILE [options]\n"
