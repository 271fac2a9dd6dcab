"""A quantized model by its contract in numpy (lowbit_numpy.py): what an executable of that format has to compute."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
from llama_numpy import float64, forward
from lowbit_numpy import activation, quantized
from protocol import Quality, logSoftmax

LINEAR = ("wq", "wk", "wv", "wo", "w1", "w2", "w3")


def quantizedTensors(checkpoint, format):
    """What --format=`format` keeps: linear layers in it, head and embedding in int8-g32, norms in f32."""
    formats = {**dict.fromkeys(LINEAR, format), "tok_emb": "int8-g32", "wcls": "int8-g32"}
    tensors = {name: quantized(np.asarray(t), formats.get(name, "f32")) for name, t in checkpoint.tensors.items()}
    return {name: np.asarray(t, np.float64) for name, t in tensors.items()}


def compare(checkpoint, format, binary, documents, folder):
    """(KL of the executable from the contract, from the exact model, of the contract from the exact model), means over all ids."""
    exact, contract = float64(checkpoint), quantizedTensors(checkpoint, format)
    fromContract, fromExact, contractFromExact = Quality(), Quality(), Quality()
    for ids in documents:
        want = logSoftmax(forward(checkpoint, ids[:-1], activation, contract))
        plain = logSoftmax(forward(checkpoint, ids[:-1], tensors=exact))
        got = logSoftmax(binary.logits(ids[:-1], folder))
        for quality, pair in ((fromContract, (want, got)), (fromExact, (plain, got)), (contractFromExact, (plain, want))):
            quality.add(*pair, ids)
    return fromContract.meanDivergence, fromExact.meanDivergence, contractFromExact.meanDivergence
