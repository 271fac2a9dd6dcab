"""usage: tiny.py FOLDER: writes FOLDER/tiny.onnx, a random decoder of two layers, as the exporter makes it."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys
from pathlib import Path

root = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(root / "python"), str(root / "test" / "python")]

from synthetic import TINY, writeCheckpoint  # noqa: E402

from halftone.export import llama2c  # noqa: E402

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
llama2c.export(writeCheckpoint(folder / "tiny.bin", TINY), folder / "tiny.onnx")
