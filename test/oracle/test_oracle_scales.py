"""The oracle's methods that move scales between a linear and what feeds it, on a tiny random Llama. No model is needed."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import awq
import llama
import llama_numpy
import lowbit_numpy
import numpy as np
import pytest
import smoothquant
from calibrate import quantizeModel
from gptq import gptq
from grids import Format
from rtn import rtn
from search import searched
from synthetic import TINY, writeCheckpoint

from halftone.export.checkpoint import Checkpoint

FORMAT = Format.parse("int3-g8-asym")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return Checkpoint(writeCheckpoint(tmp_path_factory.mktemp("oracle") / "tiny.bin", TINY))


@pytest.fixture
def model(checkpoint):
    """Its inputs differ in size by column, as those of trained models do."""
    model, random = llama.Model.of(checkpoint), np.random.default_rng(6)
    for layer in model.layers:
        for norm in ("rms_att", "rms_ffn"):
            layer[norm] = layer[norm] * np.exp(random.standard_normal(layer[norm].shape)).astype(np.float32)
    return model


@pytest.fixture
def sequences():
    random = np.random.default_rng(7)
    return [random.integers(0, TINY.vocabulary, length) for length in (40, 1, 23, 64)]


def assertSame(found, expected):
    """f32: two layers of sums of at most 88 terms, each rounded by 2^-24, in a value whose parts are ten times as large at most."""
    assert np.allclose(found, expected, rtol=0, atol=2 * 88 * 2**-24 * 10 * np.abs(expected).max())


def test_the_forward_pass_is_llama2c_s(checkpoint, sequences):
    model = llama.Model.of(checkpoint)
    found = llama.run(model, sequences) @ model.head.T
    assertSame(found, np.concatenate([llama_numpy.forward(checkpoint, ids) for ids in sequences]))


def test_int8_activations_are_those_of_the_contract():
    x = np.random.default_rng(8).standard_normal((9, 75)).astype(np.float32)
    x[4, 32:64] = 0
    assert np.allclose(llama.int8(x), lowbit_numpy.activation(x), rtol=2**-24, atol=0)


def blockInput(model, sequences):
    return model.embedding[np.concatenate(sequences)], [len(s) for s in sequences]


def test_folding_scales_keeps_the_function(model, sequences):
    x, lengths = blockInput(model, sequences)
    model.layers[0]["wv"] = np.tile(model.layers[0]["wv"], (2, 1))  # as many heads as queries: o may be scaled too
    model.layers[0]["wk"] = np.tile(model.layers[0]["wk"], (2, 1))
    model.kvHeads = model.heads
    layer, expected = dict(model.layers[0]), llama.runBlock(model, model.layers[0], x, lengths)
    alphas = awq.scaleBlock(model, layer, x, lengths, FORMAT)
    assert set(alphas) == {"rms_att", "wv", "rms_ffn", "w3"} and any(alphas.values())
    assertSame(llama.runBlock(model, layer, x, lengths), expected)


def test_repeated_heads_leave_o_alone(model):
    assert "wv" not in [producer for producer, _, _ in awq.pairs(model, model.layers[0])]


def test_scales_lessen_the_loss_of_the_block(model, sequences):
    x, lengths = blockInput(model, sequences)
    expected = llama.runBlock(model, model.layers[0], x, lengths)

    def lost(layer):
        rounded = {**layer, **{name: rtn(FORMAT, layer[name]).decode() for name in llama.LINEARS}}
        return ((llama.runBlock(model, rounded, x, lengths) - expected) ** 2).mean()

    scaled = dict(model.layers[0])
    awq.scaleBlock(model, scaled, x, lengths, FORMAT)
    assert lost(scaled) < lost(model.layers[0])


def test_the_search_takes_the_first_least_loss():
    scale, alpha, loss = awq.searchScale(np.array([1.0, 4.0]), lambda scale: abs(np.log2(scale[1] / scale[0]) - 1))
    assert alpha == 0.5 and loss < 1e-6 and np.allclose(scale, [2**-0.5, 2**0.5])
    assert awq.searchScale(np.array([1.0, 4.0]), lambda scale: 0)[1] == 0


def test_clipping_cuts_an_outlier_that_no_input_meets():
    weights = np.random.default_rng(9).uniform(-1, 1, (4, 8)).astype(np.float32)
    weights[:, 3] = 2
    x = np.random.default_rng(10).standard_normal((64, 8)).astype(np.float32)
    loud = x.copy()
    x[:, 3], loud[:, 3] = 0, 100
    clipped = awq.clip(FORMAT, weights, x)
    assert (clipped[:, 3] < 1.5).all() and np.array_equal(np.delete(clipped, 3, 1), np.delete(weights, 3, 1))
    assert (awq.clip(FORMAT, weights, loud)[:, 3] > 1.75).all()


@pytest.mark.parametrize("alpha", [0, 0.5, 1])
def test_smoothing_shares_the_spread(alpha):
    random = np.random.default_rng(11)
    x, weights = np.exp(random.standard_normal((30, 16))), [random.standard_normal((5, 16)), random.standard_normal((3, 16))]
    scale = smoothquant.columnScale(np.abs(x).max(0), weights, alpha)
    largestInput, largestWeight = (x / scale).max(0), np.max([np.abs(w * scale).max(0) for w in weights], 0)
    # Equation 4: the input keeps max|x|^(1-a) max|w|^(1-a), the weight has max|x|^a max|w|^a.
    assert np.allclose(largestInput**alpha, largestWeight ** (1 - alpha), rtol=4 * 2**-24)


def test_smoothing_leaves_columns_without_values_alone():
    assert np.array_equal(smoothquant.columnScale([0, 4, 4], [np.array([[1.0, 0, 1]])]), np.float32([1, 1, 2]))


def test_smoothing_lets_one_scale_a_row_serve():
    """A loud column spoils the scale of its row; smoothed, the product is nearer to the exact one."""
    random = np.random.default_rng(12)
    x, weights = random.standard_normal((50, 32)).astype(np.float32), random.standard_normal((8, 32)).astype(np.float32)
    x[:, 4] *= 100
    scale = smoothquant.columnScale(np.abs(x).max(0), [weights])
    lost = lambda x, w: ((smoothquant.int8Rows(x) @ rtn(Format.parse("int8-row"), w).decode().T - x @ w.T) ** 2).mean()
    assert lost(x / scale, weights * scale) < 0.1 * lost(x, weights)


def test_a_saturating_tensor_scale():
    x = np.float32([[-3, -1, 0.5, 1, 3]])
    assert np.allclose(smoothquant.int8Tensor(x, 1), [[-1, -1, 64 / 127, 1, 1]])


def test_the_loop_feeds_each_linear_what_the_quantized_ones_give(model, sequences):
    seen = []

    def quantize(name, weights, hessian):
        seen.append((name, hessian))
        return rtn(FORMAT, weights).decode()

    found = quantizeModel(model, sequences, quantize)
    assert [name for name, _ in seen] == [(layer, name) for layer in range(TINY.layers) for name in llama.LINEARS]
    entering = {}
    x, lengths = blockInput(model, sequences)
    for index, layer in enumerate(found.layers):
        keep = lambda names, x, residual: entering.update({(index, name): x for name in names})
        x = llama.runBlock(found, layer, x, lengths, before=keep)
    for name, h in seen:
        assert np.allclose(h, 2 / len(x) * entering[name].T @ entering[name], atol=1e-5 * np.abs(h).max())


def test_aiming_at_the_exact_model_brings_its_output_nearer(model, sequences):
    expected = llama.run(model, sequences)
    quantize = lambda name, weights, hessian: gptq(FORMAT, weights, hessian, grid=searched(FORMAT)).decode()
    lost = lambda aimed: ((llama.run(quantizeModel(model, sequences, quantize, aimed=aimed), sequences) - expected) ** 2).mean()
    assert lost(True) < lost(False)
