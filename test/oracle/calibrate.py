"""The true-sequential loop [Frantar et al. 2022, section 4]: each group of linears is quantized with what the model, quantized so far, feeds it."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import llama
import numpy as np
from targets import aim, cross


def hessian(x):
    """2/n sum x x^T of the rows of x."""
    return cross(x, x)


def quantizeModel(model, sequences, quantize, activation=llama.exact, aimed=False, sequential=True):
    """A model whose linears are quantized: `quantize(name, weights, hessian)` gives the f32 weights that the linear named (layer, name)
    has from then on. The embedding, norms and head stay as they are. `activation` is what the quantized model does to inputs;
    `aimed` at what `model` computes rather than at its weights: see targets.py. Not `sequential`: Hessians of the model in f32."""
    result, lengths = model.copy(), [len(s) for s in sequences]
    x = exact = model.embedding[np.concatenate(sequences)]
    for index, layer in enumerate(result.layers):
        wanted = {}
        if aimed:
            remember = lambda names, x, residual: wanted.update({names: (x, residual)})
            exact = llama.runBlock(model, model.layers[index], exact, lengths, before=remember)

        def before(names, x, residual):
            x = activation(x)
            h = hessian(x)
            drifts = _drifts(x, residual, *wanted[names]) if aimed else None
            for name in names:
                weights = aim(layer[name], h, *drifts) if aimed else layer[name]
                layer[name] = quantize((index, name), weights, h)

        x = llama.runBlock(result, layer if sequential else model.layers[index], x, lengths, activation, before)
    return result


def _drifts(x, residual, wantedX, wantedResidual):
    return cross(wantedX - x, x), None if residual is None else cross(wantedResidual - residual, x)
