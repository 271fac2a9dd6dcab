"""rtn's work file, bit for bit, against encoding and storage layout written here in numpy from the design's words alone."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re

import numpy as np
import pytest

ROWS, COLUMNS = 70, 288  # more than one chunk of rows; blocks of 128 leave a short one


def spelled(element, block, scale="f16", zeroPoint=False):
    """The format as the IR writes it."""
    size = "row" if block == 0 else f"block {block}"
    return f"#lowbit.format<{element}, {size}, scale {scale}{', zero_point' if zeroPoint else ''}>"


def bf16(x):
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).view(np.float32)


STORE = {
    "f16": (lambda x: x.astype(np.float16).astype(np.float32), lambda x: x.astype(np.float16).tobytes()),
    "bf16": (bf16, lambda x: (x.view(np.uint32) >> 16).astype(np.uint16).tobytes()),
    "f32": (lambda x: x, lambda x: x.tobytes()),
}


def encode(block, bits, rounded, zeroPoint):
    """Unsigned codes, the scale and the zero of one block of one row."""
    f = np.float32
    if zeroPoint:
        lo, hi = min(block.min(), f(0)), max(block.max(), f(0))
        scale = rounded(np.array([(hi - lo) / f(2**bits - 1)], f))[0]
        zero = int(np.rint(-lo / scale).clip(0, 2**bits - 1)) if scale else 0
        lowest, highest = -zero, 2**bits - 1 - zero
    else:
        largest = block[np.abs(block).argmax()]
        scale = np.abs(largest) / f(127) if bits == 8 else largest / f(-(2 ** (bits - 1)))
        scale = rounded(np.array([scale], f))[0] + f(0)  # a vanished scale is +0, not -0
        zero = 2 ** (bits - 1)
        lowest, highest = (-127, 127) if bits == 8 else (-zero, zero - 1)
    codes = np.rint(block / scale).clip(lowest, highest) if scale else np.zeros_like(block)
    return codes.astype(int) + zero, scale, zero


def packed(values, bits):
    """Bit-packed from the low bits up, padded to a byte."""
    flat = np.asarray(values)[:, None] >> np.arange(bits) & 1
    return np.packbits(flat.astype(np.uint8).ravel(), bitorder="little").tobytes()


def storage(weights, bits, block, scaleType, zeroPoint):
    """All storage rows, and what they decode to."""
    rounded, stored = STORE[scaleType]
    out, decoded = b"", np.empty(weights.shape, np.float64)
    for r, row in enumerate(weights):
        starts = range(0, len(row), block or len(row))
        blocks = [encode(row[s : s + (block or len(row))], bits, rounded, zeroPoint) for s in starts]
        codes, scales, zeros = np.concatenate([b[0] for b in blocks]), np.array([b[1] for b in blocks], np.float32), [b[2] for b in blocks]
        out += packed(codes, bits) + stored(scales) + (packed(zeros, bits) if zeroPoint else b"")
        decoded[r] = np.concatenate([(b[0] - b[2]) * np.float64(b[1]) for b in blocks])
    return out, decoded


def module(path, fmt, shape, transposed, offset):
    rows, columns = shape
    plain = f"!lowbit.weight<{rows}x{columns}, #lowbit.format<f32>>"
    return f"""
lowbit.weight @w : {plain} in "{path}" at {offset} {"transposed" if transposed else ""}
func.func @f(%x: tensor<?x{columns}xf32>) -> tensor<?x{rows}xf32> {{
  %w = lowbit.get @w : {plain}
  %y = lowbit.linear %x, %w {{format = {fmt}, method = "rtn"}} : (tensor<?x{columns}xf32>, {plain}) -> tensor<?x{rows}xf32>
  return %y : tensor<?x{rows}xf32>
}}
"""


def quantized(qopt, folder, weights, fmt, transposed, *flags):
    """The bytes of the work file, and the text of the result."""
    stored = weights.T if transposed else weights
    (folder / "w.bin").write_bytes(b"?" * 12 + np.ascontiguousarray(stored).tobytes())
    text = module(folder / "w.bin", fmt, weights.shape, transposed, 12)
    done = qopt(f"--rtn=work={folder / 'work'}", *flags, input=text)
    assert done.returncode == 0, done.stderr
    return (folder / "work").read_bytes(), done.stdout


@pytest.fixture(scope="module")
def weights():
    """Normal values; a row of zeros, one of one sign, one whose extremes tie, one of tiny and one of large values."""
    w = np.random.default_rng(3).normal(0, 0.05, (ROWS, COLUMNS)).astype(np.float32)
    w[1] = 0
    w[2] = np.abs(w[2])
    w[3, ::2], w[3, 1::2] = 0.5, -0.5
    w[4] *= np.float32(1e-7)
    w[5] *= np.float32(1e4)
    return w


@pytest.mark.parametrize("transposed", [False, True], ids=["rows", "transposed"])
@pytest.mark.parametrize("zeroPoint", [False, True], ids=["sym", "asym"])
@pytest.mark.parametrize("block", [32, 128, 0])
@pytest.mark.parametrize("bits", [8, 4, 3, 2])
def test_bytes(bits, block, zeroPoint, transposed, weights, qopt, tmp_path):
    expected, decoded = storage(weights, bits, block, "f16", zeroPoint)
    work, text = quantized(qopt, tmp_path, weights, spelled(f"int{bits}", block, "f16", zeroPoint), transposed)
    assert len(work) == len(expected)
    assert work == expected
    error = float(re.search(r"error = (\S+) :", text)[1])
    norm = np.linalg.norm(weights.astype(np.float64))
    # Decoding rounds the exact product to f32 once: |decoded_f32 - decoded| <= 2^-24 |decoded| <= 2^-24 * 2 |w|max a block.
    assert error == pytest.approx(np.linalg.norm(decoded - weights) / norm, abs=2**-23)


@pytest.mark.parametrize("scale", ["bf16", "f32"])
def test_scale_types(scale, weights, qopt, tmp_path):
    expected, _ = storage(weights, 4, 32, scale, False)
    assert quantized(qopt, tmp_path, weights, spelled("int4", 32, scale), True)[0] == expected


def test_threads_do_not_change_bytes(weights, qopt, tmp_path):
    big = np.concatenate([weights * np.float32(i) for i in range(1, 9)])
    fmt = spelled("int4", 32)
    many = quantized(qopt, tmp_path, big, fmt, False)
    one = quantized(qopt, tmp_path, big, fmt, False, "--mlir-disable-threading")
    assert many == one


def test_lowest_bad_weight_is_the_one_reported(weights, qopt, tmp_path):
    bad = np.concatenate([weights] * 4)
    bad[[269, 200, 131], [3, 5, 7]] = np.inf
    bad.tofile(tmp_path / "w.bin")
    text = module(tmp_path / "w.bin", spelled("int4", 32), bad.shape, False, 0)
    for _ in range(5):
        done = qopt(f"--rtn=work={tmp_path / 'work'}", input=text)
        assert done.returncode == 1
        assert f"{tmp_path / 'w.bin'}: weight 'w', row 131, column 7 is inf" in done.stderr
        assert sorted(p.name for p in tmp_path.iterdir()) == ["w.bin"]
