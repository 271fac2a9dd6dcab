"""AWQ [Lin et al. 2023]: columns whose inputs are large are scaled up before rounding, and the producer of the input down.

The scale of a column is mean|x| ^ alpha; of 20 alphas in 0..1 the one wins whose rounding changes the output of the enclosing module
(attention, or the gated MLP; else the linear itself) least in mean square. Afterwards outliers may be clipped, judged likewise.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import llama
import numpy as np
from rtn import rtn

STEPS = 20
CLIP_STEPS, LEAST_CLIP, CLIP_ROWS = 20, 0.5, 512
UNCLIPPED = ("wq", "wk")  # their errors meet in a product, where clipping one alone misleads


def columnScale(meanAbs, alpha):
    """mean|x| ^ alpha, centred so that the largest and the smallest are each other's inverse."""
    scale = np.maximum(np.asarray(meanAbs, np.float64) ** alpha, 1e-4)
    return (scale / np.sqrt(scale.max() * scale.min())).astype(np.float32)


def searchScale(meanAbs, loss):
    """(scale, alpha, loss) of the alpha with the least `loss(scale)`; of equal ones the smallest."""
    trials = [(columnScale(meanAbs, step / STEPS), step / STEPS) for step in range(STEPS)]
    losses = [loss(scale) for scale, _ in trials]
    best = int(np.argmin(losses))
    return *trials[best], losses[best]


def scaledRounding(format, weights, scale):
    """What a linear computes with when its columns are scaled, rounded to nearest, and its input divided by the scale."""
    return rtn(format, weights * scale).decode() / scale


def fold(layer, producer, names, scale):
    """Scales the columns of `names` up and what the producer (a norm, or the rows of a linear) gives down: the function stays."""
    shape = (-1, 1) if layer[producer].ndim == 2 else -1
    layer[producer] = layer[producer] / scale.reshape(shape)
    for name in names:
        layer[name] = layer[name] * scale


def scaleBlock(model, layer, x, lengths, format, activation=llama.exact):
    """Finds and folds the scales of a block in place, pair after pair; returns the alphas by producer. x enters the block in f32."""
    alphas = {}
    for producer, names, module in pairs(model, layer):
        inputs = {}
        llama.runBlock(model, layer, x, lengths, before=lambda names, x, residual: inputs.update({names: x}))
        entering = inputs[names]
        expected = module(layer, entering, lengths)

        def loss(scale):
            trial = {**layer, **{name: scaledRounding(format, layer[name], scale) for name in names}}
            return float(((module(trial, entering, lengths) - expected) ** 2).mean(dtype=np.float64))

        scale, alphas[producer], _ = searchScale(np.abs(entering).mean(0), loss)
        fold(layer, producer, names, scale)
    return alphas


def pairs(model, layer):
    """(producer, the linears that read it, the function judged). v feeds o only where heads are not repeated."""
    attention = lambda layer, x, lengths: llama.attention(model, layer, x, lengths)
    linear = lambda name: lambda layer, x, lengths: x @ layer[name].T
    found = [("rms_att", llama.GROUPS[0], attention)]
    if layer["wv"].shape[0] == layer["wo"].shape[1]:
        found.append(("wv", llama.GROUPS[1], linear("wo")))
    mlp = lambda layer, x, lengths: llama.mlp(layer, x)
    return [*found, ("rms_ffn", llama.GROUPS[2], mlp), ("w3", llama.GROUPS[3], linear("w2"))]


def clip(format, weights, x):
    """Weights with each block's magnitude cut at the share (1, .95, ... .55) of its largest that changes the block's own part of the
    output least, over at most 512 evenly spaced rows of x."""
    x = x[:: max(1, len(x) // CLIP_ROWS)][:CLIP_ROWS]
    weights = np.array(weights, np.float32)
    for columns in format.blocks(weights.shape[1]):
        weights[:, columns] = _clipBlock(format, weights[:, columns], x[:, columns])
    return weights


def _clipBlock(format, block, x):
    largest = np.abs(block).max(1, keepdims=True)
    best, least = block, np.full(len(block), np.inf)
    for step in range(int((1 - LEAST_CLIP) * CLIP_STEPS)):
        limit = largest * np.float32(1 - step / CLIP_STEPS)
        trial = block.clip(-limit, limit)
        error = ((rtn(format, trial).decode() - block) @ x.T).astype(np.float64)
        lost = (error * error).mean(1)
        best = np.where((lost < least)[:, None], trial, best)
        least = np.minimum(lost, least)
    return best
