"""Paths that every pytest of the project needs, and the folder ../shared/data beside the checkout where it exists."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
sys.path.insert(0, str(ROOT / "test" / "python"))
sys.path.insert(0, str(ROOT / "test" / "oracle"))


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sharedData():
    """The folder of development data; tests that need it are skipped, and counted as skipped, without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here")
    return folder


def built(name):
    """The program of the build in $HALFTONE_BUILD, else build/; tests that need it are skipped without one."""
    path = Path(os.environ.get("HALFTONE_BUILD", ROOT / "build")) / "bin" / name
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return path


@pytest.fixture(scope="session")
def tool():
    """The path of `halftone`, for tests that look at it as a process."""
    return built("halftone")


@pytest.fixture(scope="session")
def qopt():
    """Runs `qopt ARGUMENTS...`."""
    program = built("qopt")

    def call(*arguments, **options):
        options = {"capture_output": True, "text": True, "timeout": 600, **options}
        return subprocess.run([program, *map(str, arguments)], **options)

    return call
