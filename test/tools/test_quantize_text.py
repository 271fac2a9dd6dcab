"""halftone quantize calibrated on a text: the graph's inputs are made of its tokens."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import pytest
import sentencepiece
from byte_tokenizer import byteTokenizer
from onnx import TensorProto, helper, numpy_helper
from quantized_graphs import save, tensorOf

VOCABULARY, WIDTH, LENGTH = 300, 32, 24
TEXT = "ABBA CAB and the rest of it, once upon a time. " * 30


@pytest.fixture
def tokenizer(tmp_path):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(byteTokenizer(VOCABULARY))
    return path


def encoder(path, inputs, kinds=TensorProto.INT64):
    """y = (table[input_ids] + positions, masks and types, each as a number) w: every input has a part in it. The embeddings' columns vary
    together, so that it matters to GPTQ what the tokens are."""
    random = np.random.default_rng(5)
    table = (random.standard_normal((VOCABULARY, 4)) @ random.standard_normal((4, WIDTH)) + 0.2 * random.standard_normal((VOCABULARY, WIDTH))).astype(np.float32)
    steps, last = [helper.make_node("Gather", ["table", "input_ids"], ["rows"])], "rows"
    for name in inputs[1:]:
        if name.startswith("past"):
            continue
        steps += [helper.make_node("Cast", [name], [f"{name}.f"], to=TensorProto.FLOAT), helper.make_node("Unsqueeze", [f"{name}.f", "axes"], [f"{name}.u"]),
                  helper.make_node("Add", [last, f"{name}.u"], [f"{name}.sum"])]  # fmt: skip
        last = f"{name}.sum"
    steps.append(helper.make_node("MatMul", [last, "w"], ["y"], "product"))
    shapes = {name: [1, 4, "past", 8] if name.startswith("past") else ["batch", "tokens"] for name in inputs}
    for name in inputs:
        if name.startswith("past"):
            steps.append(helper.make_node("Identity", [name], [f"{name}.out"]))
    tensors = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([-1]), "axes"), tensorOf("w", (WIDTH, 16))]
    save(path, steps, tensors, {"input_ids": ["batch", "tokens"]}, {"y": None}, given=kinds)
    import onnx

    model = onnx.load(path)
    del model.graph.input[:]
    for name in inputs:
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT if name.startswith("past") else kinds, shapes[name]))
    onnx.save(model, path)
    return path


def windows(tokenizer):
    """As the text is cut: a token that begins a text, then its own, window after window."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    ids = pieces.encode(TEXT)
    step = LENGTH - 1
    return np.array([[pieces.bos_id(), *ids[first : first + step]] for first in range(0, len(ids) - step + 1, step)])


@pytest.mark.parametrize("kinds", [TensorProto.INT64, TensorProto.INT32])
def test_a_text_gives_what_arrays_give(kinds, quantize, tokenizer, tmp_path):
    names = ["input_ids", "attention_mask", "position_ids", "token_type_ids"]
    before, text = encoder(tmp_path / "in.onnx", names, kinds), tmp_path / "text"
    text.write_text(TEXT)
    ids = windows(tokenizer).astype(np.int64 if kinds == TensorProto.INT64 else np.int32)
    np.savez(tmp_path / "data.npz", input_ids=ids, attention_mask=np.ones_like(ids), token_type_ids=np.zeros_like(ids),
             position_ids=np.broadcast_to(np.arange(LENGTH, dtype=ids.dtype), ids.shape))  # fmt: skip
    options = ("--method=gptq", "--format=int4-g16")
    quantize(before, tmp_path / "a.onnx", *options, f"--calibrate={text}", f"--tokenizer={tokenizer}", f"--length={LENGTH}")
    quantize(before, tmp_path / "b.onnx", *options, f"--calibrate={tmp_path / 'data.npz'}")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_past_is_empty(quantize, tokenizer, tmp_path):
    before, text = encoder(tmp_path / "in.onnx", ["input_ids", "past_key_values.0.key"]), tmp_path / "text"
    text.write_text(TEXT)
    report = quantize(before, tmp_path / "a.onnx", "--method=imatrix", f"--calibrate={text}", f"--tokenizer={tokenizer}", "--length=16", "--samples=4", "--seed=3")
    assert [weight["name"] for weight in report["weights"]] == ["w"]


def test_errors(refusal, tokenizer, tmp_path):
    before, output, text = encoder(tmp_path / "in.onnx", ["input_ids", "secret"]), tmp_path / "out.onnx", tmp_path / "text"
    text.write_text(TEXT)
    data = ("--method=gptq", f"--calibrate={text}", f"--tokenizer={tokenizer}")
    assert refusal(before, output, *data).startswith(f"{before}: input 'secret' is none that goes with a text")
    assert refusal(before, output, "--method=gptq", f"--calibrate={text}", "--length=16") == "--length: is of a text to calibrate on, which takes --tokenizer=FILE"
    before = encoder(tmp_path / "in.onnx", ["input_ids"])
    assert refusal(before, output, *data, "--length=100000") == f"{text}: has no window of 100000 tokens; --length=N takes shorter ones"
    text.write_text("")
    assert refusal(before, output, *data).startswith(f"{text}: ")
    assert "missing.model" in refusal(before, output, "--method=gptq", f"--calibrate={text}", f"--tokenizer={tmp_path / 'missing.model'}")
