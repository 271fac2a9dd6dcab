"""MiniLM, an encoder of sentences: its tokenizer, sentences to calibrate on and others to judge by, and its embeddings of them."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import unicodedata

import numpy as np
import onnxruntime

CLS, SEP = 101, 102  # [CLS], [SEP]
LONGEST = 256  # tokens of a sentence, as the model's authors cut them
SAMPLES, LENGTH = 128, 64  # of the calibration data: sentences one after the other, cut, so that none is padded
JUDGED = {"wikitext2.test.txt": 70, "tinystories.test.txt": 60, "c4.txt": 70}
CALIBRATED = ("tinystories.calib.txt", "wikitext2.valid.txt", "technical.txt")


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


def judgedSentences(texts):
    """200 sentences of three kinds, from the folder `texts`."""
    chosen = [one for name, count in JUDGED.items() for one in some(sentences(texts / name), count, 1)]
    assert len(set(chosen)) == 200
    return chosen


def calibrationInputs(tokenizer, texts):
    """The arrays for --calibrate, of other texts: [CLS] sentence [SEP] sentence [SEP] .."""
    sources = [iter(some(found, len(found), 2)) for found in (sentences(texts / name) for name in CALIBRATED)]
    rows, used = [], set()
    for number in range(SAMPLES):
        row = [CLS]
        while len(row) < LENGTH:
            used.add(sentence := next(sources[number % len(sources)]))
            row += [*tokenizer.encode(sentence), SEP]
        rows.append([*row[: LENGTH - 1], SEP])
    assert used.isdisjoint(judgedSentences(texts))
    return batchOf(np.array(rows))


def batchOf(ids):
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def embeddings(path, tokens, isOptimized=False):
    """Mean-pooled and normalised, one sentence at a time; as the graph says, or with the int8 that ONNX Runtime's optimizations bring."""
    options = onnxruntime.SessionOptions()
    if not isOptimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options)
    means = [session.run(None, batchOf(np.array([[CLS, *ids[: LONGEST - 2], SEP]])))[0][0].mean(0) for ids in tokens]
    return np.array([mean / np.linalg.norm(mean) for mean in means])


def cosines(one, other):
    """Of embeddings with the same sentences' others."""
    return (one * other).sum(1)
