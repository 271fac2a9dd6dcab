"""A killed compile goes on where it was killed, and gives the bytes of one that was not."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest
from halftone.export import random_llama

KILLS = int(os.environ.get("HALFTONE_KILLS", "6"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A decoder of random weights and token ids to calibrate it on."""
    folder = tmp_path_factory.mktemp("resume")
    random_llama.main(["-o", str(folder / "model.onnx"), "--hidden=128", "--ffn=256", "--layers=6", "--heads=4", "--kv-heads=2", "--vocab=320",
                       "--context=128"])
    ids = np.random.default_rng(3).integers(0, 320, (24, 96))
    np.save(folder / "ids.npy", ids)
    return folder


def command(tool, model, output, *options):
    return [tool, "compile", model / "model.onnx", f"--calibrate={model / 'ids.npy'}", "--method=gptq", "--format=int3-g32-asym", *options, "-o", output]


@pytest.fixture(scope="module")
def whole(tool, model):
    """What a run that nobody kills gives, and how long it takes."""
    start = time.monotonic()
    subprocess.run(command(tool, model, model / "whole"), check=True, capture_output=True)
    return (model / "whole").read_bytes(), time.monotonic() - start


@pytest.mark.parametrize("options", [(), ("--asymmetric-calibration",), ("--no-true-sequential",)])
def test_killed_at_any_moment_it_resumes_with_the_same_bytes(tool, model, whole, tmp_path, options):
    wanted, seconds = whole
    if options:
        subprocess.run(command(tool, model, tmp_path / "whole", *options), check=True, capture_output=True)
        wanted = (tmp_path / "whole").read_bytes()
    moments = random.Random(11)
    resumed = 0
    for i in range(KILLS):
        output = tmp_path / f"killed{i}"
        process = subprocess.Popen(command(tool, model, output, *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        resumed += (tmp_path / f"killed{i}.work" / "journal").exists()
        subprocess.run(command(tool, model, output, *options), check=True, capture_output=True)
        assert output.read_bytes() == wanted
        assert sorted(path.name for path in tmp_path.glob(f"killed{i}*")) == [f"killed{i}"]
    assert resumed > 0, "no kill came while weights were quantized"


def test_a_journal_of_another_command_is_not_used(tool, model, whole, tmp_path):
    output = tmp_path / "other"
    process = subprocess.Popen(command(tool, model, output, "--grid-search"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / "other.work" / "journal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 10000):
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert journal.exists()
    subprocess.run(command(tool, model, output), check=True, capture_output=True)
    assert output.read_bytes() == whole[0]


def test_a_journal_that_was_cut_off_or_spoilt_is_used_up_to_there(tool, model, whole, tmp_path):
    output = tmp_path / "spoilt"
    process = subprocess.Popen(command(tool, model, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / "spoilt.work" / "journal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 60000):
        time.sleep(0.001)
    process.kill()
    process.wait()
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(content[:-7])
    subprocess.run(command(tool, model, output), check=True, capture_output=True)
    assert output.read_bytes() == whole[0]
    assert not journal.exists()


def test_threads_do_not_change_the_bytes(tool, model, whole, tmp_path):
    for threads in (1, 3):
        subprocess.run(command(tool, model, tmp_path / "threads", f"--threads={threads}"), check=True, capture_output=True)
        assert (tmp_path / "threads").read_bytes() == whole[0]


def test_activations_on_disk_do_not_change_the_bytes(tool, model, whole, tmp_path):
    subprocess.run(command(tool, model, tmp_path / "spilled", "--memory=64KB"), check=True, capture_output=True)
    assert (tmp_path / "spilled").read_bytes() == whole[0]
