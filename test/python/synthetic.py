"""Writes small random llama2.c checkpoints, so that tests need no downloaded model."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import struct

import numpy as np

from halftone.export.checkpoint import tensorShapes
from halftone.export.llama import Config


def writeCheckpoint(path, config, seed=1, tail=b""):
    """A checkpoint of `config` with seeded normal weights (standard deviation 1 / sqrt(columns): activations keep their size)."""
    random = np.random.default_rng(seed)
    vocabulary = config.vocabulary if config.tied else -config.vocabulary
    header = (config.dim, config.hidden, config.layers, config.heads, config.kvHeads, vocabulary, config.context)
    with open(path, "wb") as file:
        file.write(struct.pack("<7i", *header))
        for name, shape in tensorShapes(config):
            values = random.standard_normal(shape) / np.sqrt(shape[-1])
            file.write((1 + 0.1 * values if name.startswith("rms") else values).astype("<f4").tobytes())
        file.write(tail)
    return path


TINY = Config(dim=32, hidden=88, layers=2, heads=4, kvHeads=2, vocabulary=300, context=64, tied=True)
