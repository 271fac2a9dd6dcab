"""What the import stage makes of whole graphs computes what onnxruntime computed: prefill, then one more token on the cache."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import onnx
import pytest
from imported_numpy import Module
from onnx import helper, numpy_helper

# Decoders as different exporters write them, some without a cache, some with joined products, fused operators or biases.
MODELS = (
    "llama-dynamo", "llama-dynamo-opset23", "llama-torchscript", "llama-optimum", "llama-optimum-o2", "llama-hf-decode",
    "llama-hf-ortcpu-decode", "llama-genai-fp32", "mistral-genai-fp32", "qwen2-dynamo", "qwen2-torchscript", "qwen2-optimum",
    "qwen2-hf-decode", "qwen2-genai-fp32", "llama-dynamo-fp16", "llama-optimum-fp16", "llama-genai-fp16",
)  # fmt: skip
# Refused for a reason that the message must give.
REFUSED = {
    "mistral-optimum": "the attention mask is not causal: token 2047 does not see position 0",
    "mistral-dynamo": "the attention mask is not causal: token 8 does not see position 0",
    "gpt2-optimum": "(LayerNormalization, opset 18): operator is not supported; supported are Abs, ",
    "llama-optimum-nbits4": "(com.microsoft.MatMulNBits, opset 1): operator is not supported; supported of domain com.microsoft are ",
}


@pytest.fixture(scope="session")
def importModel(qopt, tmp_path_factory):
    """importModel(path): the finished process of `qopt` with the whole stage on an empty module."""
    work = tmp_path_factory.mktemp("work") / "work.bin"

    def run(path):
        pipeline = f"--pass-pipeline=builtin.module(import{{file={path} work={work}}})"
        return qopt(pipeline, "--mlir-print-op-generic", input="")

    return run


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def check(module, inputs, logits, past):
    """Each sequence of the batch alone: the first token of a padded row would see no position, and means nothing."""
    row = 0 if "attention_mask" not in inputs else int(np.argmax(inputs["attention_mask"].sum(axis=1)))
    ours = module.forward(inputs["input_ids"][row], past)
    rtol, atol = (1e-3, 1e-4) if logits.dtype == np.float32 else (2e-2, 2e-2)  # ../shared/data/onnx/README.md, fp32 and fp16
    np.testing.assert_allclose(ours, logits[row], rtol, atol)


@pytest.mark.parametrize("name", MODELS)
def test_numbers(importModel, sharedData, name):
    folder = sharedData / "onnx" / name
    done = importModel(folder / "model.onnx")
    assert done.returncode == 0, done.stderr
    module = Module(done.stdout)
    inputs = arrays(folder / "inputs.npz")
    check(module, inputs, arrays(folder / "outputs.npz")["logits"], 0)
    if (folder / "inputs.decode.npz").exists():
        more = arrays(folder / "inputs.decode.npz")
        check(module, more, arrays(folder / "outputs.decode.npz")["logits"], inputs["input_ids"].shape[1])


def test_work_file_that_is_the_model(qopt, sharedData, tmp_path):
    """Tables of angles never replace a file that is read: the model, or the one beside it that its weights lie in."""
    model = onnx.load(sharedData / "onnx" / "llama-optimum" / "model.onnx")
    path, data = tmp_path / "model.onnx", tmp_path / "weights.bin"
    onnx.save(model, path, save_as_external_data=True, location=data.name, size_threshold=0)
    before = {file: file.read_bytes() for file in (path, data)}
    for work in before:
        done = qopt(f"--import=file={path} work={work}", input="")
        assert done.returncode == 1 and done.stderr.count("error:") == 1 and str(work) in done.stderr
        assert {file: file.read_bytes() for file in before} == before


def test_gathered_angles(importModel, sharedData, tmp_path):
    """Cosines and sines from tables that positions name, as older exporters write them; the tables say the context."""
    folder, rows = sharedData / "onnx" / "llama-optimum", 48
    model = onnx.load(folder / "model.onnx")
    frequencies = next(numpy_helper.to_array(node.attribute[0].t) for node in model.graph.node if node.output[0] == "onnx::Expand_119")
    angles = np.arange(rows, dtype=np.float32)[:, None] * np.tile(frequencies.reshape(1, -1), 2)
    for function, output in ((np.cos, "/model/rotary_emb/Cast_4_output_0"), (np.sin, "/model/rotary_emb/Cast_5_output_0")):
        maker = next(node for node in model.graph.node if node.output[0] == output)
        model.graph.initializer.append(numpy_helper.from_array(function(angles), f"{function.__name__}_cached"))
        maker.CopyFrom(helper.make_node("Gather", [f"{function.__name__}_cached", "position_ids"], [output], maker.name, axis=0))
    onnx.save(model, tmp_path / "model.onnx")
    done = importModel(tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    assert f"halftone.context = {rows} : i64" in done.stdout
    inputs = arrays(folder / "inputs.npz")
    check(Module(done.stdout), inputs, arrays(folder / "outputs.npz")["logits"], 0)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(importModel, sharedData, name):
    done = importModel(sharedData / "onnx" / name / "model.onnx")
    assert done.returncode == 1
    assert "model.onnx: " in done.stderr and REFUSED[name] in done.stderr
    assert done.stderr.count("error:") == 1 and "Stack dump" not in done.stderr
