"""halftone quantize on real models: how close the sentence embeddings of MiniLM stay, and what ONNX Runtime computes from stories15M."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import functools
import json
import re
import subprocess
import unicodedata

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from onnx_quantized import linears
from protocol import OnnxRuntime, Quality, documents, logSoftmax, scoredIds

CLS, SEP = 101, 102  # [CLS], [SEP]
SAMPLES, LENGTH = 128, 64  # of the calibration data: sentences one after the other, cut, so that none is padded


class WordPiece:
    """BERT's tokenizer, lower case: words, then the longest pieces that are in the vocabulary [Devlin et al. 2019; Wu et al. 2016]."""

    def __init__(self, path):
        self.ids = {piece: number for number, piece in enumerate(path.read_text(encoding="utf-8").split("\n"))}

    def pieces(self, word):
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            end = next((end for end in range(len(word), start, -1) if prefix + word[start:end] in self.ids), None)
            if end is None:
                return
            yield prefix + word[start:end]
            start = end

    def encode(self, text):
        plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
        found = []
        for word in re.findall(r"[^\W_]+|[^\w\s]|_", plain):
            pieces = list(self.pieces(word))
            whole = "".join(piece.removeprefix("##") for piece in pieces) == word
            found += [self.ids[piece] for piece in pieces] if whole else [self.ids["[UNK]"]]
        return found


def sentences(path):
    text = path.read_text(encoding="utf-8").replace("<|endoftext|>", "\n")
    text = re.sub(r" @([-,.])@ ", r"\1", text)  # WikiText's spelling
    found = [part.strip() for line in text.split("\n") if not line.startswith(" =") for part in re.split(r"(?<=[.!?])\s+", line)]
    return [part for part in dict.fromkeys(found) if 6 <= len(part.split()) <= 60 and part[-1] in '.!?"']


def some(items, count, seed):
    return [items[place] for place in sorted(np.random.default_rng(seed).permutation(len(items))[:count])]


def batchOf(ids):
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def embeddings(path, tokens):
    """Mean-pooled and normalised, one sentence at a time; as the graph says, without the int8 that optimizations bring."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options)
    means = [session.run(None, batchOf(np.array([[CLS, *ids[:254], SEP]])))[0][0].mean(0) for ids in tokens]
    return np.array([mean / np.linalg.norm(mean) for mean in means])


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
    """200 sentences of three kinds of text, and the model's embeddings of them."""
    texts = {"wikitext2.test.txt": 70, "tinystories.test.txt": 60, "c4.txt": 70}
    chosen = [one for name, count in texts.items() for one in some(sentences(sharedData / "text" / name), count, 1)]
    assert len(set(chosen)) == 200
    tokens = [tokenizer.encode(sentence) for sentence in chosen]
    return tokens, embeddings(minilm, tokens)


@pytest.fixture(scope="module")
def calibration(tokenizer, sharedData, tmp_path_factory):
    """Token ids from other texts: [CLS] sentence [SEP] sentence [SEP] .."""
    texts = ["tinystories.calib.txt", "wikitext2.valid.txt", "technical.txt"]
    sources = [iter(some(found, len(found), 2)) for found in (sentences(sharedData / "text" / name) for name in texts)]
    rows = []
    for number in range(SAMPLES):
        row = [CLS]
        while len(row) < LENGTH:
            row += [*tokenizer.encode(next(sources[number % len(sources)])), SEP]
        rows.append([*row[: LENGTH - 1], SEP])
    path = tmp_path_factory.mktemp("calibration") / "sentences.npz"
    np.savez(path, **batchOf(np.array(rows)))
    return path


@pytest.fixture(scope="module")
def quantized(halftone, minilm, calibration, tmp_path_factory):
    """quantized(format, method, style): MiniLM, and the report; made once."""
    folder = tmp_path_factory.mktemp("quantized")

    @functools.cache
    def make(format, method, style="matmulnbits"):
        output = folder / f"{format}-{method}-{style}.onnx"
        data = [f"--calibrate={calibration}"] if method == "gptq" else []
        done = halftone("quantize", minilm, f"--format={format}", f"--method={method}", f"--onnx-style={style}", *data, "-o", output, "--json")
        assert done.returncode == 0, done.stderr
        return output, json.loads(done.stdout)

    return make


# Mean cosine over the 200 sentences: the bar, and under it what was measured, less room for another processor's roundings.
@pytest.mark.parametrize(("format", "method", "least"), [
    ("int8-row", "gptq", 0.999),  # 0.9998; the bar is 0.99
    ("int4-g32", "gptq", 0.98),  # 0.983; the bar is 0.97
    ("int4-g128-asym", "gptq", 0.97),  # 0.977
    ("int8-row", "rtn", 0.999),  # 0.9995
    ("int4-g32", "rtn", 0.96),  # 0.968
])  # fmt: skip
def test_sentence_embeddings(format, method, least, quantized, judged):
    tokens, expected = judged
    output, report = quantized(format, method)
    cosines = (embeddings(output, tokens) * expected).sum(1)
    print(f"{format} {method}: mean {cosines.mean():.5f}, least {cosines.min():.5f}, {report['bytes_after']} bytes")
    assert len(report["weights"]) == 36 and cosines.mean() >= least


def test_gptq_is_better_than_rounding(quantized, judged):
    tokens, expected = judged
    lost = {method: 1 - (embeddings(quantized("int4-g32", method)[0], tokens) * expected).sum(1).mean() for method in ("rtn", "gptq")}
    assert lost["gptq"] < 0.6 * lost["rtn"]  # measured: half


@pytest.mark.parametrize("style", ["matmulnbits", "qdq"])
def test_both_styles_compute_the_same_function(style, quantized, minilm, judged):
    """The graph of opset 11, raised to 21 for DequantizeLinear, against itself with the decoded matrices: what is left are the roundings
    of sums in another order, 1e-4 of values up to 4 as the exporters' graphs are held to."""
    tokens, _ = judged
    output, _ = quantized("int4-g32", "gptq", style)
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
