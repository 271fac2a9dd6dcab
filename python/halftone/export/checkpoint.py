"""Reads a llama2.c checkpoint (the legacy layout: seven int32, then f32 tensors) without loading it into memory.

The layout is that of llama2.c's `export.py`, function `legacy_export`.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HEADER_BYTES = 28


class CheckpointError(Exception):
    """A checkpoint that cannot be read; the message names the file and the byte offset."""


@dataclass(frozen=True)
class Config:
    """The seven numbers of the header. `tied`: the embedding is the output head too (the vocabulary is negative when not)."""

    dim: int
    hidden: int
    layers: int
    heads: int
    kvHeads: int
    vocabulary: int
    context: int
    tied: bool

    @property
    def headDim(self):
        return self.dim // self.heads

    def tensorShapes(self):
        """(name, shape) in file order; every tensor is f32 and row major."""
        layers, dim, kv = self.layers, self.dim, self.kvHeads * self.headDim
        shapes = [
            ("tok_emb", (self.vocabulary, dim)),
            ("rms_att", (layers, dim)),
            ("wq", (layers, dim, dim)),
            ("wk", (layers, kv, dim)),
            ("wv", (layers, kv, dim)),
            ("wo", (layers, dim, dim)),
            ("rms_ffn", (layers, dim)),
            ("w1", (layers, self.hidden, dim)),
            ("w2", (layers, dim, self.hidden)),
            ("w3", (layers, self.hidden, dim)),
            ("rms_final", (dim,)),
            ("freq_cis_real", (self.context, self.headDim // 2)),
            ("freq_cis_imag", (self.context, self.headDim // 2)),
        ]
        return shapes if self.tied else shapes + [("wcls", (self.vocabulary, dim))]


class Checkpoint:
    """A mapped llama2.c checkpoint: `tensors[name]` are read-only views of the file. Bytes after the last tensor are ignored,
    so a file that begins with a checkpoint is one too; `bytes` is the checkpoint's own length."""

    def __init__(self, path):
        self.path = Path(path)
        raw = _map(self.path)
        self.config = _config(self.path, raw)
        self.tensors, offset = {}, HEADER_BYTES
        for name, shape in self.config.tensorShapes():
            size = 4 * int(np.prod(shape, dtype=np.int64))
            if offset + size > raw.size:
                raise CheckpointError(
                    f"{self.path}: tensor '{name}' needs bytes {offset} to {offset + size}, the file has {raw.size}"
                )
            self.tensors[name] = raw[offset : offset + size].view("<f4").reshape(shape)
            offset += size
        self.bytes = offset


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
    for name, a, b in (("dim", dim, heads), ("heads", heads, kvHeads)):
        if a % b:
            raise CheckpointError(f"{path}: {name} {a} is no multiple of {b}; this is no llama2.c checkpoint")
    if dim // heads % 2:
        raise CheckpointError(f"{path}: the head size {dim // heads} is odd; rotary pairs need an even one")
    return Config(dim, hidden, layers, heads, kvHeads, abs(vocabulary), context, vocabulary > 0)
