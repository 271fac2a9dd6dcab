"""attribute-divergence through qopt: what each weight does to the outputs, against the same in numpy."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re

import grids
import numpy as np
from rtn import rtn
from test_gptq import block  # noqa: F401

FORMAT = "int3-g32-asym"


def logProbabilities(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def outputs(x, weights):
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    return logProbabilities(x + ((x @ w["q"].T) * (x @ w["k"].T)) @ w["o"].T)


def test_divergence(qopt, block, tmp_path):  # noqa: F811
    folder, weights, data = block
    x = 0.05 * data  # else the outputs are certain of one channel
    np.savez(tmp_path / "x.npz", x=x.reshape(3, -1, x.shape[1]).astype(np.float32))
    done = qopt(folder / "block.mlir", f"--pass-pipeline=builtin.module(observe,assign-formats{{format={FORMAT} head-format={FORMAT}}},"
                                       f"rtn{{work={tmp_path / 'work'}}},attribute-divergence{{data={tmp_path / 'x.npz'} tokens=10000}})")
    assert done.returncode == 0, done.stderr
    x = x.astype(np.float32).astype(np.float64)
    rounded = {name: rtn(grids.Format.parse(FORMAT), value).decode() for name, value in weights.items()}
    original = outputs(x, weights)

    def divergence(some):
        return float((np.exp(original) * (original - outputs(x, some))).sum(-1).mean())

    all = divergence(rounded)
    assert all > 1e-4
    # Logits are f32 sums of at most 80 products: 1e-5 of their size, which is below 10; a divergence moves by the square of that and by
    # that times the differences it is made of.
    found = float(re.search(r"lowbit.divergence = (\S+)", done.stdout).group(1))
    np.testing.assert_allclose(found, all, rtol=1e-3)
    for name in weights:
        attributes = re.search(rf"lowbit.weight @{name} : .*", done.stdout).group(0)
        assert "original = {" in attributes
        found = float(re.search(r"\{divergence = (\S+)", attributes).group(1))
        np.testing.assert_allclose(found, all - divergence({**rounded, name: weights[name]}), atol=1e-3 * all)


def test_without_data(qopt, block, tmp_path):  # noqa: F811
    done = qopt(block[0] / "block.mlir", f"--pass-pipeline=builtin.module(attribute-divergence{{data={tmp_path / 'none.npz'}}})")
    assert done.returncode == 1 and "attribute-divergence" in done.stderr and "none.npz" in done.stderr
