"""The number formats as grids: which values a block of a row can take, written apart from lib/formats from its description.

A block has a scale, rounded to f16 before any code is chosen, and a zero:
  integers    value = (code - zero) * scale; without a stored zero, zero = 2^(bits-1)
  codebooks   value = levels[code] * unit * scale
Blocks of many rows are handled at once: values [rows, columns of the block], scale and zero [rows, 1], f32.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
from dataclasses import dataclass

import numpy as np

# (levels in the order of their codes, unit). Sources: lib/formats/Table.cpp; ggml's IQ4_NL, ik_llama.cpp's 3- and 2-bit tables.
CODEBOOKS = {
    "nf4": ((-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127), 1 / 127),
    "e2m1": ((0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12), 0.5),
    "iq4nl": ((-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), 1.0),
    "iq3nl": ((-63, -40, -23, -10, 1, 13, 28, 47), 1.0),
    "iq2nl": ((-31, -13, 1, 17), 1.0),
}


@dataclass(frozen=True)
class Format:
    """`block` columns share a scale, 0: the whole row; `levels` of a codebook; `asymmetric`: blocks store the code that means 0."""

    bits: int
    block: int
    asymmetric: bool = False
    levels: tuple = ()
    unit: float = 1.0

    @staticmethod
    def parse(name):
        """int4-g32, int3-g64-asym, int8-row, iq4nl-g32, ..."""
        element, block, asymmetric = re.fullmatch(r"(\w+)-(g\d+|row)(-asym)?", name).groups()
        block = 0 if block == "row" else int(block[1:])
        if element in CODEBOOKS:
            levels, unit = CODEBOOKS[element]
            return Format(len(levels).bit_length() - 1, block, levels=levels, unit=unit)
        return Format(int(element.removeprefix("int")), block, bool(asymmetric))

    def blocks(self, columns):
        """The slices of a row's blocks; the last may be short."""
        step = self.block or columns
        return [slice(start, min(start + step, columns)) for start in range(0, columns, step)]

    @property
    def middle(self):
        """The code that means 0 where none is stored."""
        return 0 if self.levels else 1 << self.bits - 1

    @property
    def codeRange(self):
        """8 bits without a zero are mirrored: -127..127."""
        return (1 if self.bits == 8 and not self.asymmetric else 0), (1 << self.bits) - 1

    @property
    def ends(self):
        """The lowest and the highest value of a block with scale 1 that stores no zero."""
        if self.levels:
            return min(self.levels) * self.unit, max(self.levels) * self.unit
        return tuple(code - self.middle for code in self.codeRange)


def f16(scale):
    """As stored: rounded to f16, what is too large made the largest; what vanishes is +0."""
    return np.clip(scale, -65504, 65504).astype(np.float16).astype(np.float32) + np.float32(0)


def fromExtremes(format, values):
    """The grid of round-to-nearest: (scale, zero) that reach the outermost values of each block and 0."""
    values = np.asarray(values, np.float32)
    low, high = (np.asarray(end(values, 1, keepdims=True), np.float32) for end in (np.min, np.max))
    if format.asymmetric:
        return fromRange(format, low, high)
    return f16(reach(format, values)), np.full(low.shape, format.middle, np.int32)


def fromRange(format, low, high):
    """(scale, zero) of a grid with a stored zero that spans low..high and 0."""
    low, high = np.minimum(low, np.float32(0)), np.maximum(high, np.float32(0))
    last = format.codeRange[1]
    scale = f16((high - low) / np.float32(last))
    return scale, np.rint(divide(-low, scale)).clip(0, last).astype(np.int32)


def reach(format, values):
    """The unrounded scale with which the outermost level meets the outermost value; its sign is that of their ratio."""
    first = np.abs(values).argmax(1)[:, None]
    outermost = np.take_along_axis(values, first, 1)
    if not format.levels:
        return np.abs(outermost) / np.float32(127) if format.bits == 8 else outermost / np.float32(-format.middle)
    furthest = min(format.levels) if -min(format.levels) > max(format.levels) else max(format.levels)
    mirrored = min(format.levels) == -max(format.levels)
    return (np.abs(outermost) if mirrored else outermost) / (np.float32(furthest) * np.float32(format.unit))


def encode(format, values, scale, zero):
    """Codes of the nearest grid values, ties to even; where the scale is 0, a code that decodes to 0 or to nothing but 0."""
    scaled = divide(np.asarray(values, np.float32), scale * np.float32(format.unit))
    if format.levels:
        return _nearestLevel(format.levels, scaled)
    return (np.rint(scaled) + zero).clip(*format.codeRange).astype(np.uint8)


def decode(format, codes, scale, zero):
    if format.levels:
        return np.asarray(format.levels, np.float32)[codes] * (scale * np.float32(format.unit))
    return (codes.astype(np.int32) - zero) * scale


def divide(values, scale):
    return np.divide(values, scale, out=np.zeros(np.broadcast_shapes(values.shape, scale.shape), np.float32), where=scale != 0)


def _nearestLevel(levels, values):
    """Of two levels equally near the one with an even code."""
    order = np.argsort(levels, kind="stable")
    ordered = np.asarray(levels, np.float32)[order]
    above = np.searchsorted(ordered, values).clip(1, len(levels) - 1)
    down, up = values - ordered[above - 1], ordered[above] - values
    chosen = np.where((down < up) | ((down == up) & (order[above - 1] % 2 == 0)), above - 1, above)
    return order[chosen].astype(np.uint8)
