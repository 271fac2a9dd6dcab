"""halftone quantize that was killed goes on where it was, and writes the bytes of one that was not."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import subprocess
import time

import numpy as np
import pytest
from onnx import helper
from quantized_graphs import correlated, save, tensorOf

LAYERS, WIDTH = 8, 192
CHAINS = ("gptq", "awq,gptq", "imatrix")


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """A chain of linears, each read by two, and samples for it."""
    folder = tmp_path_factory.mktemp("resumed")
    nodes, weights, value = [], [], "x"
    for i in range(LAYERS):
        weights += [tensorOf(f"w{i}", (WIDTH, WIDTH), i), tensorOf(f"v{i}", (WIDTH, WIDTH), 100 + i)]
        nodes += [helper.make_node("MatMul", [value, f"w{i}"], [f"a{i}"]), helper.make_node("MatMul", [value, f"v{i}"], [f"b{i}"]),
                  helper.make_node("Add", [f"a{i}", f"b{i}"], [f"c{i}"]), helper.make_node("Tanh", [f"c{i}"], [f"t{i}"])]  # fmt: skip
        value = f"t{i}"
    save(folder / "in.onnx", nodes, weights, {"x": ["n", WIDTH]}, {value: None})
    np.save(folder / "x.npy", correlated(30, 16, WIDTH))
    return folder


def command(tool, graph, output, method, *options):
    return [tool, "quantize", graph / "in.onnx", f"--calibrate={graph / 'x.npy'}", f"--method={method}", "--format=int4-g32-asym", *options, "-o", output]


@pytest.fixture(scope="module")
def whole(tool, graph):
    """{method: what a run that nobody kills gives}"""
    found = {}
    for method in CHAINS:
        subprocess.run(command(tool, graph, graph / "whole.onnx", method), check=True, capture_output=True)
        found[method] = (graph / "whole.onnx").read_bytes()
    return found


def killed(words, output, records):
    """Kills the command once its journal holds as many records; False when it was done before."""
    journal = output.with_name(output.name + ".work") / "journal"
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"codes ") >= records):
        time.sleep(0.0005)
    process.kill()
    return process.wait() != 0 and journal.exists()


@pytest.mark.parametrize("method", CHAINS)
def test_killed_it_resumes_with_the_same_bytes(tool, graph, whole, tmp_path, method):
    resumed = 0
    for records in (1, 2, 5, 9, 2 * LAYERS):
        output = tmp_path / f"killed{records}.onnx"
        words = command(tool, graph, output, method)
        resumed += killed(words, output, records)
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert output.read_bytes() == whole[method]
    assert resumed >= 3
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".onnx"] * 5


def test_what_is_done_is_not_done_again(tool, graph, whole, tmp_path):
    """A journal of all weights but the last pair's: the graph runs for that pair alone."""
    output = tmp_path / "out.onnx"
    words = command(tool, graph, output, "gptq", "--memory=1")
    assert killed(words, output, LAYERS)
    finished = (tmp_path / "out.onnx.work" / "journal").read_bytes().count(b"codes ")
    done = subprocess.run(words, capture_output=True, text=True)
    assert output.read_bytes() == whole["gptq"]
    runs = {line for line in done.stderr.splitlines() if line.startswith("compiling")}
    assert 0 < len(runs) <= LAYERS - finished // 2


@pytest.mark.parametrize("other", [("--damp=0.05",), ("--act-order",), ("--samples=20",), ("--formats=w0:int4-g64",)])
def test_a_journal_of_another_command_is_not_used(tool, graph, whole, tmp_path, other):
    output = tmp_path / "out.onnx"
    assert killed(command(tool, graph, output, "gptq", *other), output, 4)
    subprocess.run(command(tool, graph, output, "gptq"), check=True, capture_output=True)
    assert output.read_bytes() == whole["gptq"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.onnx"]
