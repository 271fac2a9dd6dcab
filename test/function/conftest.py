"""The tool that the tests of this folder run."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import subprocess

import pytest


@pytest.fixture(scope="session")
def halftone(tool):
    def call(*arguments, **options):
        return subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)

    return call
