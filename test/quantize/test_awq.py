"""awq and smooth-quant through qopt: the function stays the same, and the factors are those that numpy finds (test/oracle)."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "oracle"))
import awq  # noqa: E402
import grids  # noqa: E402
import smoothquant  # noqa: E402

DIM, INNER, SEQUENCES, TOKENS = 48, 40, 3, 30
SHAPES = {"g": (DIM,), "gate": (INNER, DIM), "up": (INNER, DIM), "bias": (INNER,), "down": (DIM, INNER)}
FORMAT = "int3-g16"


def typed(name):
    return f"!lowbit.weight<{'x'.join(map(str, SHAPES[name]))}, #lowbit.format<f32>>"


def module(path, layers):
    """A gated block with a bias, called once a layer."""
    names = [f"@{name}{layer}" for layer in range(layers) for name in SHAPES]
    sizes = [np.prod(SHAPES[name]) for _ in range(layers) for name in SHAPES]
    places = np.cumsum([0, *sizes]) * 4
    text = "".join(f'lowbit.weight {name} : {typed(name.strip("@0123456789"))} in "{path}" at {at}\n' for name, at in zip(names, places))
    arguments = ", ".join(f"%{name}: {typed(name)}" for name in SHAPES)
    types = ", ".join(map(typed, SHAPES))
    text += f"""
func.func private @block(%x: tensor<?x{DIM}xf32>, {arguments}) -> tensor<?x{DIM}xf32> {{
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x{DIM}xf32>, {typed("g")}
  %a = lowbit.linear %n, %gate : (tensor<?x{DIM}xf32>, {typed("gate")}) -> tensor<?x{INNER}xf32>
  %s = math.tanh %a : tensor<?x{INNER}xf32>
  %u = lowbit.linear %n, %up : (tensor<?x{DIM}xf32>, {typed("up")}) -> tensor<?x{INNER}xf32>
  %v = lowbit.add_bias %u, %bias : tensor<?x{INNER}xf32>, {typed("bias")}
  %m = arith.mulf %s, %v : tensor<?x{INNER}xf32>
  %d = lowbit.linear %m, %down : (tensor<?x{INNER}xf32>, {typed("down")}) -> tensor<?x{DIM}xf32>
  %y = arith.addf %x, %d : tensor<?x{DIM}xf32>
  return %y : tensor<?x{DIM}xf32>
}}
func.func @forward(%x0: tensor<?x{DIM}xf32>) -> tensor<?x{DIM}xf32> {{
"""
    for layer in range(layers):
        handles = [f"%{name}{layer}" for name in SHAPES]
        text += "".join(f"  {handle} = lowbit.get @{handle[1:]} : {typed(name)}\n" for handle, name in zip(handles, SHAPES))
        text += (f"  %x{layer + 1} = call @block(%x{layer}, {', '.join(handles)}) : (tensor<?x{DIM}xf32>, {types}) -> tensor<?x{DIM}xf32>\n")
    return text + f"  return %x{layers} : tensor<?x{DIM}xf32>\n}}\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two layers whose norms make some channels much larger than others, and data."""
    folder = tmp_path_factory.mktemp("awq")
    random = np.random.default_rng(7)
    layers = [{name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in SHAPES.items()} for _ in range(2)]
    for weights in layers:
        weights["g"] = np.exp(random.normal(0, 1, DIM)).astype(np.float32)
    (folder / "weights.bin").write_bytes(b"".join(weights[name].tobytes() for weights in layers for name in SHAPES))
    (folder / "model.mlir").write_text(module(folder / "weights.bin", 2))
    x = random.standard_normal((SEQUENCES, TOKENS, DIM)).astype(np.float32)
    np.savez(folder / "x.npz", x=x)
    return folder, layers, x.reshape(-1, DIM).astype(np.float64)


def normed(weights, x):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weights["g"]


def gated(weights, n):
    return np.tanh(n @ weights["gate"].T) * (n @ weights["up"].T + weights["bias"])


def run(qopt, folder, tmp_path, *passes):
    """What the weights of each layer are after the passes, and the vectors of factors by name."""
    done = qopt(folder / "model.mlir", f"--pass-pipeline=builtin.module({','.join(passes)},evaluate-weights{{work={tmp_path / 'derived'}}})")
    assert done.returncode == 0, done.stderr

    def read(name):
        shape, file, at = re.search(rf'lowbit.weight @{re.escape(name)} : !lowbit.weight<([\dx]+), <f32>> in "(.*)" at (\d+)', done.stdout).groups()
        shape = tuple(map(int, shape.split("x")))
        return np.frombuffer(Path(file).read_bytes(), np.float32, int(np.prod(shape)), int(at)).reshape(shape)

    named = dict(re.findall(r"(%\w+) = lowbit.get @([\w.]+)", done.stdout))
    calls = re.findall(r"call @block\((.*?)\)", done.stdout)
    layers = [dict(zip(SHAPES, (read(named[handle]) for handle in call.split(", ")[1:]))) for call in calls]
    return layers, {name: read(name) for name in re.findall(r"@([\w.]+\.factors)", done.stdout)}, done.stdout


def assertSameFunction(before, after):
    """What the block computes is made of the products below. Each factor's inverse is rounded once, so is each product with a factor: g
    once, gate and up once for the norm's fold, up and the bias once for the other, down once. So of the products below these make 3
    (gate: g, itself, the inverse), 6 (up: g, itself twice, down, both inverses) and 3 (bias) roundings of at most 2^-24; 1 % for the
    second order."""

    def products(w):
        w = {name: value.astype(np.float64) for name, value in w.items()}
        through = np.einsum("oc,cd,d->ocd", w["down"], w["up"], w["g"])
        return (w["gate"] * w["g"], 3), (through, 6), (w["down"] * w["bias"], 3)

    for (old, roundings), (new, _) in zip(products(before), products(after)):
        assert (np.abs(new - old) <= roundings * 2**-24 * 1.01 * np.abs(old)).all()


OBSERVE, ASSIGN = "observe{gather=magnitude,range}", f"assign-formats{{format={FORMAT} head-format={FORMAT} method=%s}}"


def test_awq(qopt, model, tmp_path):
    folder, before, x = model
    after, factors, text = run(qopt, folder, tmp_path, OBSERVE, ASSIGN % "awq,rtn", f"awq{{data={folder / 'x.npz'} work={tmp_path / 'work'}}}")
    assert text.count('method = "rtn"') == 3 and "awq" not in text.replace(str(tmp_path), "").replace(str(folder), "")
    form = grids.Format.parse(FORMAT)
    for layer, (old, new) in enumerate(zip(before, after)):
        assertSameFunction(old, new)
        n = normed(old, x)
        m = gated(old, n)

        def loss(trial):
            return float(((gated(trial, n) @ trial["down"].T - m @ old["down"].T) ** 2).mean())

        for first, names, inputs in (("gate", ("gate", "up"), n), ("down", ("down",), m)):
            scale, alpha, _ = awq.searchScale(np.abs(inputs).mean(0), lambda scale: loss({**old, **{name: awq.scaledRounding(form, old[name], scale) for name in names}}))
            assert alpha > 0  # else the search has shown nothing
            # mean|x| comes from f32 activations: a sum of 48 rounded products, 5 operations and a power below 1.
            np.testing.assert_allclose(factors[f"{first}{layer}.factors"], scale, rtol=64 * 2**-24)
        x = x + m @ old["down"].T


def test_smooth_quant(qopt, model, tmp_path):
    folder, before, x = model
    after, factors, text = run(qopt, folder, tmp_path, OBSERVE, f"calibrate{{data={folder / 'x.npz'} statistics={tmp_path / 's'}}}",
                               ASSIGN % "smooth-quant,rtn", f"smooth-quant{{alpha=0.6 work={tmp_path / 'work'}}}")
    assert text.count('method = "rtn"') == 3
    for layer, (old, new) in enumerate(zip(before, after)):
        assertSameFunction(old, new)
        n = normed(old, x)
        m = gated(old, n)
        largest = np.abs(n).max(0)
        scale = smoothquant.columnScale(largest, [old["gate"], old["up"]], 0.6)
        np.testing.assert_allclose(factors[f"gate{layer}.factors"], scale, rtol=64 * 2**-24)
        # The fold before has scaled nothing that this one reads: inputs and columns of down are as they were.
        np.testing.assert_allclose(factors[f"down{layer}.factors"], smoothquant.columnScale(np.abs(m).max(0), [old["down"]], 0.6), rtol=64 * 2**-24)
        x = x + m @ old["down"].T


def test_without_data(qopt, model, tmp_path):
    folder = model[0]
    done = qopt(folder / "model.mlir", f"--pass-pipeline=builtin.module({ASSIGN % 'awq'},awq{{work={tmp_path / 'work'}}})")
    assert done.returncode == 1 and "awq needs statistics: calibrate the model first" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_statistics_alone_do_not_judge(qopt, model, tmp_path):
    folder = model[0]
    done = qopt(folder / "model.mlir", f"--pass-pipeline=builtin.module({OBSERVE},calibrate{{data={folder / 'x.npz'} statistics={tmp_path / 's'}}},"
                                       f"{ASSIGN % 'awq'},awq{{work={tmp_path / 'work'}}})")
    assert done.returncode == 1
    assert "weight 'gate0': recorded statistics know no outputs: it needs the model to run" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
