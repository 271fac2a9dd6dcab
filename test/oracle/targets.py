"""Weights that aim at what the f32 model computes, from inputs that the quantized one feeds [GPTAQ, Li et al. 2025; here in closed form].

GPTQ makes |W x - Q x| small, x from the model quantized so far. Wanted is a small |(W X + R) - (Q x + r)|: X is the same token's input in
the f32 model; R and r are the residual stream that the output is added to, in either model. Least squares without the grid gives
    W* = W + (W sum (X - x) x^T + sum (R - r) x^T) (sum x x^T + damping)^-1
and a small |W* x - Q x| is then GPTQ's own problem with the same Hessian.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
from gptq import damped


def cross(a, x):
    """2/n sum a x^T over the rows of a and x, the Hessian's units: products in f32, the sum over pieces of 1024 rows in f64."""
    total = np.zeros((a.shape[1], x.shape[1]))
    for start in range(0, len(x), 1024):
        total += a[start : start + 1024].T @ x[start : start + 1024]
    return total * 2 / len(x)


def aim(weights, hessian, inputDrift, residualDrift=None, damp=0.01):
    """W* of the equation above. `inputDrift` = cross(X - x, x), `residualDrift` = cross(R - r, x) or None where nothing is added."""
    inverted, weights = damped(hessian, weights, damp)
    drift = weights @ inputDrift + (0 if residualDrift is None else residualDrift)
    return (weights + np.linalg.solve(inverted, drift.T).T).astype(np.float32)
