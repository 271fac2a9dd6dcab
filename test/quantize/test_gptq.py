"""gptq through qopt, from data to codes, against GPTQ written in numpy from the paper (test/oracle)."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "oracle"))
import grids  # noqa: E402
import search as gridSearch  # noqa: E402
from gptq import gptq, loss  # noqa: E402

ROWS, COLUMNS, SEQUENCES, TOKENS = 24, 80, 3, 70  # blocks of 32 leave a short one

BLOCK = """
lowbit.weight @q : !lowbit.weight<24x80, #lowbit.format<f32>> in "{file}" at 0
lowbit.weight @k : !lowbit.weight<24x80, #lowbit.format<f32>> in "{file}" at 7680
lowbit.weight @o : !lowbit.weight<80x24, #lowbit.format<f32>> in "{file}" at 15360
func.func @block(%x: tensor<?x80xf32>) -> tensor<?x80xf32> {{
  %q = lowbit.get @q : !lowbit.weight<24x80, #lowbit.format<f32>>
  %k = lowbit.get @k : !lowbit.weight<24x80, #lowbit.format<f32>>
  %o = lowbit.get @o : !lowbit.weight<80x24, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %q : (tensor<?x80xf32>, !lowbit.weight<24x80, #lowbit.format<f32>>) -> tensor<?x24xf32>
  %1 = lowbit.linear %x, %k : (tensor<?x80xf32>, !lowbit.weight<24x80, #lowbit.format<f32>>) -> tensor<?x24xf32>
  %2 = arith.mulf %0, %1 : tensor<?x24xf32>
  %3 = lowbit.linear %2, %o : (tensor<?x24xf32>, !lowbit.weight<80x24, #lowbit.format<f32>>) -> tensor<?x80xf32>
  %4 = arith.addf %x, %3 : tensor<?x80xf32>
  return %4 : tensor<?x80xf32>
}}
"""


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    """A block in IR with its weights, and data whose columns vary together."""
    folder = tmp_path_factory.mktemp("gptq")
    random = np.random.default_rng(5)
    weights = {name: random.standard_normal(shape).astype(np.float32) for name, shape in
               (("q", (ROWS, COLUMNS)), ("k", (ROWS, COLUMNS)), ("o", (COLUMNS, ROWS)))}
    (folder / "weights.bin").write_bytes(b"".join(w.tobytes() for w in weights.values()))
    (folder / "block.mlir").write_text(BLOCK.format(file=folder / "weights.bin"))
    mix = random.standard_normal((COLUMNS, COLUMNS)) * np.exp(-np.arange(COLUMNS) / 20)
    x = (random.standard_normal((SEQUENCES, TOKENS, COLUMNS)) @ mix).astype(np.float32)
    np.savez(folder / "x.npz", x=x)
    return folder, weights, x.reshape(-1, COLUMNS)


def unpack(stored, rows, columns, bits, block, zeroPoint):
    """Codes, scales and zeros of storage rows: codes, then f16 scales, then zeros, each from the low bits up (lib/formats/Packing.h)."""
    blocks = -(-columns // block)
    rowBytes = len(stored) // rows

    def fields(data, count):
        flat = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: count * bits]
        return flat.reshape(count, bits) @ (1 << np.arange(bits))

    codes, scales, zeros = [], [], []
    for row in (stored[i * rowBytes : (i + 1) * rowBytes] for i in range(rows)):
        end = -(-columns * bits // 8)
        codes.append(fields(row[:end], columns))
        scales.append(np.frombuffer(row[end : end + 2 * blocks], np.float16).astype(np.float32))
        zeros.append(fields(row[end + 2 * blocks :], blocks) if zeroPoint else np.full(blocks, 1 << (bits - 1)))
    return np.array(codes), np.array(scales), np.array(zeros)


def run(qopt, folder, format, options, tmp_path):
    """The IR after calibrating, quantizing and contracting; the weights' storage rows by name."""
    work = tmp_path / "work"
    pipeline = (f"builtin.module(observe{{gather=hessian}},calibrate{{data={folder / 'x.npz'} statistics={tmp_path / 's'}}},"
                f"assign-formats{{format={format}}},gptq{{work={work} {options}}},drop-observations,contract-activations)")
    done = qopt(folder / "block.mlir", f"--pass-pipeline={pipeline}")
    assert done.returncode == 0, done.stderr
    content = work.read_bytes()
    offsets = {name: int(at) for name, at in re.findall(r"lowbit.weight @(\w+) : .* in \".*\" at (\d+)", done.stdout)}
    return done.stdout, {name: content[at:] for name, at in offsets.items()}


@pytest.mark.parametrize("format,bits,zeroPoint", [("int4-g32-asym", 4, True), ("int3-g32", 3, False), ("int2-g32-asym", 2, True)])
@pytest.mark.parametrize("options,order,static,search", [("", "columns", False, False), ("act-order", "falling", True, False),
                                                         ("block-order grid-search", "blocks", False, True), ("static-groups", "columns", True, False)])
def test_codes_are_those_of_the_paper(qopt, block, tmp_path, format, bits, zeroPoint, options, order, static, search):
    folder, weights, x = block
    text, stored = run(qopt, folder, format, options, tmp_path)
    assert text.count("lowbit.quantize_activation") == 2 and "lowbit.observe" not in text
    x64 = x.astype(np.float64)
    product = (x64 @ weights["q"].T.astype(np.float64)) * (x64 @ weights["k"].T.astype(np.float64))
    named = grids.Format.parse(format)
    for name, inputs in (("q", x64), ("k", x64), ("o", product)):
        w = weights[name].astype(np.float64)
        hessian = 2 / len(inputs) * inputs.T @ inputs
        grid = (lambda b, importance: gridSearch.search(named, b, importance, steps=6, refits=2)) if search else None
        wanted = gptq(named, w, hessian, order=order, static=static, grid=grid)
        blocks = -(-w.shape[1] // 32)
        rowBytes = -(-w.shape[1] * bits // 8) + 2 * blocks + (-(-blocks * bits // 8) if zeroPoint else 0)
        codes, scales, zeros = unpack(stored[name][: rowBytes * len(w)], *w.shape, bits, 32, zeroPoint)
        # f32 here, f64 there: a value within 1e-6 of the middle of two levels may go either way, and what follows in its row with it. Of
        # 24 to 80 rows with fewer than 100 such values at random that is rarely one; its loss stays the same.
        same = (codes == wanted.codes).all(1)
        assert same.mean() > 0.95, f"{name}: {(~same).sum()} of {len(same)} rows differ"
        assert np.array_equal(scales[same], wanted.scales[same].astype(np.float32))
        starts = np.arange(w.shape[1]) // 32
        decoded = (codes - np.take_along_axis(zeros, np.broadcast_to(starts, codes.shape), 1)) * np.take_along_axis(scales, np.broadcast_to(starts, codes.shape), 1)
        assert loss(w, decoded, hessian) == pytest.approx(loss(w, wanted.decode(), hessian), rel=0.02)
