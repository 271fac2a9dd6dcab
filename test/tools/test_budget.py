"""halftone compile --formats, --bits and --size: formats by name, and chosen under a budget."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import TINY

COMMON = ("--embedding-format=int8-g16", "--head-format=int8-g16")
DATA = ("--method=gptq", "--calibrate=ids.npy")
CANDIDATES = "--format=int2-g16-asym,int3-g16-asym,int4-g16-asym,int8-g16"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("budget")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    np.save(path / "ids.npy", np.random.default_rng(3).integers(0, TINY.vocabulary, (4, 16)))
    return path


def compiled(tool, folder, name, *options):
    done = subprocess.run([tool, "compile", "tiny.onnx", *COMMON, *options, f"--report={name}.json", "-o", name], cwd=folder,
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stderr, json.loads((folder / f"{name}.json").read_text())


def formatsOf(report):
    return {tensor["name"]: tensor["format"] for tensor in report["tensors"] if tensor["role"] == "linear"}


def logits(folder, name):
    np.save(folder / "some.npy", (np.arange(12) % TINY.vocabulary).astype(np.int32))
    subprocess.run([folder / name, "--logits", "some.npy", "-o", "logits.npy"], cwd=folder, check=True, capture_output=True, timeout=60)
    return np.load(folder / "logits.npy")


def test_names(tool, folder):
    _, report = compiled(tool, folder, "named", "--format=int4-g16", "--formats=*.0.*down_proj*=int3-g16-asym,*down_proj*=f16")
    formats = formatsOf(report)
    down = [name for name in formats if "down_proj" in name]
    assert len(down) == TINY.layers and formats[down[0]] == "int3-g16-asym" and formats[down[1]] == "f16"
    assert {format for name, format in formats.items() if name not in down} == {"int4-g16"}


@pytest.mark.parametrize("formats", [
    "*.1.*=int8-g16",  # two functions for the layers
    "*q_proj*=int2-g16-asym,*k_proj*=int8-g32,*v_proj*=f16",  # read one value, in blocks of two sizes, or not quantized
    "*gate_proj*=int3-g16,*1.*o_proj*=iq4nl-g32,*embed*=int4-row",
])
def test_mixed_formats_compute_what_they_say(tool, folder, formats):
    options = ("--format=int4-g16", "--untie", f"--formats={formats}")
    compiled(tool, folder, "kernels", *options)
    compiled(tool, folder, "reference", *options, "--lower-reference")
    found, wanted = logits(folder, "kernels"), logits(folder, "reference")
    # As test/kernels derives for one product: integers are exact, f32 sums of blocks differ in their order. Here through the layers.
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_bits(tool, folder):
    for bits in (3.5, 4.5, 6.0):
        said, report = compiled(tool, folder, "chosen", *DATA, CANDIDATES, f"--bits={bits}")
        assert report["totals"]["linears"]["bits"] <= bits
        assert report["options"]["bits"].startswith(str(bits))
        line = re.search(r"^halftone: formats chosen: (.*)$", said, re.M).group(1)
        _, again = compiled(tool, folder, "pasted", *DATA, *line.split())
        assert again["tensors"] == report["tensors"]  # formats and what each loses, to the last digit
    assert len(set(formatsOf(report).values())) > 1


@pytest.mark.parametrize("option", ["--fold-norm-scale", "--rotate"])
def test_bits_of_derived_weights(tool, folder, option):
    said, report = compiled(tool, folder, "chosen", *DATA, CANDIDATES, "--bits=5", option, "--formats=*o_proj*=int8-g16")
    line = re.search(r"^halftone: formats chosen: (.*)$", said, re.M).group(1)
    _, again = compiled(tool, folder, "pasted", *DATA, option, *line.split())
    assert formatsOf(again) == formatsOf(report) and len(set(formatsOf(report).values())) > 1
    assert {format for name, format in formatsOf(report).items() if "o_proj" in name} == {"int8-g16"}


def test_more_bits_lose_less(tool, folder):
    losses = [compiled(tool, folder, "chosen", *DATA, CANDIDATES, f"--bits={bits}")[1]["divergence"] for bits in (3.5, 5, 9)]
    assert losses == sorted(losses, reverse=True) and losses[0] > 2 * losses[2]


def test_pins_count(tool, folder):
    _, report = compiled(tool, folder, "chosen", *DATA, CANDIDATES, "--bits=5.5", "--formats=*up_proj*=int8-g16")
    formats = formatsOf(report)
    assert {format for name, format in formats.items() if "up_proj" in name} == {"int8-g16"}
    assert report["totals"]["linears"]["bits"] <= 5.5


def test_size(tool, folder):
    _, report = compiled(tool, folder, "uniform", "--format=int4-g16-asym")
    size = report["totals"]["all"]["bytes"]
    _, mixed = compiled(tool, folder, "chosen", *DATA, CANDIDATES, f"--size={size}")
    assert 0.9 * size < mixed["totals"]["all"]["bytes"] <= size


@pytest.mark.parametrize("options,message", [
    (("--bits=3", "--size=1MB", *DATA), "--bits and --size are two budgets: choose one"),
    (("--bits=3",), "--bits needs data: --calibrate=FILE"),
    (("--size=1MB",), "--size needs data: --calibrate=FILE"),
    (("--bits=3", "--format=int4-g32,int99", *DATA), "--format: "),
    (("--format=int4-g32,int3-g32",), "--format: "),
    (("--formats=nothing=int4-g32",), "no weight of a linear or embedding is called 'nothing'"),
    (("--formats=nothing",), "--formats: 'nothing' is not GLOB=FORMAT"),
    (("--bits=1", CANDIDATES, *DATA), "linears: the smallest possible size is "),
    (("--size=1000", CANDIDATES, *DATA), "embedding, head and norms alone take "),
])
def test_what_does_not_fit(tool, folder, options, message):
    done = subprocess.run([tool, "compile", "tiny.onnx", *COMMON, *options, "-o", "none"], cwd=folder, capture_output=True, text=True, timeout=600)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and message in last, done.stderr
    assert not list(folder.glob("none*"))
