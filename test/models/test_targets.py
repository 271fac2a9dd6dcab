"""An executable for several processors chooses at start: run here and on processors that qemu emulates."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import shutil

import numpy as np
import pytest
from contract import compare
from protocol import Binary
from test_shapes import sequences

from halftone.export.checkpoint import Checkpoint

SEVERAL = "--target=x86-64-v4+avx512vnni,x86-64-v3,x86-64"
ANYHOW = "--allow-fallback=*"  # none of them has an instruction for bf16
# A processor that qemu emulates, and what the executables above choose on it: Nehalem has no AVX.
EMULATED = {"Haswell": "x86-64-v3", "Nehalem": "x86-64"}


@pytest.fixture(scope="module")
def emulator():
    found = shutil.which("qemu-x86_64")
    if not found:
        pytest.skip("no qemu-x86_64; scripts/setup.sh --tests installs it")
    return found


@pytest.mark.parametrize("format", ["int4-g32", "bf16"])
@pytest.mark.parametrize("cpu", [None, *EMULATED])
def test_every_choice_is_the_contract(cpu, format, tiny, compiled, request, tmp_path):
    """Bound as in test_shapes.py. bf16 weights and activations are no part of the contract in numpy: every choice gives what
    another gives, but for the order of sums, which seldom makes an activation round to another bf16. 2e-3 is a tenth of what the
    format moves these logits by, where every weight and activation is rounded."""
    emulate = () if cpu is None else (request.getfixturevalue("emulator"), "-cpu", cpu)
    executable = compiled(tiny, format, SEVERAL, ANYHOW).path
    binary, documents = Binary(executable, emulate), sequences(tiny)[:3]
    if format == "bf16":
        alone = compiled(tiny, format, "--target=x86-64", ANYHOW)
        assert max(np.abs(binary.logits(ids, tmp_path) - alone.logits(ids, tmp_path)).max() for ids in documents) <= 2e-3
    else:
        assert compare(Checkpoint(tiny.checkpoint), format, binary, documents, tmp_path)[0] <= 4e-5


@pytest.mark.parametrize("cpu", EMULATED)
def test_it_is_the_first_that_the_processor_has(cpu, tiny, compiled, emulator, tmp_path):
    """Alone, the target gives the same bits as among several whose vectors are no wider."""
    chosen = EMULATED[cpu]
    narrow = {"x86-64-v3": "x86-64-v3,x86-64", "x86-64": "x86-64,x86-64+sse3"}[chosen]
    for ids in sequences(tiny)[:2]:
        among = Binary(compiled(tiny, "int4-g32", f"--target={narrow}").path, (emulator, "-cpu", cpu)).logits(ids, tmp_path)
        alone = Binary(compiled(tiny, "int4-g32", f"--target={chosen}").path, (emulator, "-cpu", cpu)).logits(ids, tmp_path)
        assert np.array_equal(among, alone)


def test_a_processor_that_has_none_is_told_what_the_last_needs(tiny, compiled, emulator):
    binary = Binary(compiled(tiny, "int4-g32", "--target=x86-64-v4+avx512vnni,x86-64-v3").path, (emulator, "-cpu", "Nehalem"))
    done = binary.run("--tokens", "1", "-n", 1)
    assert done.returncode == 1
    assert b"error: this binary needs " in done.stderr and b"avx2" in done.stderr and b"avx512" not in done.stderr


def test_info_lists_them_and_weights_are_packed_once(tiny, compiled):
    several, one = compiled(tiny, "int4-g32", SEVERAL), compiled(tiny, "int4-g32", "--target=x86-64-v4+avx512vnni")
    infos = [json.loads(binary.run("--info").stdout) for binary in (several, one)]
    assert [target["cpu"] for target in infos[0]["targets"]] == ["x86-64-v4", "x86-64-v3", "x86-64"]
    assert infos[0]["weight_bytes"] == infos[1]["weight_bytes"]
