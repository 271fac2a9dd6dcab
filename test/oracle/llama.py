"""The Llama decoder in numpy, f32, over many sequences at once and one block at a time, so that calibration can stand between the linears.

Tokens of all sequences lie behind one another, [tokens, dim]; only attention looks at where sequences begin.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from dataclasses import dataclass

import numpy as np

ACTIVATION_BLOCK = 32
# The linears of a block in the order in which they run; those of a group read the same input.
GROUPS = (("wq", "wk", "wv"), ("wo",), ("w1", "w3"), ("w2",))
ADDED = (GROUPS[1], GROUPS[3])  # their outputs are added to the residual stream
LINEARS = tuple(name for group in GROUPS for name in group)


@dataclass
class Model:
    """f32 weights: `layers[i][name]` [out, in], the embedding and the head [vocabulary, dim]."""

    layers: list
    embedding: np.ndarray
    head: np.ndarray
    lastNorm: np.ndarray
    heads: int
    kvHeads: int

    @staticmethod
    def of(checkpoint):
        """A model with copies of the weights of a halftone.export.checkpoint.Checkpoint."""
        c, t = checkpoint.config, checkpoint.tensors
        names = (*LINEARS, "rms_att", "rms_ffn")
        layers = [{name: np.array(t[name][layer]) for name in names} for layer in range(c.layers)]
        embedding = np.array(t["tok_emb"])
        return Model(layers, embedding, embedding if c.tied else np.array(t["wcls"]), np.array(t["rms_final"]), c.heads, c.kvHeads)

    def copy(self):
        return Model([dict(layer) for layer in self.layers], self.embedding, self.head, self.lastNorm, self.heads, self.kvHeads)


def exact(x):
    """Activations enter a linear as they are."""
    return x


def int8(x):
    """Activations as int8 per block of 32: scale = absmax / 127, code = roundeven(x / scale); decoded again."""
    n, columns = x.shape
    padded = np.pad(x, ((0, 0), (0, -columns % ACTIVATION_BLOCK))).reshape(n, -1, ACTIVATION_BLOCK)
    scale = np.abs(padded).max(-1, keepdims=True) / np.float32(127)
    codes = np.rint(padded / np.where(scale == 0, np.float32(1), scale))
    return (codes * scale).reshape(n, -1)[:, :columns]


def runBlock(model, layer, x, lengths, activation=exact, before=lambda names, x, residual: None):
    """One block of the model: `layer` is its dictionary of weights, x [tokens, dim], the tokens of sequences of `lengths`.
    `before(names, input, residual)` is called as each group of linears is about to read its input, and may replace their weights;
    `residual` is what the output will be added to, None where it is not."""

    def reached(names, entering):
        before(names, entering, x if names in ADDED else None)

    x = x + attention(model, layer, norm(x, layer["rms_att"]), lengths, activation, reached)
    return x + mlp(layer, norm(x, layer["rms_ffn"]), activation, reached)


def attention(model, layer, x, lengths, activation=exact, before=lambda names, x: None):
    """The attention of a block, from what its norm gives to what o gives."""
    q, k, v = _linears(layer, GROUPS[0], x, activation, before)
    ends = np.cumsum(lengths)[:-1]
    mixed = [_attend(model, *parts) for parts in zip(*(np.split(y, ends) for y in (q, k, v)))]
    return _linears(layer, GROUPS[1], np.concatenate(mixed), activation, before)[0]


def mlp(layer, x, activation=exact, before=lambda names, x: None):
    """The gated MLP of a block, from what its norm gives to what down gives."""
    gate, up = _linears(layer, GROUPS[2], x, activation, before)
    return _linears(layer, GROUPS[3], gate / (1 + np.exp(-gate)) * up, activation, before)[0]


def _linears(layer, names, x, activation, before):
    before(names, x)
    x = activation(x)
    return [x @ layer[name].T for name in names]


def run(model, sequences, activation=exact):
    """What enters the head, [tokens, dim], for a list of arrays of token ids."""
    x, lengths = model.embedding[np.concatenate(sequences)], [len(s) for s in sequences]
    for layer in model.layers:
        x = runBlock(model, layer, x, lengths, activation)
    return norm(x, model.lastNorm)


def norm(x, scale):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-5)) * scale


def _attend(model, q, k, v):
    """Causal attention within one sequence, rotary pairs interleaved as in llama2.c."""
    q, k, v = _heads(q, model.heads), _heads(k, model.kvHeads), _heads(v, model.kvHeads)
    k, v = (np.repeat(y, model.heads // model.kvHeads, axis=0) for y in (_rotate(k), v))
    n, size = q.shape[1:]
    scores = _rotate(q) @ k.swapaxes(1, 2) / np.float32(np.sqrt(size)) + np.triu(np.full((n, n), -np.inf, np.float32), 1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(n, -1)


def _heads(x, heads):
    return x.reshape(len(x), heads, -1).swapaxes(0, 1)


def _rotate(x):
    """x [heads, n, size]: pair i of position p turns by p * 10000^(-2i / size)."""
    n, size = x.shape[1:]
    angle = np.arange(n)[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    real, imaginary = x[..., 0::2], x[..., 1::2]
    return np.stack([real * cos - imaginary * sin, real * sin + imaginary * cos], -1).reshape(x.shape)
