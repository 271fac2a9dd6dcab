"""GPTQ [Frantar et al. 2022, algorithm 1] of one linear: each column rounded in turn, its error spread over those not yet rounded."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import grids
import numpy as np
from rtn import Quantized


def damped(hessian, weights, damp):
    """The Hessian that is inverted and the weights that go with it. Columns never seen get a diagonal of 1 and weights of 0; `damp` times the
    mean diagonal of the others is added to the diagonal."""
    hessian, weights = np.array(hessian, np.float64), np.array(weights, np.float64)
    dead = np.diag(hessian) == 0
    raised = 0 if dead.all() else damp * np.diag(hessian)[~dead].mean()
    hessian[dead, dead] = 1
    weights[:, dead] = 0
    hessian[np.diag_indices_from(hessian)] += raised
    return hessian, weights


def inverseFactor(hessian):
    """U, upper triangular, with U^T U = H^-1: row j holds what the error of column j does to the later columns. With J the reversal and
    L L^T = J H J, U is J L^-1 J."""
    lower = np.linalg.cholesky(hessian[::-1, ::-1])
    return np.triu(np.linalg.inv(lower)[::-1, ::-1])


def roundingOrder(format, diagonal, order):
    """The columns as they are rounded. "columns": left to right. "falling": by falling diagonal of the Hessian, the field's act-order.
    "blocks": blocks by the falling mean of theirs, within a block falling, so that the columns of a block stay together."""
    falling = lambda keys: np.argsort(-np.asarray(keys), kind="stable")
    if order == "columns":
        return np.arange(len(diagonal))
    if order == "falling":
        return falling(diagonal)
    blocks = format.blocks(len(diagonal))
    byMean = falling([diagonal[columns].mean() for columns in blocks])
    return np.concatenate([blocks[b].start + falling(diagonal[blocks[b]]) for b in byMean])


def gptq(format, weights, hessian, damp=0.01, order="columns", grid=None, static=False):
    """weights [rows, columns], hessian [columns, columns] = 2/n sum x x^T.
    `grid(block, importance)` gives the (scale, zero) of a block when its first column is reached, from the weights as they are by then;
    from the original weights when `static`, and always with order "falling", which tears blocks apart. Left out: the extremes'."""
    grid = grid or (lambda block, importance: grids.fromExtremes(format, block))
    hessian, work = damped(hessian, weights, damp)
    static, order = static or order == "falling", roundingOrder(format, np.diag(hessian), order)
    factor = inverseFactor(hessian[np.ix_(order, order)])
    importance = np.empty(len(order))
    importance[order] = 1 / np.diag(factor) ** 2

    blocks = format.blocks(len(order))
    original, placed = work.copy(), {}
    codes = np.zeros(work.shape, np.uint8)
    for i, column in enumerate(order):
        b = next(b for b, columns in enumerate(blocks) if columns.start <= column < columns.stop)
        if b not in placed:
            placed[b] = grid((original if static else work)[:, blocks[b]], importance[blocks[b]])
        code = grids.encode(format, work[:, [column]], *placed[b])
        error = (work[:, column] - grids.decode(format, code, *placed[b])[:, 0]) / factor[i, i]
        work[:, order[i + 1 :]] -= np.outer(error, factor[i, i + 1 :])
        codes[:, [column]] = code
    scales, zeros = (np.concatenate([placed[b][part] for b in range(len(blocks))], 1) for part in (0, 1))
    return Quantized(format, codes, scales, zeros)


def loss(weights, decoded, hessian):
    """What GPTQ makes small: trace(E H E^T) of the error E of the weights."""
    error = np.asarray(weights, np.float64) - decoded
    return float(((error @ hessian) * error).sum())
