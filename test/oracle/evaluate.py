"""Perplexity and KL(f32 || model) by the protocol of test/models/protocol.py, for models in numpy."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import llama
from protocol import Quality, logSoftmax


def evaluate(reference, model, sequences, activation=llama.exact):
    """`reference` runs in f32, `model` with `activation` before each linear, the head too; `sequences` as protocol.scoredIds makes them."""
    quality = Quality()
    for ids in sequences:
        hidden = llama.run(model, [ids[:-1]], activation)
        expected = logSoftmax(llama.run(reference, [ids[:-1]]) @ reference.head.T)
        quality.add(expected, logSoftmax(activation(hidden) @ model.head.T), ids)
    return quality
