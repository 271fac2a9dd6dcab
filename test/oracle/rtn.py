"""Round to nearest: each block by itself. And what every method gives: codes, scales and zeros."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from dataclasses import dataclass

import grids
import numpy as np


@dataclass
class Quantized:
    """codes [rows, columns], scales and zeros [rows, blocks]."""

    format: grids.Format
    codes: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray

    def decode(self):
        blocks = enumerate(self.format.blocks(self.codes.shape[1]))
        pieces = [grids.decode(self.format, self.codes[:, at], self.scales[:, [b]], self.zeros[:, [b]]) for b, at in blocks]
        return np.concatenate(pieces, 1)


def rtn(format, weights, grid=None, importance=None):
    """weights [rows, columns]; `grid(block, importance)` gives the (scale, zero) of a block: the extremes', or what a search finds
    with the `importance` of its columns (1 each if None)."""
    grid = grid or (lambda block, importance: grids.fromExtremes(format, block))
    importance = np.ones(weights.shape[1]) if importance is None else importance
    codes, scales, zeros = [], [], []
    for columns in format.blocks(weights.shape[1]):
        scale, zero = grid(weights[:, columns], importance[columns])
        codes.append(grids.encode(format, weights[:, columns], scale, zero))
        scales.append(scale)
        zeros.append(zero)
    return Quantized(format, *(np.concatenate(pieces, 1) for pieces in (codes, scales, zeros)))
