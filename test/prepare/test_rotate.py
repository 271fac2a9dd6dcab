"""fold-norm-scale, rotate, then evaluate-weights: the model computes what it did, and weights are products with the rotation."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "import"))
from imported_numpy import Module, readWeight  # noqa: E402

VOCABULARY, INNER, CONTEXT, LAYERS = 50, 12, 8, 2


def weight(*shape, element="f32"):
    return f"!lowbit.weight<{'x'.join(map(str, shape))}, #lowbit.format<{element}>>"


def decoder(path, dim, size):
    """A decoder of two layers with twice as many heads as the cache has, biases, and one table for embedding and head; and the shapes of
    its weights, which stand in `path` one after the other."""
    heads, kv, tokens = dim // size, dim // 2, f"tensor<?x{dim}xf32>"
    cache = f"!lowbit.cache<heads {heads // 2}, size {size}>"
    layer = {"g": (dim,), "q": (dim, dim), "k": (kv, dim), "v": (kv, dim), "vb": (kv,), "o": (dim, dim), "ob": (dim,), "h": (dim,),
             "up": (INNER, dim), "down": (dim, INNER)}  # fmt: skip
    shapes = {"table": (VOCABULARY, dim), "cos": (CONTEXT, size // 2), "sin": (CONTEXT, size // 2), "norm": (dim,)}
    shapes |= {f"{name}{i}": shape for i in range(LAYERS) for name, shape in layer.items()}
    places = np.cumsum([0, *(4 * np.prod(shape) for shape in shapes.values())])
    text = "".join(f'lowbit.weight @{name} : {weight(*shape)} in "{path}" at {at}\n' for (name, shape), at in zip(shapes.items(), places))
    text += "".join(f"lowbit.cache @cache{i} : {cache}\n" for i in range(LAYERS))

    def linear(result, value, name, rows, columns):
        return f"  %{result} = lowbit.linear %{value}, %{name} : (tensor<?x{columns}xf32>, {weight(rows, columns)}) -> tensor<?x{rows}xf32>\n"

    angles = weight(CONTEXT, size // 2)
    inputs = [("x", tokens), ("past", "index"), ("cache", cache), ("cos", angles), ("sin", angles)]
    inputs += [(name, weight(*shape)) for name, shape in layer.items()]
    types = ", ".join(type for _, type in inputs)
    text += f"""
func.func private @layer({", ".join(f"%{name}: {type}" for name, type in inputs)}) -> {tokens} {{
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : {tokens}, {weight(dim)}
{linear("q0", "n", "q", dim, dim)}{linear("k0", "n", "k", kv, dim)}{linear("v0", "n", "v", kv, dim)}
  %v1 = lowbit.add_bias %v0, %vb : tensor<?x{kv}xf32>, {weight(kv)}
  %q1 = lowbit.rope %q0, %cos, %sin at %past heads {heads} : {tokens}, {angles}
  %k1 = lowbit.rope %k0, %cos, %sin at %past heads {heads // 2} : tensor<?x{kv}xf32>, {angles}
  lowbit.append %k1, %v1 to %cache at %past : tensor<?x{kv}xf32>, {cache}
  %a = lowbit.attention %q1, %cache at %past heads {heads} scale 0.5 : {tokens}, {cache}
{linear("o0", "a", "o", dim, dim)}
  %o1 = lowbit.add_bias %o0, %ob : {tokens}, {weight(dim)}
  %y = arith.addf %x, %o1 : {tokens}
  %m = lowbit.rms_norm %y scale %h epsilon 1.0e-05 : {tokens}, {weight(dim)}
{linear("u", "m", "up", INNER, dim)}
  %t = math.tanh %u : tensor<?x{INNER}xf32>
{linear("d", "t", "down", dim, INNER)}
  %z = arith.addf %y, %d : {tokens}
  return %z : {tokens}
}}
func.func @forward(%ids: tensor<?xi64>, %past: index) -> tensor<?x{VOCABULARY}xf32> {{
"""
    text += "".join(f"  %{name} = lowbit.get @{name} : {weight(*shape)}\n" for name, shape in shapes.items())
    text += f"  %x0 = lowbit.embedding %ids, %table : (tensor<?xi64>, {weight(VOCABULARY, dim)}) -> {tokens}\n"
    for i in range(LAYERS):
        operands = [f"%x{i}", "%past", f"%cache{i}", "%cos", "%sin", *(f"%{name}{i}" for name in layer)]
        text += f"  %cache{i} = lowbit.get @cache{i} : {cache}\n  %x{i + 1} = call @layer({', '.join(operands)}) : ({types}) -> {tokens}\n"
    text += f"  %n = lowbit.rms_norm %x{LAYERS} scale %norm epsilon 1.0e-05 : {tokens}, {weight(dim)}\n"
    return text + linear("logits", "n", "table", VOCABULARY, dim) + f"  return %logits : tensor<?x{VOCABULARY}xf32>\n}}\n", shapes


def run(qopt, text, passes):
    done = qopt(f"--pass-pipeline=builtin.module({passes})", "--mlir-print-op-generic", input=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def logits(text):
    """Of two pieces of one sequence, in f64."""
    module = Module(text)
    module.weights = {name: array.astype(np.float64) for name, array in module.weights.items()}
    return np.concatenate([module.forward([3, 41, 7, 0]), module.forward([17], 4)])


def test_same_function(qopt, tmp_path):
    """Weights are whole numbers below 8 over 64, norms' scales powers of two, the roots of 16 channels and of 4 powers of two: every
    rotated weight is exact in f32. What is left are roundings in f64, some hundreds of 2^-53 of values below 100."""
    text, shapes = decoder(tmp_path / "w.bin", dim=16, size=4)
    random = np.random.default_rng(2)
    values = [np.exp2(random.integers(-2, 3, shape)) if name[0] in "gh" or name == "norm" else random.integers(-7, 8, shape) / 64
              for name, shape in shapes.items()]  # fmt: skip
    (tmp_path / "w.bin").write_bytes(b"".join(value.astype(np.float32).tobytes() for value in values))
    before = run(qopt, text, "")
    after = run(qopt, text, f"func.func(fold-norm-scale),rotate,evaluate-weights{{work={tmp_path / 'work'}}}")
    assert len(re.findall(r'sym_name = "\w+(?:\.scaled)?\.rotated', after)) == 2 + LAYERS * 8
    assert "lowbit.rotate" not in after
    want, have = logits(before), logits(after)
    assert np.abs(want).max() < 100 and want.std() > 0.01
    np.testing.assert_allclose(have, want, rtol=0, atol=1000 * 2**-53 * 100)
    # The stream itself has changed.
    table = dict(zip(shapes, values))["table"]
    assert not np.allclose(Module(after).weights["table.rotated"], table, atol=1e-3)


SIZE, ROWS = 48, 96
WEIGHTS = {"eye": (SIZE, SIZE), "m": (ROWS, SIZE), "h": (SIZE, ROWS), "b": (ROWS,), "g": (SIZE,), "f": (ROWS,)}


def derivations(path):
    """Each kind of rotation, alone and with what may stand around it."""
    square, tall, wide, vector = weight(SIZE, SIZE), weight(ROWS, SIZE), weight(SIZE, ROWS, element="f16"), weight(ROWS)
    text, at = "", 0
    for name, shape in WEIGHTS.items():
        element, ending = ("f16", "") if name == "h" else ("f32", "transposed" if name == "m" else "")
        text += f'lowbit.weight @{name} : {weight(*shape, element=element)} in "{path}" at {at} {ending}\n'
        at += int(np.prod(shape)) * (2 if name == "h" else 4)
    short, long = f"tensor<?x{SIZE}xf32>", f"tensor<?x{ROWS}xf32>"
    return text + f"""
func.func @derived(%x: {short}, %y: {long}) {{
  %eye = lowbit.get @eye : {square}
  %m = lowbit.get @m : {tall}
  %h = lowbit.get @h : {wide}
  %b = lowbit.get @b : {vector}
  %g = lowbit.get @g : {weight(SIZE)}
  %f = lowbit.get @f : {vector}
  %eye.q = lowbit.rotate_columns %eye size {SIZE} seed 3 : {square}
  %m.g = lowbit.scale_columns %m, %g : ({tall}, {weight(SIZE)}) -> {tall}
  %m.gq = lowbit.rotate_columns %m.g size {SIZE} seed 3 : {tall}
  %m.gqq = lowbit.rotate_rows %m.gq size {SIZE} seed 3 : {tall}
  %m.gqqf = lowbit.scale_rows %m.gqq, %f : ({tall}, {vector}) -> {tall}
  %m.s = lowbit.slice_rows %m from 17 : {tall} -> {square}
  %m.sq = lowbit.rotate_rows %m.s size {SIZE} seed 3 : {square}
  %h.q = lowbit.rotate_columns %h size {SIZE} seed 3 : {wide}
  %b.q = lowbit.rotate_rows %b size {SIZE} seed 3 : {vector}
  %0 = lowbit.linear %x, %eye.q : ({short}, {square}) -> {short}
  %1 = lowbit.linear %x, %m.gqqf : ({short}, {tall}) -> {long}
  %2 = lowbit.linear %x, %m.sq : ({short}, {square}) -> {short}
  %3 = lowbit.linear %y, %h.q : ({long}, {wide}) -> {short}
  %4 = lowbit.add_bias %y, %b.q : {long}, {vector}
  return
}}
"""


@pytest.mark.parametrize("threads", [(), ("--mlir-disable-threading",)], ids=["threads", "one-thread"])
def test_weights_are_products(qopt, tmp_path, threads):
    """48 = 4 * 12 channels, so that Q has a core that is no power of two. A result is off by 2^-24 of itself for each step, and by what
    Q's own entries, below 1/2 and so rounded by at most 2^-26, leave of the sums: less than 2^-22 of the sums of magnitudes in all."""
    random = np.random.default_rng(4)
    arrays = {name: random.standard_normal(shape).astype(np.float32) for name, shape in WEIGHTS.items()}
    arrays["eye"], arrays["h"] = np.eye(SIZE, dtype=np.float32), arrays["h"].astype(np.float16)
    (tmp_path / "w.bin").write_bytes(b"".join((a.T if name == "m" else a).tobytes() for name, a in arrays.items()))
    done = qopt(*threads, f"--evaluate-weights=work={tmp_path / 'work'}", input=derivations(tmp_path / "w.bin"))
    assert done.returncode == 0, done.stderr

    def found(name, shape):
        place = re.search(rf'@{re.escape(name)} : \S+ \S+ in "(.*)" at (\d+) {{derived_from = "\w+"}}$', done.stdout, re.MULTILINE)
        return readWeight({"file": place[1], "offset": int(place[2])}, shape, np.float32).astype(np.float64)

    q = found("eye.rotated", (SIZE, SIZE))
    both = np.kron(np.eye(2), q)
    a = {name: array.astype(np.float64) for name, array in arrays.items()}
    for name, parts in {"m.scaled.rotated": (np.diag(a["f"]), both.T, a["m"] * a["g"], q), "m.from17.rotated": (q.T, a["m"][17 : 17 + SIZE]),
                        "h.rotated": (a["h"], both), "b.rotated": (a["b"][None], both)}.items():  # fmt: skip
        want, magnitude = (np.linalg.multi_dot([part(x) for x in parts]) for part in (np.asarray, np.abs))
        have = found(name, want.shape)
        assert (np.abs(have - want) <= 2**-22 * magnitude).all(), name


def test_rows_are_taken_before_rotating(qopt, tmp_path):
    text = f"""
lowbit.weight @m : {weight(8, 4)} in "w.bin" at 0
func.func @f(%x: tensor<?x4xf32>) {{
  %m = lowbit.get @m : {weight(8, 4)}
  %r = lowbit.rotate_rows %m size 8 seed 0 : {weight(8, 4)}
  %s = lowbit.slice_rows %r from 0 : {weight(8, 4)} -> {weight(4, 4)}
  %0 = lowbit.linear %x, %s : (tensor<?x4xf32>, {weight(4, 4)}) -> tensor<?x4xf32>
  return
}}"""
    done = qopt(f"--evaluate-weights=work={tmp_path / 'work'}", input=text)
    assert done.returncode == 1 and not (tmp_path / "work").exists()
    assert "takes rows of a weight whose rows are rotated: they can only be taken before" in done.stderr
