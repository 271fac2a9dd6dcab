"""Every pass that rewrites says so in remarks, at the node or weight that it rewrote."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import subprocess
import sys
from pathlib import Path

import pytest

IMPORT = "import{file=MODEL work=tables}"
QUANTIZE = """func.func(fold-norm-scale),rotate,assign-formats{format=int4-g32},evaluate-weights{work=derived},rtn{work=codes},check-weights,
    func.func(contract-activations),verify-quantized"""
FUSE = "specialize-phases{chunk=4},canonicalize,cse,func.func(form-kernels)"
LOWER = """choose-kernels,pack-weights{work=segment},place-buffers,func.func(lower-linear,lower-rows,lower-rope,lower-attention,
    lower-embedding,split-threads),canonicalize,cse,plan-memory,bind-memory,roll-calls,verify-lowered"""
ALWAYS = """convert-embedding convert-linears recognise-norms recognise-rope recognise-attention cancel-movements convert-elementwise
    outline-blocks fold-norm-scale rotate assign-formats evaluate-weights rtn contract-activations specialize-phases form-kernels choose-kernels
    pack-weights plan-memory roll-calls""".split()


def remarks(qopt, folder, model):
    """{pass: its remarks} of the whole way of `model`."""
    pipeline = f"builtin.module({IMPORT.replace('MODEL', str(model))},{QUANTIZE},{FUSE},{LOWER})"
    done = qopt("--remarks-filter=.*", "--remark-format=emitRemark", f"--pass-pipeline={pipeline}", "-o", "out.mlir", cwd=folder,
                input="module {}")  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for line in done.stderr.splitlines():
        if match := re.search(r"\[Passed\] rewrite \| Category:([\w-]+)", line):
            found.setdefault(match.group(1), []).append(line)
    return found


@pytest.fixture
def folder(root, tmp_path):
    program = [sys.executable, "-m", "halftone.export.random_llama", "-o", tmp_path / "m.onnx", "--layers=4", "--hidden=64", "--heads=4",
               "--kv-heads=2", "--ffn=96", "--vocab=64", "--context=32"]  # fmt: skip
    subprocess.run(program, env={"PYTHONPATH": str(root / "python")}, check=True, capture_output=True)
    return tmp_path


def test_each_pass_tells_what_it_did(qopt, folder):
    found = remarks(qopt, folder, "m.onnx")
    assert set(found) >= set(ALWAYS)
    assert len(found["recognise-norms"]) == 9 and len(found["recognise-attention"]) == 4 and len(found["recognise-rope"]) == 8
    assert len(found["rtn"]) == 4 * 7 + 2
    assert any("/model/layers.2/self_attn/" in line and "kvHeads=2" in line for line in found["recognise-attention"])
    assert all(re.search(r"weight=\S+ \| format=int[48]-g32 \| error=0\.\d+|format=int[48]-g32", line) for line in found["rtn"])
    assert any("calls=4" in line for line in found["roll-calls"]) and any("repetitions=4" in line for line in found["outline-blocks"])


def test_fused_operators(qopt, tmp_path, sharedData):
    assert "expand-operators" in remarks(qopt, tmp_path, Path(sharedData) / "onnx" / "llama-genai-fp32" / "model.onnx")
