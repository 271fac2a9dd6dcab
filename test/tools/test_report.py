"""halftone compile --report and halftone report: what quantizing did to each tensor, as JSON and as one page."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import grids
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from rtn import rtn
from synthetic import TINY

GPTQ = ("--method=gptq", "--calibrate=ids.npy", "--format=int4-g16-asym", "--embedding-format=int8-g16", "--head-format=int8-g16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("report")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    np.save(path / "ids.npy", np.random.default_rng(3).integers(0, TINY.vocabulary, (4, 16)))
    return path


@pytest.fixture(scope="module")
def halftone(tool, folder):
    def call(*arguments):
        return subprocess.run([tool, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=600)

    return call


@pytest.fixture(scope="module")
def compiled(halftone, folder):
    """A program and its report as JSON, with data and without."""
    for name, options in {"gptq": GPTQ, "rtn": ("--format=int4-g16",)}.items():
        done = halftone("compile", "tiny.onnx", *options, f"--report={name}.json", "-o", name)
        assert done.returncode == 0, done.stderr
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in ("gptq", "rtn")}


def bitsOf(tensors):
    elements = sum(int(np.prod(tensor["shape"])) for tensor in tensors)
    return 8 * sum(tensor["bytes"] for tensor in tensors) / elements


@pytest.mark.parametrize("name", ["gptq", "rtn"])
def test_figures_are_those_of_the_executable(halftone, compiled, name):
    report = compiled[name]
    inside = json.loads(halftone("inspect", name, "--json").stdout)
    sizes = {entry["name"]: (entry["shape"], entry["format"], entry["bytes"], entry["bits"]) for entry in inside["weights"]}
    assert {t["name"]: (t["shape"], t["format"], t["bytes"], round(t["bits"], 3)) for t in report["tensors"]} == sizes
    for key in ("files", "format", "embedding_format", "head_format", "options", "tokenizer", "version"):
        assert report[key] == inside[key]
    linears = [tensor for tensor in report["tensors"] if tensor["role"] == "linear"]
    assert len(linears) == 7 * TINY.layers and report["tensors"][:len(linears)] == linears
    assert report["totals"]["linears"]["bits"] == pytest.approx(bitsOf(linears), rel=1e-15)
    assert report["totals"]["all"]["bits"] == pytest.approx(bitsOf(report["tensors"]), rel=1e-15)
    assert report["totals"]["all"]["bytes"] == sum(entry["bytes"] for entry in inside["weights"])
    for tensor in report["tensors"]:
        isCoded = tensor["format"] != "f32"
        assert (tensor["weight_error"] is not None) == isCoded
        assert bool(tensor["kernel"]) == (tensor["role"] != "other")
        isCalibrated = name == "gptq" and tensor["role"] == "linear"
        for key in ("output_error", "damp", "condition", "dead_columns", "rare_columns"):
            assert isCalibrated == (tensor[key] is not None) or tensor["role"] == "head"


def test_weight_errors_are_those_of_the_weights(compiled, folder):
    """Against rounding to nearest as test/oracle has it, in f64. The compiler's f32 changes a decoded weight by less than one rounding of
    its product, 2^-24 |w|, where the code is the same: of errors of a few per cent, far less than 1e-4. A tie that goes the other way
    changes an error of s/2 into another of s/2."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(folder / "tiny.onnx").graph.initializer}
    errors = set()
    for w in weights.values():
        for matrix in (w, w.T) if w.ndim == 2 else ():
            decoded = rtn(grids.Format.parse("int4-g16"), matrix.astype(np.float64)).decode()
            errors.add((matrix.shape, np.linalg.norm(decoded - matrix) / np.linalg.norm(matrix)))
    linears = [tensor for tensor in compiled["rtn"]["tensors"] if tensor["role"] == "linear"]
    assert linears
    for tensor in linears:  # exporters name their weights as they like; no two of these matrices have the same error
        same = [error for shape, error in errors if list(shape) == tensor["shape"] and error == pytest.approx(tensor["weight_error"], rel=1e-4)]
        assert len(same) == 1, tensor


class References(HTMLParser):
    """Collects what a page refers to, and the tags it is made of."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.references, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href", "xlink:href", "srcset", "data", "action")]

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("name", ["gptq", "rtn"])
def test_the_page_stands_alone(halftone, compiled, folder, name):
    done = halftone("report", f"{name}.json", "-o", f"{name}.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = (folder / f"{name}.html").read_text()
    found = References(page)
    assert found.references == [] and "script" not in found.tags and "link" not in found.tags
    assert not re.search(r"https?:|url\(|@import", page)
    assert found.tags.count("rect") == 7 * TINY.layers + sum(t["role"] == "head" for t in compiled[name]["tensors"])
    for tensor in compiled[name]["tensors"]:
        assert tensor["name"] in found.text


def test_compile_writes_the_same_page_and_the_same_bytes_again(halftone, compiled, folder):
    for threads in (1, 2):
        done = halftone("compile", "tiny.onnx", *GPTQ, f"--threads={threads}", "--report=again.html", "-o", "again")
        assert done.returncode == 0, done.stderr
        assert halftone("report", "gptq.json", "-o", "page.html").returncode == 0
        assert (folder / "again.html").read_bytes() == (folder / "page.html").read_bytes()
    assert halftone("report", "gptq.json", "-o", "same.json").returncode == 0
    assert (folder / "same.json").read_bytes() == (folder / "gptq.json").read_bytes()


def test_a_stop_after_quantize_and_a_quantized_module_report_too(halftone, compiled, folder):
    done = halftone("compile", "tiny.onnx", *GPTQ, "--stop-after=quantize", "--report=stopped.json", "-o", "stopped.mlir")
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "stopped.json").read_text()) == compiled["gptq"]


def test_the_table(halftone, compiled):
    lines = halftone("report", "gptq.json").stdout.splitlines()
    worst = max((t for t in compiled["gptq"]["tensors"] if t["output_error"]), key=lambda t: t["output_error"])
    first = lines[lines.index("those that lost most:") + 2]
    assert first.split()[0] == worst["name"] and f"{100 * worst['output_error']:.2f} %" in first
    assert len(lines) - lines.index("all tensors:") - 2 == len(compiled["gptq"]["tensors"])


@pytest.mark.parametrize("options,message", [
    (("--report=out.txt",), "--report: 'out.txt' ends neither in .json nor in .html"),
    (("--report=out.json", "-o", "out.json"), "--report: out.json is where out.json will stand; name the report otherwise"),
    (("--report=./sub/../out.json", "-o", "out.json"), "--report: ./sub/../out.json is where out.json will stand; name the report otherwise"),
    (("--report=nowhere/out.json",), "nowhere/out.json: "),
    (("--report=out.json", "--stop-after=import"), "--report: what quantizing does is not known after --stop-after=import"),
])
def test_errors_come_before_the_work(halftone, folder, options, message):
    (folder / "sub").mkdir(exist_ok=True)
    before = sorted(os.listdir(folder))
    output = () if "-o" in options else ("-o", "out")
    done = halftone("compile", "tiny.onnx", *options, *output)
    assert done.returncode == 1 and done.stderr.startswith(f"halftone: error: {message}"), done.stderr
    assert len(done.stderr.splitlines()) == 1 and sorted(os.listdir(folder)) == before


def test_the_input_is_never_the_report(halftone, folder):
    data = (folder / "tiny.onnx").read_bytes()
    (folder / "model.json").symlink_to("tiny.onnx")
    done = halftone("compile", "tiny.onnx", "--report=model.json", "-o", "out")
    assert done.returncode == 1 and "model.json: " in done.stderr, done.stderr
    assert (folder / "tiny.onnx").read_bytes() == data and not (folder / "out").exists()


def test_errors_of_the_report_command(halftone, compiled, folder):
    (folder / "cut.json").write_bytes((folder / "rtn.json").read_bytes()[:-100])
    cases = {
        (): "no report given; usage: halftone report REPORT.json [-o FILE]",
        ("cut.json",): "cut.json: byte ",
        ("nowhere.json",): "nowhere.json: cannot open",
        ("rtn.json", "-o", "page.txt"): "-o: 'page.txt' ends neither in .html nor in .json",
        ("rtn.json", "-o", "rtn.json"): "rtn.json: ",
    }
    for arguments, message in cases.items():
        done = halftone("report", *arguments)
        assert done.returncode == 1 and done.stderr.startswith(f"halftone: error: {message}"), done.stderr
