"""Options of `halftone compile` that change what is made: formats of head and embedding, external data, stopping, dumps, context."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import math
import os
import subprocess

import numpy as np
import pytest
from protocol import Binary
from synthetic import TINY

from halftone.export import llama2c
from halftone.export.checkpoint import tensorShapes

STAGES = ["import", "prepare", "calibrate", "quantize", "fuse", "lower", "codegen", "package"]
IDS = np.array([1, 70, 80, 90])


@pytest.fixture
def compile(halftone, tiny, tmp_path):
    """compile(*options): `halftone compile` of the tiny model to tmp_path/out, in tmp_path."""

    def call(*options, model=tiny.onnx, format="int4-g32"):
        return halftone("compile", model, f"--tokenizer={tiny.tokenizerPath}", f"--format={format}", *options, "-o", "out", cwd=tmp_path)

    return call


def test_two_formats_for_tied_weights_are_refused(compile, tmp_path):
    done = compile("--head-format=int4-g32", "--embedding-format=int8-g32")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert "int4-g32" in done.stderr and "int8-g32" in done.stderr and "--untie" in done.stderr


def test_untie_allows_two_formats(compile, tmp_path):
    assert compile().returncode == 0
    tied, size = Binary(tmp_path / "out").logits(IDS, tmp_path), (tmp_path / "out").stat().st_size
    done = compile("--head-format=f32", "--embedding-format=int8-g32", "--untie")
    assert done.returncode == 0, done.stderr
    untied = Binary(tmp_path / "out").logits(IDS, tmp_path)
    assert untied.shape == tied.shape and not np.array_equal(untied, tied)
    assert (tmp_path / "out").stat().st_size > size


def test_parameters_are_those_of_the_source(compile, tiny, tmp_path):
    """Copies that options make are no parameters: the embedding, the head tied to it, counts once."""
    want = sum(math.prod(shape) for name, shape in tensorShapes(TINY) if not name.startswith("freq"))
    for options in ((), ("--fold-norm-scale",), ("--rotate",), ("--untie", "--head-format=f32"), ("--lower-reference",)):
        assert compile(*options).returncode == 0
        done = subprocess.run([tmp_path / "out", "--info"], capture_output=True, text=True)
        assert json.loads(done.stdout)["parameters"] == want, options


def test_tied_weights_are_stored_once(compile, tmp_path):
    """The ONNX file holds the embedding twice, 38 KB each in f32, a third of all its weights."""
    assert compile(format="f32").returncode == 0
    once = (tmp_path / "out").stat().st_size
    assert compile("--head-format=f32", "--embedding-format=int8-g32", "--untie", format="f32").returncode == 0
    twice = (tmp_path / "out").stat().st_size
    assert once < twice  # the head in f32 and, beside it, the embedding in 8.5 bits


def test_external_data_root(compile, tiny, tmp_path):
    """Weights in another folder are found only with --external-data-root."""
    (tmp_path / "model").mkdir()
    (tmp_path / "data").mkdir()
    onnx, data = llama2c.export(tiny.checkpoint, tmp_path / "model" / "tiny.onnx", external=True)
    data.rename(tmp_path / "data" / data.name)
    assert compile(model=onnx).returncode == 1
    done = compile(f"--external-data-root={tmp_path / 'data'}", model=onnx)
    assert done.returncode == 0, done.stderr
    outside = Binary(tmp_path / "out").logits(IDS, tmp_path)
    assert compile().returncode == 0
    assert np.array_equal(outside, Binary(tmp_path / "out").logits(IDS, tmp_path))


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_stop_after(stage, compile, tmp_path):
    """The dumps of the stages up to the one named, and no executable."""
    done = compile(f"--stop-after={stage}", "--dump-dir=dumps")
    assert done.returncode == 0, done.stderr
    want = [f"{number:02}-{name}.mlir" for number, name in enumerate(STAGES[: STAGES.index(stage) + 1], 1)]
    assert sorted(os.listdir(tmp_path / "dumps"))[: len(want)] == want
    assert not (tmp_path / "out").exists()


def test_unknown_stage(compile):
    done = compile("--stop-after=optimise")
    assert done.returncode == 1 and all(stage in done.stderr for stage in ("optimise", *STAGES))


def test_reference_lowering_is_the_same_function(compile, tmp_path):
    """Integers are exact in both; f32 sums may be ordered otherwise, and logits of this model reach 4.6."""
    assert compile().returncode == 0
    generated = Binary(tmp_path / "out").logits(IDS, tmp_path)
    done = compile("--lower-reference")
    assert done.returncode == 0, done.stderr
    assert np.abs(Binary(tmp_path / "out").logits(IDS, tmp_path) - generated).max() <= 2e-5
