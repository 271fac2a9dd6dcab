"""llama2.c's forward pass in numpy, f64: the oracle of the exporter. Written from llama2.c's run.c, with its interleaved rotary pairs."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np


def forward(checkpoint, ids, activation=lambda x: x, tensors=None):
    """Logits [n, vocabulary] of one sequence of token ids. `activation` is applied to what enters a linear layer; `tensors`
    replaces the checkpoint's own (f64)."""
    c, t = checkpoint.config, tensors or float64(checkpoint)
    n, size = len(ids), c.headDim
    x = t["tok_emb"][ids]
    angle = np.arange(n)[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
    future = np.triu(np.full((n, n), -np.inf), 1)
    for layer in range(c.layers):
        a = activation(_norm(x, t["rms_att"][layer]))
        q = _rotate(_heads(a @ t["wq"][layer].T, c.heads), angle)
        k = _rotate(_heads(a @ t["wk"][layer].T, c.kvHeads), angle)
        v = _heads(a @ t["wv"][layer].T, c.kvHeads)
        k, v = (np.repeat(y, c.heads // c.kvHeads, axis=0) for y in (k, v))
        scores = q @ k.swapaxes(1, 2) / np.sqrt(size) + future
        mixed = (_softmax(scores) @ v).swapaxes(0, 1).reshape(n, -1)
        x = x + activation(mixed) @ t["wo"][layer].T
        a = activation(_norm(x, t["rms_ffn"][layer]))
        gate = a @ t["w1"][layer].T
        gated = gate / (1 + np.exp(-gate)) * (a @ t["w3"][layer].T)
        x = x + activation(gated) @ t["w2"][layer].T
    return activation(_norm(x, t["rms_final"])) @ t["tok_emb" if c.tied else "wcls"].T


def float64(checkpoint):
    return {name: np.asarray(a, np.float64) for name, a in checkpoint.tensors.items()}


def _norm(x, scale):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale


def _heads(x, heads):
    return x.reshape(len(x), heads, -1).swapaxes(0, 1)


def _rotate(x, angle):
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    real, imaginary = pairs[..., 0], pairs[..., 1]
    turned = np.stack(
        [real * np.cos(angle) - imaginary * np.sin(angle), real * np.sin(angle) + imaginary * np.cos(angle)], -1
    )
    return turned.reshape(x.shape)


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
