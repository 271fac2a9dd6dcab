"""--stop-after=calibrate leaves statistics, --statistics takes them: a model runs once, and is quantized in many ways."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import TINY, writeCheckpoint

from halftone.export import llama2c


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("statistics")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", path], check=True)
    np.save(path / "ids.npy", np.random.default_rng(3).integers(0, TINY.vocabulary, (6, 48)))
    return path


@pytest.fixture(scope="module")
def compileModel(tool, folder):
    def call(*options, model="tiny.onnx"):
        return subprocess.run([tool, "compile", model, *options], cwd=folder, capture_output=True, text=True, timeout=600)

    return call


@pytest.fixture(scope="module")
def statistics(compileModel, folder):
    done = compileModel("--method=gptq", "--calibrate=ids.npy", "--stop-after=calibrate", "-o", "calibrated.mlir")
    assert done.returncode == 0, done.stderr
    return "calibrated.mlir.statistics"


def weights(path):
    return {weight["name"]: weight for weight in json.loads(path.read_text())["tensors"]}


def test_every_linear_has_statistics(statistics, folder):
    text = (folder / "calibrated.mlir").read_text()
    assert f'lowbit.statistics_file = "{statistics}"' in text
    assert text.count("lowbit.statistics = ") == 7 * TINY.layers + 1  # the tied embedding is the head
    assert sorted(name for name in os.listdir(folder) if "calibrated" in name) == ["calibrated.mlir", statistics]


def test_methods_take_them(compileModel, statistics, folder):
    for method, options in ("gptq", []), ("gptq", ["--act-order"]), ("imatrix", []):
        compiled = compileModel("--format=int3-g16", f"--method={method}", *options, f"--statistics={statistics}", "-o", "taken", "--report=taken.json")
        if method == "imatrix":  # only the Hessian was gathered
            assert compiled.returncode == 1 and "no magnitudes were gathered" in compiled.stderr
            continue
        assert compiled.returncode == 0, compiled.stderr
        rtn = compileModel("--format=int3-g16", "-o", "rtn", "--report=rtn.json")
        assert rtn.returncode == 0, rtn.stderr
        found, rounded = weights(folder / "taken.json"), weights(folder / "rtn.json")
        linears = [name for name in found if "_proj" in name]
        assert len(linears) == 7 * TINY.layers
        for name in linears:
            assert found[name]["weight_error"] > rounded[name]["weight_error"]  # the weights' error grows, the outputs' falls
            assert 0 < found[name]["output_error"] < found[name]["weight_error"]


def test_first_linears_see_the_same_either_way(compileModel, statistics, folder):
    """Later ones see what earlier ones, or the embedding, have become when the model runs while it is quantized."""
    for name, source in ("recorded", f"--statistics={statistics}"), ("ran", "--calibrate=ids.npy"):
        done = compileModel("--format=int3-g16", "--embedding-format=f32", "--head-format=f32", "--method=gptq", source, "-o", name,
                            f"--report={name}.json")
        assert done.returncode == 0, done.stderr
    recorded, ran = weights(folder / "recorded.json"), weights(folder / "ran.json")
    same = [name for name in ran if "_proj" in name and recorded[name]["output_error"] == ran[name]["output_error"]]
    assert {name.split(".", 2)[2] for name in same} == {f"0.self_attn.{part}_proj.weight" for part in "qkv"}


def test_rotated_weights_have_statistics_of_their_own(compileModel, folder):
    done = compileModel("--rotate", "--method=gptq", "--calibrate=ids.npy", "--stop-after=calibrate", "-o", "rotated.mlir")
    assert done.returncode == 0, done.stderr
    done = compileModel("--rotate", "--method=gptq", "--statistics=rotated.mlir.statistics", "-o", "rotated")
    assert done.returncode == 0, done.stderr


def test_same_bytes_for_any_number_of_threads(compileModel, statistics, folder):
    done = compileModel("--method=gptq", "--calibrate=ids.npy", "--stop-after=calibrate", "-o", "one.mlir", "--threads=1")
    assert done.returncode == 0, done.stderr
    assert (folder / "one.mlir.statistics").read_bytes() == (folder / statistics).read_bytes()


@pytest.mark.parametrize("options,error", [
    (["--statistics=absent"], "absent: "),
    (["--statistics=ids.npy"], "ids.npy: "),
    (["--rotate", "--statistics={}"], "{}: statistics of other options: "),
    (["--asymmetric-calibration", "--statistics={}"], "recorded statistics know no drift: it needs the model to run"),
    (["--calibrate=ids.npy", "--statistics={}"], "--calibrate and --statistics both say what is known of activations: choose one"),
    (["--bits=3.5", "--statistics={}"], "--bits needs data: --calibrate=FILE"),
])
def test_refused(compileModel, statistics, folder, options, error):
    before = sorted(os.listdir(folder))
    done = compileModel("--method=gptq", *[option.format(statistics) for option in options], "-o", "none")
    assert done.returncode == 1 and error.format(statistics) in done.stderr and done.stdout == ""
    assert sorted(os.listdir(folder)) == before


def test_those_of_another_model_are_refused(compileModel, statistics, folder):
    llama2c.export(writeCheckpoint(folder / "other.bin", TINY, seed=2), folder / "other.onnx")
    done = compileModel("--method=gptq", f"--statistics={statistics}", "-o", "none", model="other.onnx")
    assert done.returncode == 1 and f"{statistics}: statistics of another model: " in done.stderr


def test_rtn_needs_none(compileModel, statistics):
    done = compileModel(f"--statistics={statistics}", "-o", "none")
    assert done.returncode == 1 and "--statistics: rtn needs no data" in done.stderr
