"""SmoothQuant [Xiao et al. 2022, equation 4]: part of the inputs' spread is moved into the weights, so that int8 activations with one
scale a row or a tensor lose less."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np


def columnScale(largestInput, weights, alpha=0.5):
    """max|x| ^ alpha / max|w| ^ (1 - alpha) per column: columns of the `weights` (all linears that read the input) are multiplied by
    it, the input divided. Columns whose input or weights are 0 keep a scale of 1."""
    largestInput = np.asarray(largestInput, np.float64)
    largestWeight = np.max([np.abs(w).max(0) for w in weights], 0).astype(np.float64)
    used = (largestInput > 0) & (largestWeight > 0)
    scale = np.ones(len(largestInput))
    scale[used] = largestInput[used] ** alpha / largestWeight[used] ** (1 - alpha)
    return scale.astype(np.float32)


def int8Rows(x):
    """Activations as int8 with one scale a row: absmax / 127; decoded again."""
    return _int8(x, np.abs(x).max(-1, keepdims=True))


def int8Tensor(x, largest):
    """Activations as int8 with one scale for all, from the largest magnitude that calibration saw; what is beyond it saturates."""
    return _int8(x, np.float32(largest))


def _int8(x, largest):
    scale = np.asarray(largest, np.float32) / np.float32(127)
    codes = np.rint(np.divide(x, scale, out=np.zeros_like(x), where=scale != 0)).clip(-127, 127)
    return codes * scale
