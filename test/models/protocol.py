"""How figures about a language model are measured, one way for tests, the quality table and issues.

Documents one at a time, stripped; BOS + token ids, cut to 256 scored tokens, every one of them scored; KL(f32 || model) over the
whole vocabulary; means over tokens.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import sentencepiece

BOS, EOS = 1, 2
SCORED = 256  # tokens per document


class Tokenizer:
    def __init__(self, path):
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def encode(self, text):
        return [BOS, *self.pieces.encode(text)]

    def decode(self, ids):
        return self.pieces.decode([int(i) for i in ids])


def documents(path):
    """The stripped documents of a file in which lines `<|endoftext|>` separate them."""
    return [d for d in (part.strip() for part in Path(path).read_text(encoding="utf-8").split("<|endoftext|>")) if d]


def scoredIds(tokenizer, text):
    """BOS and up to 256 tokens: row i of a model's logits for [:-1] scores token i + 1."""
    return np.array(tokenizer.encode(text)[: SCORED + 1], np.int64)


class OnnxRuntime:
    """A decoder run by ONNX Runtime: the oracle at the model's boundary. Its inputs are some of token ids, mask, positions and past,
    called as optimum calls them, or as `names` translates; `headSize` is for graphs that only have a name for it."""

    def __init__(self, path, names=None, headSize=None):
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.names, self.headSize = names or {}, headSize
        self.cache = [x for x in self.session.get_inputs() if x.name.startswith("past_key_values.")]

    def logits(self, ids):
        return self._run(ids, self._empty())[0]

    def greedy(self, ids, new):
        """Up to `new` ids after `ids`; stops at EOS and at BOS, which it leaves out."""
        out, feed, past = [], np.asarray(ids), self._empty()
        while len(out) < new:
            logits, past = self._run(feed, past)
            token = int(logits[-1].argmax())
            if token in (BOS, EOS):
                break
            out.append(token)
            feed = np.array([token])
        return out

    def _empty(self):
        size = lambda x: x.shape[3] if isinstance(x.shape[3], int) else self.headSize
        return {x.name: np.zeros((1, x.shape[1], 0, size(x)), np.float32) for x in self.cache}

    def _run(self, ids, past):
        before = next(iter(past.values())).shape[2] if past else 0
        ids = np.asarray(ids, np.int64)[None]
        mask = np.ones((1, before + ids.shape[1]), np.int64)
        positions = np.arange(before, mask.shape[1], dtype=np.int64)[None]
        known = {"input_ids": ids, "attention_mask": mask, "position_ids": positions, **past}
        feeds = {x.name: known[self.names.get(x.name, x.name)] for x in self.session.get_inputs()}
        results = self.session.run(None, feeds)
        outputs = {self.names.get(x.name, x.name): y for x, y in zip(self.session.get_outputs(), results)}
        logits = outputs.pop("logits")
        rows = logits.reshape(-1, logits.shape[-1])
        return rows, {name.replace("present", "past_key_values"): x for name, x in outputs.items()}


class Binary:
    """An executable that the compiler emitted; `prefix` are words before its own, such as an emulator's."""

    def __init__(self, path, prefix=()):
        self.path, self.prefix = Path(path).resolve(), tuple(prefix)

    def run(self, *arguments, **options):
        command = [*self.prefix, str(self.path), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, timeout=300, **options)

    def greedy(self, ids, new):
        """`ids` and up to `new` more, token ids all."""
        done = self.run("--tokens", " ".join(map(str, ids)), "-n", new, "--temperature", 0)
        if done.returncode:
            raise RuntimeError(f"{self.path} --tokens: status {done.returncode}: {done.stderr.decode(errors='replace')}")
        return [int(word) for word in done.stdout.split()]

    def logits(self, ids, folder, *arguments):
        """f32 [n, vocabulary] for n ids; `folder` holds the two files meanwhile."""
        source, target = Path(folder) / "ids.npy", Path(folder) / "logits.npy"
        np.save(source, np.asarray(ids, np.int64))
        done = self.run("--logits", source, "-o", target, *arguments)
        if done.returncode:
            raise RuntimeError(f"{self.path} --logits: status {done.returncode}: {done.stderr.decode(errors='replace')}")
        return np.load(target)


def logSoftmax(logits):
    """In f32 with the sum in f64; an error of 1e-7 of the largest log-probability at most, far below any bound here."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, dtype=np.float64, keepdims=True)).astype(np.float32)


@dataclass
class Quality:
    """Sums over the scored tokens of a model against its reference."""

    tokens: int = 0
    divergence: float = 0.0  # KL(reference || model), nats
    surprise: float = 0.0  # -log p(token), nats
    agreeing: int = 0  # tokens with the same most likely token

    def add(self, reference, model, ids):
        """Both log-probabilities [n, vocabulary] for the n + 1 ids of a document."""
        self.tokens += len(model)
        self.divergence += float((np.exp(reference) * (reference - model)).sum(dtype=np.float64))
        self.surprise -= float(model[np.arange(len(model)), ids[1:]].sum(dtype=np.float64))
        self.agreeing += int((reference.argmax(-1) == model.argmax(-1)).sum())

    @property
    def meanDivergence(self):
        return self.divergence / self.tokens

    @property
    def perplexity(self):
        return float(np.exp(self.surprise / self.tokens))

    @property
    def agreement(self):
        return self.agreeing / self.tokens
