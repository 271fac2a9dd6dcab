"""The exporter of random models: sizes as asked, weights that depend on the seed alone, one weight in memory at a time."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "python")}
SMALL = ["--layers=3", "--hidden=64", "--heads=4", "--kv-heads=2", "--ffn=96", "--vocab=200", "--context=32"]


def export(output, *arguments):
    command = [sys.executable, "-m", "halftone.export.random_llama", "-o", str(output), *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


def shapes(folder):
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    onnx.checker.check_model(folder / "model.onnx")
    return {x.name: tuple(x.dims) for x in model.graph.initializer}


def test_sizes_are_those_asked_for(tmp_path):
    assert export(tmp_path, *SMALL, "--no-tied").returncode == 0
    found = shapes(tmp_path)
    assert found["model.embed_tokens.weight"] == (200, 64)
    assert found["lm_head.weight"] == (64, 200)
    assert found["model.layers.2.self_attn.k_proj.weight"] == (64, 32)
    assert found["model.layers.2.mlp.down_proj.weight"] == (96, 64)
    assert "model.layers.3.input_layernorm.weight" not in found


def test_logits_are_finite_and_of_the_size_of_the_weights(tmp_path):
    assert export(tmp_path, *SMALL).returncode == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    feeds = {"input_ids": [[1, 5, 9]], "attention_mask": [[1, 1, 1]], "position_ids": [[0, 1, 2]]}
    feeds = {name: np.array(x, np.int64) for name, x in feeds.items()}
    empty = np.zeros((1, 2, 0, 16), np.float32)
    feeds |= {f"past_key_values.{i}.{part}": empty for i in range(3) for part in ("key", "value")}
    logits = session.run(["logits"], feeds)[0]
    assert logits.shape == (1, 3, 200)
    # Rows of the tied head have about length 1, and the norm before it gives a vector of length sqrt(64).
    assert 0.3 < logits.std() < 3


def test_the_seed_decides_the_bytes(tmp_path):
    hashes = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert export(tmp_path / name / "m.onnx", *SMALL, f"--seed={seed}").returncode == 0
        hashes.append(hashlib.sha256((tmp_path / name / "m.onnx.data").read_bytes()).hexdigest())
    assert hashes[0] == hashes[1] != hashes[2]
    assert (tmp_path / "a/m.onnx").read_bytes() == (tmp_path / "b/m.onnx").read_bytes()


def test_one_weight_is_in_memory_at_a_time(tmp_path):
    """160 MB of weights, the largest 4 MB: what the process holds grows by no more than some of the largest."""
    program = (
        "import resource, sys; from halftone.export import random_llama;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024;"
        "before = peak(); status = random_llama.main(sys.argv[1:]); print(peak() - before); sys.exit(status)"
    )
    sizes = ["--layers=20", "--hidden=512", "--heads=8", "--kv-heads=8", "--ffn=1024", "--vocab=2000"]
    command = [sys.executable, "-c", program, *sizes, "-o", tmp_path]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "model.onnx.data").stat().st_size > 160 << 20
    assert int(result.stdout) < 40


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--hidden=65"], "the width 65 is no multiple of the 9 heads"),
        (["--heads=9", "--kv-heads=2"], "the 9 heads are no multiple of the 2 key and value heads"),
        (["--hidden=27"], "the head size 3 is odd"),
        (["--layers=0"], "--layers is 0; it must be at least 1"),
    ],
)
def test_sizes_that_do_not_fit_are_errors(tmp_path, arguments, message):
    result = export(tmp_path / "out", *arguments)
    assert result.returncode == 1
    assert re.fullmatch(f"error: .*{re.escape(message)}.*\n", result.stderr)
    assert not (tmp_path / "out").exists()


def test_a_hollow_model_takes_no_disk(tmp_path):
    """It has the shapes of a full one, and no two weights alike, so that none is taken for another."""
    assert export(tmp_path / "full", *SMALL, "--no-tied").returncode == 0
    done = export(tmp_path / "hollow", "--shape=Llama-2-70B", "--layers=3", "--hollow")
    assert done.returncode == 0, done.stderr
    status = (tmp_path / "hollow" / "model.onnx.data").stat()
    assert status.st_size > 10e9 and status.st_blocks * 512 < 1e6
    assert export(tmp_path / "small", *SMALL, "--no-tied", "--hollow").returncode == 0
    assert shapes(tmp_path / "small") == shapes(tmp_path / "full")
    assert (tmp_path / "small" / "model.onnx.data").stat().st_size == (tmp_path / "full" / "model.onnx.data").stat().st_size
    weights = [onnx.numpy_helper.to_array(x) for x in onnx.load(tmp_path / "small" / "model.onnx").graph.initializer]
    weights = [x for x in weights if x.dtype == np.float32 and x.size >= 64 and np.count_nonzero(x) <= 1]
    assert len(weights) == 3 * 9 + 3 and len({float(x.flat[0]) for x in weights}) == len(weights)
