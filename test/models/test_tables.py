"""The scripts that make the tables of docs/: a row a format, in its place in a page."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import subprocess
import sys

import pytest

PAGE = "# Title\n\n<!-- begin table -->\nold\n<!-- end table -->\n\nbelow\n"


@pytest.fixture
def rows(root, halftone, stories260K, tmp_path):
    """rows(script, *options): the cells of the table that the script puts into a page, without its heading."""

    def call(script, *options):
        page = tmp_path / "page.md"
        page.write_text(PAGE)
        words = [sys.executable, root / "test" / "bench" / script, "--formats=f32,int4-g32", f"--output={page}", *options]
        words += [f"--model={stories260K.onnx}", f"--tokenizer={stories260K.tokenizerPath}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        assert page.read_text() == PAGE.replace("old\n", done.stdout)
        return [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][1:]

    return call


def test_quality(rows, stories260K, tmp_path):
    (tmp_path / "text").write_text("<|endoftext|>".join(stories260K.documents(2)))
    f32, int4 = rows("quality.py", f"--text={tmp_path / 'text'}")
    assert (f32[0], *f32[4:]) == ("f32", "0.00000", "0.00000", "100.0 %") and int4[0] == "int4-g32"
    assert float(int4[1]) < float(f32[1]) and 0 < float(int4[4]) < float(int4[5]) and int4[6] != f32[6]


def test_performance(rows):
    found = rows("performance.py", "--threads=1,2")
    assert [row[:2] for row in found] == [[format, threads] for format in ("f32", "int4-g32") for threads in ("1", "2")]
    assert all(float(row[2].split()[0]) > 0 and float(row[6].split()[-1]) > 0 for row in found)
