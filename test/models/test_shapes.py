"""Models of every shape the checkpoint format knows, with sizes that fill no vector, tile or block: f32 against ONNX Runtime, the
quantized formats against their contract in numpy."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from contract import compare
from protocol import OnnxRuntime
from synthetic import TINY

from halftone.export.checkpoint import Checkpoint

SHAPES = {
    "grouped-heads": TINY,
    "one-kv-head": dataclasses.replace(TINY, kvHeads=1),
    "all-heads": dataclasses.replace(TINY, kvHeads=4),
    "untied-head": dataclasses.replace(TINY, tied=False),
    "one-layer": dataclasses.replace(TINY, layers=1),
    "many-layers": dataclasses.replace(TINY, layers=7),
    "one-head": dataclasses.replace(TINY, heads=1, kvHeads=1),
    "odd-sizes": dataclasses.replace(TINY, dim=36, hidden=50, heads=3, kvHeads=3, vocabulary=277),
}


@pytest.fixture(scope="module", params=SHAPES)
def model(request, synthetic):
    return synthetic(request.param, SHAPES[request.param])


def sequences(model):
    """Random ids of several lengths, one of them the whole context."""
    random = np.random.default_rng(11)
    vocabulary = Checkpoint(model.checkpoint).config.vocabulary
    return [random.integers(3, vocabulary, length + 1) for length in (1, 7, 33, model.context)]


def test_f32_is_onnxruntime(model, compiled, tmp_path):
    binary, oracle = compiled(model, "f32"), OnnxRuntime(model.onnx)
    for ids in sequences(model):
        assert np.abs(binary.logits(ids[:-1], tmp_path) - oracle.logits(ids[:-1])).max() <= 2e-5  # logits reach 4.6 here


@pytest.mark.parametrize("format", ["int8-g32", "int4-g32", "int4-g32-asym"])
def test_quantized_is_the_contract(model, format, compiled, tmp_path):
    """The last bit of f32 seldom moves a code in so small a model: f32 and f64 in numpy differ by a KL of 4e-6 at most, ten times
    less than the bound; the contract itself is .0005 (int8) to .05 (int4) from the exact model."""
    fromContract, _, own = compare(Checkpoint(model.checkpoint), format, compiled(model, format), sequences(model), tmp_path)
    assert fromContract <= 4e-5 < own


TARGETS = {"x86-64": "sse2", "x86-64-v3": "avx2", "x86-64-v4": "avx512f", "x86-64-v4+avx512vnni": "avx512_vnni", "icelake-server": "avx512_vnni"}


@pytest.mark.parametrize("format", ["f32", "int8-g32", "int4-g32", "int4-g32-asym"])
@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_the_contract(target, format, tiny, compiled, tmp_path):
    """Vectors of any width, with and without the dot instruction, compute one function. Bounds as above."""
    if TARGETS[target] not in processorFlags():
        pytest.skip(f"this processor has no {TARGETS[target]}")
    binary, documents = compiled(tiny, format, f"--target={target}"), sequences(tiny)
    if format == "f32":
        oracle = OnnxRuntime(tiny.onnx)
        assert max(np.abs(binary.logits(ids, tmp_path) - oracle.logits(ids)).max() for ids in documents[:-1]) <= 2e-5
    else:
        assert compare(Checkpoint(tiny.checkpoint), format, binary, documents, tmp_path)[0] <= 4e-5


def processorFlags():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line for line in lines if line.startswith("flags")).split()
