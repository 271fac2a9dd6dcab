"""The grid of a block by search: of shrunken grids, each refitted to its codes, the one that rounds with the least weighted error.

The weights of columns are what an error costs there: the diagonal of the Hessian for round-to-nearest; 1 / U_jj^2 within GPTQ, whose loss
is sum_j ((w_j - q_j) / U_jj)^2 exactly, for w_j as updated when column j is reached.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import grids
import numpy as np

STEPS, LEAST, REFITS = 20, 0.5, 2


def candidates(format, block, steps=STEPS, least=LEAST):
    """(scale, zero) from the grid that spans the block down to `least` of it. Without a stored zero both signs of the scale are tried:
    levels are not their own mirror image, -2^(bits-1) has no opposite."""
    low = np.minimum(block.min(1, keepdims=True), np.float32(0))
    high = np.maximum(block.max(1, keepdims=True), np.float32(0))
    for share in np.linspace(1, least, steps, dtype=np.float32):
        if format.asymmetric:
            yield grids.fromRange(format, share * low, share * high)
            continue
        for spanning in _spanning(format, low, high):
            yield grids.f16(share * spanning), np.full(low.shape, format.middle, np.int32)


def _spanning(format, low, high):
    """The scales of either sign with which the outermost values lie within the outermost levels and one of them meets its level."""
    bottom, top = (np.float32(end) for end in format.ends)
    positive, negative = np.maximum(high / top, low / bottom), -np.maximum(-low / top, -high / bottom)
    return (positive,) if bottom == -top else (positive, negative)


def fit(format, block, importance, codes, scale, zero):
    """The (scale, zero) with which `codes` decode nearest to the block by weighted least squares: over all real scales and zeros, then
    the zero is rounded, then over all scales. Where the codes leave no choice, as before."""
    if format.asymmetric:
        zero = _fitZero(format, block, importance, codes.astype(np.float64), zero)
    level = grids.decode(format, codes, np.float32(1), zero).astype(np.float64)
    square = (importance * level**2).sum(1, keepdims=True)
    product = (importance * level * block).sum(1, keepdims=True)
    fitted = np.divide(product, square, out=scale.astype(np.float64), where=square > 0)
    return grids.f16(np.maximum(fitted, 0) if format.asymmetric else fitted), zero


def _fitZero(format, block, importance, code, zero):
    """Where the line block = slope * code + offset meets 0."""
    mean = lambda values: (importance * values).sum(1, keepdims=True) / importance.sum()
    varied, together = mean(code**2) - mean(code) ** 2, mean(code * block) - mean(code) * mean(block)
    rising = (varied > 0) & (together > 0)
    crossing = mean(code) - mean(block) * np.divide(varied, together, out=np.zeros_like(varied), where=rising)
    return np.where(rising, np.rint(crossing).clip(*format.codeRange), zero).astype(np.int32)


def search(format, block, importance, steps=STEPS, least=LEAST, refits=REFITS):
    """(scale, zero) of a block [rows, columns] with the least sum_j importance_j (w_j - q_j)^2 of each row; of equal ones the first."""
    block = np.asarray(block, np.float32)
    importance = importance if np.any(importance) else np.ones(block.shape[1])
    best, lost = None, np.inf
    for grid in _trials(format, block, importance, steps, least, refits):
        error = block.astype(np.float64) - grids.decode(format, grids.encode(format, block, *grid), *grid)
        cost = (error**2 * importance).sum(1, keepdims=True)
        best = tuple(np.where(cost < lost, new, old) for new, old in zip(grid, best or grid))
        lost = np.minimum(cost, lost)
    return best


def _trials(format, block, importance, steps, least, refits):
    yield grids.fromExtremes(format, block)
    for grid in candidates(format, block, steps, least):
        yield grid
        for _ in range(refits):
            grid = fit(format, block, importance, grids.encode(format, block, *grid), *grid)
            yield grid


def searched(format, steps=STEPS, least=LEAST, refits=REFITS):
    """The `grid` of rtn and gptq that searches."""
    return lambda block, importance: search(format, block, importance, steps, least, refits)
