"""The commands of docs/research.md, run as they stand in an empty folder: qopt's pipelines, a plugin built outside of the project,
a quantized module compiled to an executable."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import re
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def outcome(root, tmp_path_factory):
    """(folder, what the commands wrote to standard output). The first command that fails ends them."""
    if not (root / "build" / "bin" / "qopt").exists():
        pytest.skip("build/bin/qopt is not built")
    folder = tmp_path_factory.mktemp("research")
    commands = re.findall(r"^```sh\n(.*?)^```$", (root / "docs" / "research.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(commands) >= 6
    environment = {**os.environ, "HALFTONE": str(root)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder, done.stdout


def test_the_plain_pipeline_is_what_compile_does(outcome):
    folder, _ = outcome
    weights = [
        sorted(re.findall(r"lowbit.weight @(\S+) : (\S+ <.*?>>) .*?(?:error = (\S+)|$)", (folder / name).read_text(), re.MULTILINE))
        for name in ("ir/04-quantize.mlir", "plain.mlir")
    ]
    assert weights[0] == weights[1] and len(weights[0]) > 30


def test_the_pass_of_the_plugin_changed_one_kind_of_linear(outcome):
    folder, text = outcome
    formats = {name: format for name, format in re.findall(r"lowbit.weight @(\S+) : \S+<\S+ <(\w+),", (folder / "mixed.mlir").read_text())}
    assert {format for name, format in formats.items() if "down_proj" in name} == {"int8"}
    assert {format for name, format in formats.items() if "up_proj" in name} == {"int4"}
    loss = {name: float(value) for name, value in re.findall(r"(plain|mixed) mean KL divergence (\S+)", text)}
    assert 0 < loss["mixed"] < loss["plain"] < 1


def test_a_dialect_plugin(outcome, root):
    folder, _ = outcome
    qopt = Path(root / "build" / "bin" / "qopt")
    done = subprocess.run(
        [qopt, "--load-dialect-plugin=lab/build/lab.so"], input='lab.note "kept"\n', cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0 and 'lab.note "kept"' in done.stdout, done.stderr
    without = subprocess.run([qopt], input='lab.note "kept"\n', capture_output=True, text=True)
    assert without.returncode == 1
