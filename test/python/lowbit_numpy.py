"""The quantized model in numpy: formats and the activation contract as the design defines them, written apart from lib/formats.

Weights decode from what a format stores; activations entering a linear become int8 per block of 32 (scale = absmax / 127 in f32, code =
roundeven(x / scale)); everything else is exact arithmetic.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re

import numpy as np

ACTIVATION_BLOCK = 32


def quantized(weights, name):
    """The f32 values that `weights` [.., columns] decode to in format `name`: f32, int8-row, int4-g32-asym, ..."""
    if name == "f32":
        return weights
    bits, block, asymmetric = re.fullmatch(r"int(\d)-(g\d+|row)(-asym)?", name).groups()
    block = weights.shape[-1] if block == "row" else int(block[1:])
    encode = _asymmetric if asymmetric else _symmetric
    pieces = np.split(weights, range(block, weights.shape[-1], block), axis=-1)  # the last may be short
    return np.concatenate([encode(np.asarray(piece, np.float32), int(bits)) for piece in pieces], -1)


def _symmetric(block, bits):
    """Scale: the value of largest magnitude, with its sign, over -2^(b-1); for 8 bits absmax / 127. Stored in f16."""
    largest = np.take_along_axis(block, np.abs(block).argmax(-1, keepdims=True), -1)
    scale = np.abs(largest) / np.float32(127) if bits == 8 else largest / np.float32(-(1 << bits - 1))
    scale = _f16(scale)
    code = np.rint(_divide(block, scale)).clip(-(1 << bits - 1), (1 << bits - 1) - 1)
    return code * scale


def _asymmetric(block, bits):
    """lo = min(w, 0), hi = max(w, 0), scale = (hi - lo) / (2^b - 1) in f16, the zero point in b bits."""
    last = np.float32((1 << bits) - 1)
    lo, hi = np.minimum(block.min(-1, keepdims=True), 0), np.maximum(block.max(-1, keepdims=True), 0)
    scale = _f16((hi - lo) / last)
    zero = np.rint(_divide(-lo, scale)).clip(0, last)
    code = (np.rint(_divide(block, scale)) + zero).clip(0, last)
    return (code - zero) * scale


def _f16(x):
    return x.astype(np.float16).astype(np.float32)


def _divide(x, scale):
    return np.divide(x, scale, out=np.zeros(np.broadcast_shapes(x.shape, scale.shape), np.float32), where=scale != 0)


def activation(x):
    """x [.., columns] as a contracted linear sees it."""
    pieces = np.split(np.asarray(x, np.float32), range(ACTIVATION_BLOCK, x.shape[-1], ACTIVATION_BLOCK), axis=-1)
    out = []
    for piece in pieces:
        scale = np.abs(piece).max(-1, keepdims=True) / np.float32(127)
        out.append(np.rint(_divide(piece, scale)) * scale.astype(np.float64))
    return np.concatenate(out, -1)
