"""The oracle of calibrated quantization: what the papers say must hold, on random matrices. No model is needed."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import lowbit_numpy
import numpy as np
import pytest
from calibrate import hessian
from gptq import damped, gptq, inverseFactor, loss, roundingOrder
from grids import Format, decode, encode
from rtn import rtn
from search import searched
from targets import aim, cross

INTEGERS = ["int4-g32", "int4-g32-asym", "int3-g20-asym", "int2-row", "int8-g32", "int8-row-asym"]
ALL = [*INTEGERS, "nf4-g32", "e2m1-g32", "iq4nl-g32", "iq3nl-g32", "iq2nl-g16"]
ORDERS = ["columns", "falling", "blocks"]


def samples(columns, seed=0, count=400):
    """Correlated inputs, their spread differing from column to column as that of activations does."""
    random = np.random.default_rng(seed)
    mixed = random.standard_normal((count, columns)) @ random.standard_normal((columns, columns)) / np.sqrt(columns)
    return ((mixed + random.standard_normal((count, columns))) * np.exp(random.standard_normal(columns))).astype(np.float32)


def matrix(rows, columns, seed=1):
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


@pytest.mark.parametrize("name", INTEGERS)
def test_the_grid_of_the_extremes_is_that_of_the_formats(name):
    weights = matrix(7, 72)
    weights[3, :40] = 0
    assert np.array_equal(rtn(Format.parse(name), weights).decode(), lowbit_numpy.quantized(weights, name))


@pytest.mark.parametrize("name", ["nf4-g4", "e2m1-g4", "iq4nl-g4", "iq3nl-g4"])
def test_a_codebook_takes_the_nearest_level_and_of_two_the_even_code(name):
    format = Format.parse(name)
    levels = np.array(format.levels) * format.unit
    values = np.concatenate([np.linspace(-2, 2, 401), levels, np.add.outer(levels, levels).ravel() / 2]).astype(np.float32)[None]
    codes = encode(format, values, np.ones((1, 1), np.float32), np.zeros((1, 1), np.int32))[0]
    distance = np.abs(values[0, :, None] / np.float32(format.unit) - np.array(format.levels, np.float32))
    nearest = distance == distance.min(1, keepdims=True)
    assert nearest[np.arange(len(codes)), codes].all()
    evenPossible = nearest[:, ::2].any(1)
    assert (codes[evenPossible] % 2 == 0).all() and evenPossible.sum() < len(codes)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ALL)
def test_with_uncorrelated_inputs_gptq_is_round_to_nearest(name, order):
    format, weights = Format.parse(name), matrix(5, 80)
    diagonal = np.exp(np.random.default_rng(2).standard_normal(80))
    expected = rtn(format, weights)
    found = gptq(format, weights, np.diag(diagonal), order=order)
    assert np.array_equal(found.codes, expected.codes) and np.array_equal(found.scales, expected.scales)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("search", [False, True])
@pytest.mark.parametrize("name", ["int3-g16-asym", "int4-g16", "iq4nl-g32"])
def test_gptq_is_optimal_brain_quantization_in_a_fixed_order(name, search, order):
    """The Cholesky factor is a shortcut: after each column the others solve their least squares anew [Frantar et al. 2022, equation 2]."""
    format, weights, h = Format.parse(name), matrix(6, 64), hessian(samples(64))
    grid = searched(format, steps=5) if search else None
    found = gptq(format, weights, h, order=order, grid=grid)

    h, work = damped(h, weights, 0.01)
    codes, rest = np.zeros(work.shape, np.uint8), list(roundingOrder(format, np.diag(h), order))
    while rest:
        column, b = [rest[0]], [rest[0] // format.block]
        codes[:, column] = encode(format, work[:, column], found.scales[:, b], found.zeros[:, b])
        error = work[:, column] - decode(format, codes[:, column], found.scales[:, b], found.zeros[:, b])
        inverse = np.linalg.inv(h[np.ix_(rest, rest)])
        work[:, rest] -= error * inverse[0] / inverse[0, 0]
        rest = rest[1:]
    assert np.array_equal(found.codes, codes)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["int4-g32-asym", "int3-g32-asym", "int2-g32-asym", "iq4nl-g32", "int4-row"])
def test_gptq_loses_less_of_the_output_than_rounding(name, order):
    format, weights, h = Format.parse(name), matrix(40, 96), hessian(samples(96))
    rounded = loss(weights, rtn(format, weights).decode(), h)
    plain, best = (loss(weights, gptq(format, weights, h, order=order, grid=g).decode(), h) for g in (None, searched(format)))
    assert best < plain < rounded


def test_the_order_in_which_columns_are_named_does_not_matter():
    format, weights, h = Format.parse("int3-row-asym"), matrix(8, 48), hessian(samples(48))
    shuffled = np.random.default_rng(3).permutation(48)
    whole = gptq(format, weights, h, order="falling")
    moved = gptq(format, weights[:, shuffled], h[np.ix_(shuffled, shuffled)], order="falling")
    assert np.array_equal(moved.codes, whole.codes[:, shuffled])


def test_rows_do_not_know_of_each_other():
    format, weights, h = Format.parse("int4-g16"), matrix(9, 48), hessian(samples(48))
    whole = gptq(format, weights, h, grid=searched(format))
    parts = [gptq(format, part, h, grid=searched(format)).codes for part in np.split(weights, [4])]
    assert np.array_equal(whole.codes, np.concatenate(parts))


def test_a_column_without_input_becomes_zero_and_leaves_the_others_alone():
    x = samples(48)
    x[:, [5, 20]] = 0
    format, weights = Format.parse("int4-g48-asym"), matrix(6, 48)
    found = gptq(format, weights, hessian(x)).decode()
    assert (found[:, [5, 20]] == 0).all()
    weights[:, [5, 20]] = 0
    assert np.array_equal(found, gptq(format, weights, hessian(x)).decode())


def test_the_factor_of_the_inverse():
    h = hessian(samples(40)) + 0.1 * np.eye(40)
    factor = inverseFactor(h)
    assert np.array_equal(factor, np.triu(factor))
    # Cholesky, the inverse and the two products: an error of n * 2^-53 * condition each at most.
    assert np.allclose(factor.T @ factor @ h, np.eye(40), atol=4 * 40 * 2**-53 * np.linalg.cond(h))


@pytest.mark.parametrize("name", ALL)
def test_a_search_finds_no_worse_grid_than_the_extremes(name):
    format, weights = Format.parse(name), matrix(30, 96)
    importance = np.exp(np.random.default_rng(4).standard_normal(96))
    lost = lambda quantized: ((quantized.decode().astype(np.float64) - weights) ** 2 * importance).sum(1)
    found = lost(rtn(format, weights, searched(format), importance))
    assert (found <= lost(rtn(format, weights))).all()
    assert format.bits == 8 or found.sum() < 0.95 * lost(rtn(format, weights)).sum()


def test_a_search_finds_the_grid_that_weights_came_from():
    """Weights on a grid, but for one outlier that does not count: the extremes miss the grid, the search must not."""
    format = Format.parse("int4-g32")
    weights = np.random.default_rng(5).integers(-8, 8, (20, 32)).astype(np.float32) / 16
    weights[:, :2], importance = [-0.5, 0.4375], np.ones(32)
    weights[:, 31], importance[31] = 0.75, 0
    found = rtn(format, weights, searched(format), importance).decode()
    assert np.array_equal(found[:, :31], weights[:, :31])


def test_weights_aim_at_the_other_models_output():
    """Inputs that differ by a linear map are made up for exactly, and so is a residual that depends on the input."""
    x, weights, a, r = samples(24), matrix(7, 24), matrix(24, 24), matrix(7, 24, 2)
    exact, residual = x @ a.T, x @ r.T
    found = aim(weights, hessian(x), cross(exact - x, x), cross(residual, x), damp=0)
    # Products of f32 rows: each of the 24 terms rounds by 2^-24; solving multiplies that by the condition of the Hessian.
    bound = 24 * 2**-24 * np.linalg.cond(hessian(x))
    assert np.allclose(found, weights @ a + r, atol=bound * np.abs(weights @ a + r).max())
    assert np.array_equal(aim(weights, hessian(x), cross(x - x, x)), weights)
