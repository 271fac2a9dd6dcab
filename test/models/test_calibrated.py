"""How much better a model is that was quantized with data: mean KL divergence by `halftone eval` (held to protocol.py by test_eval.py)."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json

import pytest

# The project's bounds on tinystories.test.txt, calibrated on tinystories.calib.txt. Rounding to nearest gives .0754 and .386; the numpy
# implementation of test/oracle .0239 and .107. Another processor's products round otherwise, which moves these by about 1 %.
BEST = ("--grid-search", "--block-order", "--asymmetric-calibration")
BOUNDS = {"int4-g32-asym": 0.034, "int3-g32-asym": 0.165}


def divergences(halftone, model, folder, runs):
    """Mean KL divergence of each of the runs, a name and options."""
    tokenizer = f"--tokenizer={model.tokenizerPath}"
    for name, options in runs.items():
        done = halftone("compile", model.onnx, tokenizer, "--method=gptq", *options, "-o", folder / name, timeout=1800)
        assert done.returncode == 0, done.stderr
    against = [f"--against={folder / name}" for name in runs]
    done = halftone("eval", model.onnx, tokenizer, f"--text={model.text}", "--documents=<|endoftext|>", "--json", *against, timeout=1800)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["tokens"] == 14514  # ../shared/data/README.md
    return {name: found["mean_kl_divergence"] for name, found in zip(runs, figures["against"])}


def test_stories15M(halftone, stories15M, sharedData, tmp_path, record_property):
    data = f"--calibrate={sharedData / 'text' / 'tinystories.calib.txt'}"
    found = divergences(halftone, stories15M, tmp_path, {format: (f"--format={format}", data, *BEST) for format in BOUNDS})
    for format, bound in BOUNDS.items():
        record_property(format, found[format])
        assert found[format] <= bound, format


def test_the_model_s_own_text_is_nearly_as_good_as_stories(halftone, stories15M, sharedData, tmp_path, record_property):
    """The project's bound is 15 %; measured are .0404 against .0397, and other seeds differ by 2 %."""
    data = {"self": "self", "stories": sharedData / "text" / "tinystories.calib.txt"}
    found = divergences(halftone, stories15M, tmp_path, {name: ("--format=int4-g32-asym", f"--calibrate={path}") for name, path in data.items()})
    record_property("self", found["self"])
    assert found["self"] <= 1.15 * found["stories"]


@pytest.mark.parametrize("data,message", [
    (b"", "no token to calibrate on: the text has 0 bytes"),
    (b"  \n<|endoftext|>\n ", "no token"),
])
def test_text_without_tokens(halftone, stories15M, tmp_path, data, message):
    (tmp_path / "text.txt").write_bytes(data)
    done = halftone("compile", stories15M.onnx, f"--tokenizer={stories15M.tokenizerPath}", "--method=gptq",
                    f"--calibrate={tmp_path / 'text.txt'}", "-o", tmp_path / "out")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert "text.txt" in done.stderr.splitlines()[-1] and message in done.stderr.splitlines()[-1], done.stderr


@pytest.mark.parametrize("options,message", [
    (("--method=gptq",), "--method=gptq needs data: --calibrate=FILE"),
    (("--calibrate=text.txt",), "--calibrate: rtn needs no data"),
    (("--method=gpt", "--calibrate=text.txt"), "no method is called 'gpt'; there are rtn"),
    (("--method=gptq", "--calibrate=missing.txt"), "missing.txt: cannot open"),
    (("--method=gptq", "--calibrate=missing.txt", "--memory=1X"), "--memory: '1X' is no size"),
    (("--method=gptq", "--calibrate=text.txt", "--length=100000"), "--length: sequences of 100000 tokens, but the model's context is 256"),
    (("--method=gptq", "--calibrate=text.txt", "--act-order", "--block-order"), "act-order and block-order are two orders: choose one"),
])
def test_options_that_do_not_fit(halftone, stories15M, tmp_path, options, message):
    (tmp_path / "text.txt").write_text("Once upon a time there was a dog.")
    done = halftone("compile", stories15M.onnx, f"--tokenizer={stories15M.tokenizerPath}", *options, "-o", "out", cwd=tmp_path)
    assert done.returncode == 1 and not list(tmp_path.glob("out*"))
    assert message in done.stderr.splitlines()[-1], done.stderr
