"""--kv-format: what the cache of an executable keeps keys and values in."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json

import numpy as np
import pytest
from protocol import Quality, logSoftmax, scoredIds

IDS = np.array([1, *(70 + number * 7 % 150 for number in range(45))])
FORMATS = ["f32", "f16", "int8", "int4"]


@pytest.fixture
def logits(compiled, tiny, tmp_path):
    """logits(format, *options): of the tiny model in f32 weights, whose cache alone is kept in fewer bits."""

    def call(format, *options):
        return compiled(tiny, "f32", f"--kv-format={format}", *options).logits(IDS, tmp_path).astype(np.float64)

    return call


def test_fewer_bits_lose_more(logits):
    exact = logits("f32")
    lost = [np.abs(logits(format) - exact).mean() / np.abs(exact).mean() for format in FORMATS]
    assert lost[0] == 0 < lost[1] < 1e-3 < lost[2] < lost[3] < 0.5 and lost[1] * 4 < lost[2] and lost[2] * 4 < lost[3], lost


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("target", ["native", "x86-64"])
def test_kernels_compute_what_the_reference_does(format, target, logits):
    """Weights in f32, so that nothing but a code of the cache that falls on the other side of a tie can differ by more than rounding."""
    want, got = logits(format, "--lower-reference"), logits(format, f"--target={target}")
    step = {"f32": 0, "f16": 2**-11, "int8": 1 / 127, "int4": 1 / 7}[format]
    assert np.abs(got - want).max() <= (2**-15 + step / 16) * np.abs(want).max()


@pytest.mark.parametrize("format", FORMATS)
def test_one_token_after_the_other_is_the_same_as_all_at_once(format, compiled, tiny, tmp_path):
    """What decode chose is what prefill, which sees it as a prompt, would choose."""
    binary = compiled(tiny, "f32", f"--kv-format={format}")
    ids = binary.greedy(IDS[:7], 40)
    assert len(ids) > 20
    assert np.array_equal(binary.logits(ids, tmp_path)[6:-1].argmax(-1), ids[7:])


@pytest.mark.parametrize("format", FORMATS[1:])
def test_threads_change_nothing(format, compiled, tiny, tmp_path):
    binary = compiled(tiny, "int4-g16", f"--kv-format={format}")
    one, two, four = (binary.logits(IDS, tmp_path, "--threads", threads) for threads in (1, 2, 4))
    assert np.array_equal(one, two) and np.array_equal(one, four)


def test_info_names_it(compiled, tiny):
    info = compiled(tiny, "int4-g16", "--kv-format=int8").run("--info")
    assert json.loads(info.stdout)["options"]["kv_format"] == "int8"


def test_unknown_name(halftone, tiny, tmp_path):
    done = halftone("compile", tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", "--kv-format=int3", "-o", tmp_path / "out")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert done.stderr == "halftone: error: --kv-format: no cache can be kept in 'int3'; there are f32, f16, int8, int4\n"


@pytest.mark.parametrize("model", ["stories15M"], indirect=True)
@pytest.mark.parametrize("format, most", [("f16", 1e-5), ("int8", 0.0008), ("int4", 0.075)])
def test_what_a_cache_of_few_bits_loses(format, most, model, compiled, tmp_path):
    """Mean KL divergence from the same weights, f32, with a cache of f32, over ten documents."""
    exact, stored = compiled(model, "f32"), compiled(model, "f32", f"--kv-format={format}")
    quality = Quality()
    for text in model.documents(10):
        ids = scoredIds(model.tokenizer, text)[: model.context]
        quality.add(*(logSoftmax(binary.logits(ids[:-1], tmp_path)) for binary in (exact, stored)), ids)
    print(f"{format}: mean KL {quality.meanDivergence:.6f}")
    assert quality.meanDivergence <= most
