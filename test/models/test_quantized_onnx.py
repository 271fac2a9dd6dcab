"""halftone quantize on real models: how close the sentence embeddings of MiniLM stay, and what ONNX Runtime computes from stories15M."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import functools
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from minilm import WordPiece, calibrationInputs, cosines, embeddings, judgedSentences
from onnx import numpy_helper
from onnx_quantized import linears
from protocol import OnnxRuntime, Quality, documents, logSoftmax, scoredIds


@pytest.fixture(scope="module")
def minilm(root):
    done = subprocess.run(["scripts/get_minilm.sh"], cwd=root, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"MiniLM cannot be had: {done.stderr.strip().splitlines()[-1]}")
    return root / "demo" / "minilm.onnx"


@pytest.fixture(scope="module")
def tokenizer(minilm):
    return WordPiece(minilm.with_name("minilm.vocab.txt"))


@pytest.fixture(scope="module")
def judged(minilm, tokenizer, sharedData):
    """200 sentences of three kinds of text as tokens, and the model's embeddings of them."""
    tokens = [tokenizer.encode(sentence) for sentence in judgedSentences(sharedData / "text")]
    return tokens, embeddings(minilm, tokens)


@pytest.fixture(scope="module")
def calibration(tokenizer, sharedData, tmp_path_factory):
    path = tmp_path_factory.mktemp("calibration") / "inputs.npz"
    np.savez(path, **calibrationInputs(tokenizer, sharedData / "text"))
    return path


@pytest.fixture(scope="module")
def quantized(halftone, minilm, calibration, tmp_path_factory):
    """quantized(format, options, style): MiniLM, and the report; made once."""
    folder = tmp_path_factory.mktemp("quantized")

    @functools.cache
    def make(format, options, style="matmulnbits"):
        output = folder / f"{format}{options.replace(' ', '')}-{style}.onnx"
        data = [f"--calibrate={calibration}"] if "gptq" in options else []
        done = halftone("quantize", minilm, f"--format={format}", f"--onnx-style={style}", *options.split(), *data, "-o", output, "--json")
        assert done.returncode == 0, done.stderr
        return output, json.loads(done.stdout)

    return make


GPTQ, BEST = "--method=gptq", "--method=gptq --grid-search --act-order"


# Mean cosine over the 200 sentences, and the worst one's: what was measured, less room for another processor's roundings.
@pytest.mark.parametrize(("format", "options", "style", "mean", "worst"), [
    ("int8-row", GPTQ, "matmulnbits", 0.999, 0.99),  # .9998, .9993; the bar is .99
    ("int8-row", GPTQ, "qdq", 0.999, 0.99),
    ("int4-g32-asym", BEST, "matmulnbits", 0.985, 0.95),  # .9882, .9665; the bar is .97
    ("int4-g32-asym", BEST, "qdq", 0.985, 0.95),
    ("int4-g32", GPTQ, "matmulnbits", 0.98, 0.94),  # .9834, .9583
    ("int4-g32", "--method=rtn", "matmulnbits", 0.96, 0.92),  # .9683, .9356
])  # fmt: skip
def test_sentence_embeddings(format, options, style, mean, worst, quantized, judged):
    tokens, expected = judged
    output, report = quantized(format, options, style)
    found = cosines(embeddings(output, tokens), expected)
    print(f"{format} {options} {style}: mean {found.mean():.5f}, worst {found.min():.5f}, {report['bytes_after']} bytes")
    assert len(report["weights"]) == 36 and found.mean() >= mean and found.min() >= worst


def test_gptq_is_better_than_rounding(quantized, judged):
    tokens, expected = judged
    lost = {options: 1 - cosines(embeddings(quantized("int4-g32", options)[0], tokens), expected).mean() for options in ("--method=rtn", GPTQ)}
    assert lost[GPTQ] < 0.6 * lost["--method=rtn"]  # measured: half


def test_the_table(root, tool, minilm, sharedData, tmp_path):
    """test/bench/embeddings.py, the command behind docs/encoders.md."""
    page, inputs = tmp_path / "page.md", tmp_path / "inputs.npz"
    page.write_text("<!-- begin table -->\n<!-- end table -->\n")
    words = [sys.executable, root / "test" / "bench" / "embeddings.py", "--rows=int8-row --method=rtn", f"--output={page}", f"--inputs={inputs}", f"--halftone={tool}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| int8-row")]
    assert [row[2] for row in rows] == ["matmulnbits", "qdq"] and np.load(inputs)["input_ids"].shape == (128, 64)
    assert all(float(row[4]) >= 0.999 and float(row[4]) >= float(row[5]) >= 0.99 for row in rows)  # .9995, .9987


@pytest.mark.parametrize("style", ["matmulnbits", "qdq"])
def test_both_styles_compute_the_same_function(style, quantized, minilm, judged):
    """The graph of opset 11, raised to 21 for DequantizeLinear, against itself with the decoded matrices: what is left are the roundings
    of sums in another order, 1e-4 of values up to 4 as the exporters' graphs are held to."""
    tokens, _ = judged
    output, _ = quantized("int4-g32-asym", BEST, style)
    model = onnx.load(minilm)
    onnx.checker.check_model(str(output), full_check=True)
    matrices = {linear.node: linear.matrix for linear in linears(onnx.load(output))}
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.name in matrices:
            tensors[node.input[1]].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(matrices.pop(node.name)), node.input[1]))
    assert not matrices
    dequantized = output.with_name("dequantized.onnx")
    onnx.save(model, dequantized)
    assert np.allclose(embeddings(output, tokens[:20]), embeddings(dequantized, tokens[:20]), rtol=0, atol=1e-5)


def test_the_same_bytes_for_any_number_of_threads(halftone, minilm, calibration, tmp_path):
    """Statistics, factors and codes alike, also when the graph runs once for each group of linears."""
    files = []
    for threads, memory in ((1, "1GB"), (2, "21MB")):
        output = tmp_path / f"{threads}-{memory}.onnx"
        done = halftone("quantize", minilm, "--method=gptq", f"--calibrate={calibration}", "--samples=6", "--act-order", "--grid-search",
                        f"--threads={threads}", f"--memory={memory}", "-o", output)  # fmt: skip
        assert done.returncode == 0 and ("group 2/" in done.stderr) == (memory == "21MB"), done.stderr
        files.append(output.read_bytes())
    assert files[0] == files[1]


@pytest.fixture(scope="module")
def windows(stories15M, sharedData, tmp_path_factory):
    """64 windows of 256 tokens of the calibration text, with an empty past."""
    text = documents(sharedData / "text" / "tinystories.calib.txt")
    tokens = np.concatenate([stories15M.tokenizer.encode(document) for document in text])[: 64 * 256].reshape(64, 256)
    graph = onnx.load(stories15M.onnx, load_external_data=False).graph
    past = {value.name: np.zeros((64, 6, 0, 48), np.float32) for value in graph.input if value.name.startswith("past")}
    path = tmp_path_factory.mktemp("windows") / "windows.npz"
    np.savez(path, input_ids=tokens, attention_mask=np.ones_like(tokens), position_ids=np.tile(np.arange(256), (64, 1)), **past)
    return path


# 20 documents of the test text. Weights alone, the head as it was: ../shared/data/README.md gives .0745 and .0385 for the same on all 70
# (here .07454; .0400 calibrated on all windows, each linear with the inputs of the f32 model).
@pytest.mark.parametrize(("method", "least", "most"), [("rtn", 0.0760, 0.0772), ("gptq", 0.0, 0.045)])  # .0766, .0425
def test_stories15M(method, least, most, halftone, stories15M, oracle, windows, tmp_path):
    output = tmp_path / "out.onnx"
    data = [f"--calibrate={windows}"] if method == "gptq" else []
    done = halftone("quantize", stories15M.onnx, "--format=int4-g32-asym", "--formats=lm_head*:f32", f"--method={method}", *data, "-o", output, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert len(report["weights"]) == 42 and {entry["name"]: entry["reason"] for entry in report["kept"]}["lm_head.weight"] == "left alone"
    quality, model = Quality(), OnnxRuntime(output)
    for text in stories15M.documents(20):
        ids = scoredIds(stories15M.tokenizer, text)
        quality.add(logSoftmax(oracle(stories15M).logits(ids[:-1])), logSoftmax(model.logits(ids[:-1])), ids)
    assert least <= quality.meanDivergence <= most
