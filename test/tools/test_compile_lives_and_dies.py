"""halftone compile as a process: what a terminal shows, and what stays when it is interrupted or killed."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path):
    """A fresh folder that holds tiny.onnx and nothing else."""
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", tmp_path], check=True)
    (tmp_path / "tiny.bin").unlink()
    return tmp_path


def endWithin(folder, tool, number):
    """Sends the signal as soon as the compiler has its work folder; its exit status, or None when it was done before."""
    process = subprocess.Popen([tool, "compile", "tiny.onnx", "-o", "out"], cwd=folder, stderr=subprocess.DEVNULL)
    while process.poll() is None and not any(".halftone-work-" in name for name in os.listdir(folder)):
        time.sleep(0.001)
    process.send_signal(number)
    status = process.wait(timeout=60)
    if status == 0:
        (folder / "out").unlink()
    return status or None


def endedBy(folder, tool, number):
    """The exit status of a run that the signal caught at work; the compiler is fast, so it may take some tries."""
    return next(filter(None, (endWithin(folder, tool, number) for _ in range(20))), None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(number, tool, folder):
    assert endedBy(folder, tool, number) == -number
    assert os.listdir(folder) == ["tiny.onnx"]


def test_the_next_run_removes_what_a_killed_one_left(tool, folder):
    assert endedBy(folder, tool, signal.SIGKILL) == -signal.SIGKILL
    assert len(os.listdir(folder)) == 2
    subprocess.run([tool, "compile", "tiny.onnx", "-o", "out"], cwd=folder, check=True, capture_output=True)
    assert sorted(os.listdir(folder)) == ["out", "tiny.onnx"]


def test_an_output_that_was_there_stays_when_the_compiler_fails(tool, folder):
    (folder / "out").write_text("old")
    done = subprocess.run([tool, "compile", "tiny.onnx", "--target=pentium9000", "-o", "out"], cwd=folder, capture_output=True)
    assert done.returncode == 1
    assert (folder / "out").read_text() == "old" and sorted(os.listdir(folder)) == ["out", "tiny.onnx"]


def stderrOf(command, folder, terminal):
    """What the command writes to stderr, when that is a terminal or a pipe."""
    if not terminal:
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stderr
    reader, writer = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, stderr=writer)
    os.close(writer)
    text = b""
    try:
        while piece := os.read(reader, 4096):
            text += piece
    except OSError:  # how a terminal says that its other end is closed
        pass
    os.close(reader)
    assert process.wait(timeout=60) == 0
    return text.decode().replace("\r\n", "\n")


def test_a_terminal_shows_one_line_written_anew(tool, folder):
    text = stderrOf([tool, "compile", "tiny.onnx", "-o", "out"], folder, terminal=True)
    shown, table = text.rsplit("\r\x1b[K", 1)  # the last thing shown is taken away
    assert "\n" not in shown and shown.count("\r\x1b[K[") >= 8
    assert table.startswith("stage")


def test_elsewhere_stages_are_plain_lines_and_the_table_ends_it(tool, folder):
    lines = stderrOf([tool, "compile", "tiny.onnx", "-o", "out"], folder, terminal=False).splitlines()
    stages = ["import", "prepare", "calibrate", "quantize", "fuse", "lower", "codegen", "package"]
    assert lines[:8] == [f"[{number}/8] {stage}" for number, stage in enumerate(stages, 1)]
    assert lines[8].split() == ["stage", "seconds", "bytes"]
    assert [line.split()[0] for line in lines[9:]] == [*stages, "total", "output"]
    written = {line.split()[0]: int(line.split()[2]) for line in lines[9:-2]}
    size = (folder / "out").stat().st_size
    assert written["package"] == size and lines[-1].startswith(f"output {size} bytes, peak ")
    assert written["quantize"] > 0 and written["lower"] > 0 and written["codegen"] > 0
