"""Reads a llama2.c checkpoint (the legacy layout: seven int32, then f32 tensors) without loading it into memory.

The layout is that of llama2.c's `export.py`, function `legacy_export`.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from pathlib import Path

import numpy as np

from halftone.export.llama import Config
from halftone.export.weight import Weight

HEADER_BYTES = 28


class CheckpointError(Exception):
    """A checkpoint that cannot be read; the message names the file and the byte offset."""


def tensorShapes(config):
    """(name, shape) of the tensors in file order; every one is f32 and row major, those of the layers behind one another."""
    outside = ("tok_emb", "rms_final", "wcls")
    shapes = {name: shape if name in outside else (config.layers, *shape) for name, shape in config.weightShapes().items()}
    order = ["tok_emb", "rms_att", "wq", "wk", "wv", "wo", "rms_ffn", "w1", "w2", "w3", "rms_final"]
    angles = (config.context, config.headDim // 2)
    result = [(name, shapes[name]) for name in order] + [("freq_cis_real", angles), ("freq_cis_imag", angles)]
    return result if config.tied else [*result, ("wcls", shapes["wcls"])]


class Checkpoint:
    """A mapped llama2.c checkpoint: `tensors[name]` are read-only views of the file. Bytes after the last tensor are ignored,
    so a file that begins with a checkpoint is one too; `bytes` is the checkpoint's own length."""

    def __init__(self, path):
        self.path = Path(path)
        raw = _map(self.path)
        self.config = _config(self.path, raw)
        self.tensors, offset = {}, HEADER_BYTES
        for name, shape in tensorShapes(self.config):
            size = 4 * int(np.prod(shape, dtype=np.int64))
            if offset + size > raw.size:
                raise CheckpointError(
                    f"{self.path}: tensor '{name}' needs bytes {offset} to {offset + size}, the file has {raw.size}"
                )
            self.tensors[name] = raw[offset : offset + size].view("<f4").reshape(shape)
            offset += size
        self.bytes = offset

    def weight(self, name, layer):
        """The weight called `name` of a layer (None: of none) as buildLlama wants it."""
        array = self.tensors[name] if layer is None else self.tensors[name][layer]
        heads = {"wq": self.config.heads, "wk": self.config.kvHeads}.get(name)
        return Weight(array.shape, lambda: halfSplit(array, heads)) if heads else Weight.of(array)


def halfSplit(weight, heads):
    """Reorders the rows of `weight` [heads * size, columns] from llama2.c's interleaved rotary pairs (2i, 2i+1) to half-split
    ones (i, i + size/2)."""
    pairs = weight.reshape(heads, -1, 2, weight.shape[1])
    return pairs.swapaxes(1, 2).reshape(weight.shape)


def _map(path):
    try:
        size = path.stat().st_size
        if size < HEADER_BYTES:
            raise CheckpointError(f"{path}: the header needs {HEADER_BYTES} bytes, the file has {size}")
        return np.memmap(path, np.uint8, "r")
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}") from error


def _config(path, raw):
    dim, hidden, layers, heads, kvHeads, vocabulary, context = (int(x) for x in raw[:HEADER_BYTES].view("<i4"))
    named = {
        "dim": dim, "hidden dim": hidden, "layers": layers, "heads": heads, "kv heads": kvHeads,
        "vocabulary": abs(vocabulary), "context": context,
    }  # fmt: skip
    for offset, (name, value) in enumerate(named.items()):
        if not 0 < value < 1 << 24:
            raise CheckpointError(f"{path}: byte {4 * offset}: {name} is {value}; this is no llama2.c checkpoint")
    config = Config(dim, hidden, layers, heads, kvHeads, abs(vocabulary), context, vocabulary > 0)
    try:
        config.check()
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}; this is no llama2.c checkpoint") from error
    return config
