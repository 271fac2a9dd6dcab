"""Standard output that takes nothing is an error like any other, whatever was to be printed."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(os.environ.get("HALFTONE_BUILD", Path(__file__).parents[2] / "build")) / "bin" / "halftone"
COMMANDS = ["bisect", "compile", "completion", "eval", "inspect", "run"]
PRINTING = [["--help"], ["--version"], *([command, "--help"] for command in COMMANDS), ["completion", "bash"],
            ["inspect", "tiny.onnx"], ["inspect", "--json", "tiny.onnx"], ["compile", "tiny.onnx", "--emit=asm"],
            ["compile", "tiny.onnx", "--stop-after=fuse"], ["run", "plain.onnx", "--inputs=in.npz", "--outputs=out.npz", "--json"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not TOOL.exists():
        pytest.skip(f"{TOOL} is not built")
    folder = tmp_path_factory.mktemp("full")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", folder], check=True)
    from onnx import parser, save

    save(parser.parse_model('<ir_version: 9, opset_import: ["": 21]> g (float[2] x) => (float[2] y) { y = Neg(x) }'), folder / "plain.onnx")
    np.savez(folder / "in.npz", x=np.ones(2, np.float32))
    return folder


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_output_is_one_error(arguments, folder):
    with open("/dev/full", "w") as full:
        done = subprocess.run([TOOL, *arguments], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[") and line not in ("running", "compiling plain.onnx")]
    assert (done.returncode, lines) == (2 if arguments[0] == "bisect" else 1, ["halftone: error: standard output: cannot write: No space left on device"])
