"""imatrix and hqq through qopt, from weights to codes."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re

import grids
import numpy as np
import pytest
import search as gridSearch
from rtn import rtn
from test_gptq import block, unpack  # noqa: F401


def storedWeights(qopt, folder, tmp_path, *passes):
    """The IR after the passes, and the storage rows of all weights by name."""
    done = qopt(folder / "block.mlir", f"--pass-pipeline=builtin.module({','.join(passes)})")
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "work").read_bytes()
    return done.stdout, {name: content[int(at):] for name, at in re.findall(r"lowbit.weight @(\w+) : .* in \".*\" at (\d+)", done.stdout)}


@pytest.mark.parametrize("format,bits,zeroPoint", [("int4-g32-asym", 4, True), ("int3-g32", 3, False)])
def test_codes_are_those_of_the_search(qopt, block, tmp_path, format, bits, zeroPoint):  # noqa: F811
    folder, weights, x = block
    text, stored = storedWeights(qopt, folder, tmp_path, f"observe,calibrate{{data={folder / 'x.npz'} statistics={tmp_path / 's'}}}",
                                 f"assign-formats{{format={format} head-format={format} method=imatrix}}",
                                 f"imatrix{{work={tmp_path / 'work'} sizes=9 smallest=0.6 refits=1}}")
    assert len(re.findall(r"\{error = .* output_error = ", text)) == 3
    x64 = x.astype(np.float64)
    product = (x64 @ weights["q"].T.astype(np.float64)) * (x64 @ weights["k"].T.astype(np.float64))
    named = grids.Format.parse(format)
    for name, inputs in (("q", x64), ("k", x64), ("o", product)):
        w = weights[name]
        wanted = rtn(named, w, gridSearch.searched(named, 9, 0.6, 1), (inputs**2).mean(0))
        blocks = -(-w.shape[1] // 32)
        rowBytes = -(-w.shape[1] * bits // 8) + 2 * blocks + (-(-blocks * bits // 8) if zeroPoint else 0)
        codes, scales, zeros = unpack(stored[name][: rowBytes * len(w)], *w.shape, bits, 32, zeroPoint)
        # The importance is f32 here and f64 there, so two grids whose losses differ by 1e-6 may change places: rarely one block of 72 to
        # 80, and it loses the same.
        same = scales == wanted.scales
        assert same.mean() > 0.95, f"{name}: {(~same).sum()} of {same.size} blocks differ"
        columns = np.repeat(same, 32, axis=1)[:, : w.shape[1]]
        assert (codes == wanted.codes)[columns].mean() == 1


def test_without_statistics(qopt, block, tmp_path):  # noqa: F811
    folder = block[0]
    done = qopt(folder / "block.mlir", f"--pass-pipeline=builtin.module(observe{{gather=hessian}},calibrate{{data={folder / 'x.npz'} statistics={tmp_path / 's'}}},"
                                       f"assign-formats{{format=int4-g32 method=imatrix}},imatrix{{work={tmp_path / 'work'}}})")
    assert done.returncode == 1 and "weight 'q': no magnitudes were gathered" in done.stderr
