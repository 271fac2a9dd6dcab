"""Fixtures of the tests of `halftone quantize`."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import subprocess

import pytest


@pytest.fixture(scope="module")
def quantize(tool):
    """quantize(model, output, *options): the report. The file that it makes is the caller's to look at."""

    def call(model, output, *options):
        done = subprocess.run([tool, "quantize", model, *options, "-o", output, "--json"], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="module")
def refusal(tool):
    """refusal(model, output, *options): the one error that quantizing ends with; nothing is written then."""

    def call(model, output, *options):
        before = sorted(output.parent.iterdir())
        done = subprocess.run([tool, "quantize", model, *options, "-o", output], capture_output=True, text=True, timeout=600)
        errors = [line for line in done.stderr.splitlines() if "error: " in line]
        assert done.returncode == 1 and len(errors) == 1, done.stderr
        assert sorted(output.parent.iterdir()) == before
        return errors[0].removeprefix("halftone: error: ")

    return call
