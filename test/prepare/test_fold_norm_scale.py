"""fold-norm-scale, then evaluate-weights: the function stays the same but for roundings."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re

import numpy as np
import pytest

ROWS, COLUMNS, TOKENS = 70, 96, 5


def module(path, transposed):
    matrix, scale = f"!lowbit.weight<{ROWS}x{COLUMNS}, #lowbit.format<f32>>", f"!lowbit.weight<{COLUMNS}, #lowbit.format<f32>>"
    return f"""
lowbit.weight @g : {scale} in "{path}" at 0
lowbit.weight @w : {matrix} in "{path}" at {4 * COLUMNS} {"transposed" if transposed else ""}
func.func private @block(%x: tensor<?x{COLUMNS}xf32>, %g: {scale}, %w: {matrix}) -> tensor<?x{ROWS}xf32> {{
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x{COLUMNS}xf32>, {scale}
  %y = lowbit.linear %n, %w : (tensor<?x{COLUMNS}xf32>, {matrix}) -> tensor<?x{ROWS}xf32>
  return %y : tensor<?x{ROWS}xf32>
}}
func.func @f(%x: tensor<?x{COLUMNS}xf32>) -> tensor<?x{ROWS}xf32> {{
  %g = lowbit.get @g : {scale}
  %w = lowbit.get @w : {matrix}
  %y = call @block(%x, %g, %w) : (tensor<?x{COLUMNS}xf32>, {scale}, {matrix}) -> tensor<?x{ROWS}xf32>
  return %y : tensor<?x{ROWS}xf32>
}}
"""


@pytest.mark.parametrize("transposed", [False, True], ids=["rows", "transposed"])
def test_same_function(transposed, qopt, tmp_path):
    generator = np.random.default_rng(5)
    g, w, x = (generator.normal(1, 0.5, shape).astype(np.float32) for shape in ((COLUMNS,), (ROWS, COLUMNS), (TOKENS, COLUMNS)))
    (tmp_path / "w.bin").write_bytes(g.tobytes() + np.ascontiguousarray(w.T if transposed else w).tobytes())
    work = tmp_path / "work"
    done = qopt("--fold-norm-scale", f"--evaluate-weights=work={work}", input=module(tmp_path / "w.bin", transposed))
    assert done.returncode == 0, done.stderr

    # The norm is bare now, and the linear reads the evaluated weight.
    assert re.search(r"rms_norm %\w+ epsilon", done.stdout) and "lowbit.get @w.scaled" in done.stdout
    place = re.search(r'@w\.scaled : !lowbit\.weight<70x96, <f32>> in "(.*)" at (\d+) {derived_from = "\w+"}$', done.stdout, re.MULTILINE)
    assert place[1] == str(work)
    scaled = np.frombuffer(work.read_bytes(), np.float32, ROWS * COLUMNS, int(place[2])).reshape(ROWS, COLUMNS)
    np.testing.assert_array_equal(scaled, w * g)

    # Before: round(n * g) * w; after: n * round(w * g). One rounding of relative size 2^-24 a term each way, so the sums
    # differ by at most 2 * 2^-24 * sum |n g w| (1 % more covers second order and the f64 sums).
    n = x / np.sqrt(np.mean(x**2, -1, keepdims=True) + np.float32(1e-5))
    before = (n * g).astype(np.float64) @ w.T.astype(np.float64)
    after = n.astype(np.float64) @ scaled.T.astype(np.float64)
    bound = 2 * 2**-24 * 1.01 * (np.abs(n * g).astype(np.float64) @ np.abs(w).T.astype(np.float64))
    assert (np.abs(before - after) <= bound).all()
