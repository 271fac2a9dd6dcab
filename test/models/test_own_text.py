"""--calibrate=self: a model that writes what it is calibrated on. How good that is, test_calibrated.py measures."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import shutil
import subprocess
import time

import pytest

OPTIONS = ("--format=int4-g32-asym", "--method=gptq", "--calibrate=self", "--samples=60")


@pytest.fixture
def compileTiny(halftone, tiny, tmp_path):
    """compileTiny(*options): the bytes of the executable."""

    def call(*options, tokenizer=True):
        words = [f"--tokenizer={tiny.tokenizerPath}"] if tokenizer else []
        done = halftone("compile", tiny.onnx, *words, *OPTIONS, *options, "-o", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        return (tmp_path / "out").read_bytes()

    return call


def infoOf(path):
    return json.loads(subprocess.run([path, "--info"], capture_output=True, check=True).stdout)


def test_the_seed_decides_and_threads_do_not(compileTiny):
    first = compileTiny("--threads=1")
    assert compileTiny("--threads=2") == compileTiny("--threads=5") == first
    assert compileTiny("--seed=1") != first
    assert compileTiny("--length=40") != first


def test_the_text_is_the_same_whatever_is_compiled_for(compileTiny, tmp_path):
    texts = []
    for target in ("native", "x86-64"):
        compileTiny(f"--target={target}")
        texts.append(infoOf(tmp_path / "out")["options"]["calibration"])
    assert texts[0] == texts[1]
    compileTiny("--target=sapphirerapids")  # which may not run here, while the model does


def test_a_model_without_tokenizer_writes_ids(compileTiny):
    assert compileTiny(tokenizer=False) == compileTiny("--threads=1", tokenizer=False)


def killWhen(holds, command, folder):
    """Kills the command as soon as its journal holds a record, by name; False when it was done before."""
    journal = folder / "out.work" / "journal"
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (journal.exists() and holds in journal.read_bytes()):
        time.sleep(0.001)
    process.kill()
    return process.wait() != 0


@pytest.mark.parametrize("record", [b"own text 0", b"own text 30", b"own text 59", b"layers.0", b"layers.1"])
def test_what_was_killed_goes_on(tool, tiny, compileTiny, tmp_path, record):
    wanted = compileTiny()
    (tmp_path / "out").unlink()
    command = [tool, "compile", tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", *OPTIONS, "-o", tmp_path / "out"]
    assert killWhen(record, command, tmp_path)
    assert not (tmp_path / "out").exists() and (tmp_path / "out.work").exists()
    assert compileTiny() == wanted


def test_a_text_that_is_finished_is_not_written_anew(tool, tiny, tmp_path):
    """The second run is that of a compiler that cannot make executables, so that no model could write."""
    (tmp_path / "bin").mkdir()
    lame = shutil.copy(tool, tmp_path / "bin")
    words = ["compile", tiny.onnx, *OPTIONS, "--stop-after=quantize", "-o", tmp_path / "out"]
    assert killWhen(b"own text 59", [tool, *words], tmp_path)
    done = subprocess.run([lame, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([lame, *words], capture_output=True, text=True)
    assert done.returncode == 1 and "lib/halftone" in done.stderr


@pytest.mark.parametrize("options,message", [
    (("--calibrate=self", "--method=rtn"), "--calibrate: rtn needs no data"),
    (("--calibrate=self", "--method=gptq", "--length=1"), "sequences of at most 1 tokens; at least 2 are wanted"),
    (("--calibrate=self", "--method=gptq", "--length=65"), "--length: sequences of 65 tokens, but the model's context is 64"),
    (("--calibrate=./self", "--method=gptq"), "./self: cannot open"),
])
def test_options_that_do_not_fit(halftone, tiny, tmp_path, options, message):
    done = halftone("compile", tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", *options, "-o", "out", cwd=tmp_path)
    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert message in done.stderr.splitlines()[-1], done.stderr
