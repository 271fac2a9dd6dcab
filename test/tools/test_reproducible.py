"""The same model and options give the same bytes: in another folder, for another user, in another environment, with other threads."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

NOBODY = 65534


def products(tool, folder, threads, user=None, **environment):
    """{file: bytes} of what is made of the model in `folder` in every form that is a file."""
    for emit, output in (("exe", "tiny"), ("lib", "libtiny.a"), ("obj", "tiny.o")):
        command = [tool, "compile", "tiny.onnx", "--format=int4-g32", f"--threads={threads}", f"--emit={emit}", "-o", output]
        done = subprocess.run(command, cwd=folder, user=user, env={"PATH": os.environ["PATH"], **environment}, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "tiny.onnx"}


def test_nothing_but_model_and_options_decides_the_bytes(tool, tmp_path):
    first, second = tmp_path / "a", tmp_path / "another" / "much longer folder, with spaces"
    for folder in (first, second):
        folder.mkdir(parents=True)
        subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", folder], check=True)
        (folder / "tiny.bin").unlink()
    here = products(tool, first, threads=1, LANG="C", HOME=str(tmp_path))
    assert set(here) == {"tiny", "libtiny.a", "libtiny.h", "tiny.o", "tiny.h"}
    os.utime(second / "tiny.onnx", (0, 0))
    there = {"threads": 2, "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "TMPDIR": "/nowhere", "HALFTONE": "x"}
    assert products(tool, second, **there) == here
    if os.geteuid() != 0:
        pytest.skip("only root can compile as another user")
    try:
        subprocess.run([tool, "--version"], user=NOBODY, capture_output=True, check=True)
    except PermissionError:
        pytest.skip("another user cannot read the build")
    # Folders of tests are their owner's; the other user gets one outside.
    shared = Path(tempfile.mkdtemp())
    try:
        shutil.copy(first / "tiny.onnx", shared)
        os.chown(shared, NOBODY, NOBODY)
        os.chmod(shared / "tiny.onnx", 0o444)
        assert products(tool, shared, threads=2, user=NOBODY) == here
    finally:
        shutil.rmtree(shared)
