"""What a token costs between kernels and in bytes, counted: a barrier ends each kernel, and each weight is read once."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import re
import subprocess

import pytest

# norm + quantize; q, k, v; rope; append; attention; quantize; o + residual; norm + quantize; gate, up, product; quantize; down + residual
LAYER = ["rms_norm, quantize", "(3 linear|linear.*linear)", "2 rope", "append", "attention", "quantize", "linear.*elementwise", "rms_norm, quantize",
         "2 linear.*elementwise", "quantize", "linear.*elementwise"]  # fmt: skip
# embedding; norm + quantize; head
BEYOND = 3


@pytest.mark.parametrize("model", ["stories260K", "stories15M"], indirect=True)
def test_kernels_of_a_layer(model, compiled):
    kernels = json.loads(subprocess.run([compiled(model, "int4-g32").path, "--info"], capture_output=True, check=True).stdout)["kernels"]
    names = [does for function, does, *_ in kernels if function == "block_1"]
    assert len(names) == len(LAYER)
    for name, wanted in zip(names, LAYER):
        assert re.match(wanted, name), (name, wanted)
    assert len([1 for function, *_ in kernels if function == "decode"]) == BEYOND


def test_one_barrier_a_kernel(halftone, stories260K):
    done = halftone("compile", stories260K.onnx, "--format=int4-g32", "--stop-after=lower")
    assert done.returncode == 0, done.stderr
    functions = re.split(r"\n  func\.func ", done.stdout)
    calls = {re.search(r"@(\w+)", text).group(1): text.count("call @halftone_barrier") for text in functions[1:]}
    assert calls["block_1"] == len(LAYER) and calls["decode"] == BEYOND


@pytest.mark.parametrize("format", ["int8-g32", "int4-g32", "int4-g32-asym", "int2-g32", "f16"])
def test_each_weight_is_read_once(stories260K, compiled, format):
    """A token reads all linears and the head, one row of the embedding, and what stays f32: norms and a row of each table of angles."""
    info = json.loads(subprocess.run([compiled(stories260K, format).path, "--info"], capture_output=True, check=True).stdout)
    weights = {name: stored for name, _, _, stored in info["weights"]}
    tables = sum(stored for name, stored in weights.items() if name.startswith("rope."))
    least = sum(weights.values()) - tables
    assert least <= info["decode_bytes"] <= 1.02 * least  # rows are packed in tiles of 16
