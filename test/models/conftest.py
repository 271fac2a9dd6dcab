"""The models that end-to-end tests compile, and the compiler's command line. What cannot be had is skipped, visibly."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from byte_tokenizer import byteTokenizer
from protocol import Binary, OnnxRuntime, Tokenizer, documents
from synthetic import TINY, writeCheckpoint

from halftone.export import llama2c


@dataclass(frozen=True)
class Model:
    """An ONNX model with its tokenizer, the file of documents to measure it on (None: the prompts serve) and its context."""

    name: str
    onnx: Path
    tokenizerPath: Path
    checkpoint: Path
    text: Path | None
    prompts: tuple
    context: int
    newTokens: int = 200  # of a greedy continuation: prompt and these fit the context

    @property
    def tokenizer(self):
        return Tokenizer(self.tokenizerPath)

    def documents(self, count=None):
        return (documents(self.text) if self.text else list(self.prompts))[:count]


PROMPTS = (
    "Once upon a time",
    "Lily and Ben went to the park",
    "The little dog was sad because",
    "One day, a boy named Tim",
    "Mom said,",
    "The sun was hot and the bird",
    "There was a big red ball",
    "\"I don't want to share,\" said",
    "In the garden, a tiny frog",
    "Sara has a new toy",
)


@pytest.fixture(scope="session")
def halftone(tool):
    """Runs `halftone ARGUMENTS...`; the tests of the compiler are skipped where it has not been built."""

    def call(*arguments, prefix=(), **options):
        options = {"capture_output": True, "text": True, "timeout": 600, **options}
        return subprocess.run([*prefix, str(tool), *map(str, arguments)], **options)

    return call


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory):
    """synthetic(name, config): a random model with a tokenizer of bytes and a few letters. Needs no data at all."""

    def make(name, config):
        folder = tmp_path_factory.mktemp(name)
        checkpoint = writeCheckpoint(folder / f"{name}.bin", config)
        tokenizer = folder / "tokenizer.model"
        tokenizer.write_bytes(byteTokenizer(config.vocabulary))
        onnx = llama2c.export(checkpoint, folder / f"{name}.onnx")[0]
        return Model(name, onnx, tokenizer, checkpoint, None, ("ABBA", "C", "BA CAB"), config.context, 40)

    return make


@pytest.fixture(scope="session")
def tiny(synthetic):
    return synthetic("tiny", TINY)


@pytest.fixture(scope="session")
def stories260K(sharedData, tmp_path_factory):
    folder, source = tmp_path_factory.mktemp("stories260K"), sharedData / "stories260K"
    onnx, tokenizer = llama2c.export(source / "stories260K.bin", folder / "stories260K.onnx", source / "tok512.model")
    text = sharedData / "text" / "tinystories.test.txt"
    return Model("stories260K", onnx, tokenizer, source / "stories260K.bin", text, PROMPTS, 512)


@pytest.fixture(scope="session")
def stories15M(root):
    done = subprocess.run(["scripts/get_stories15M.sh"], cwd=root, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"stories15M cannot be had: {done.stderr.strip().splitlines()[-1]}")
    demo, text = root / "demo", root.parent / "shared" / "data" / "text" / "tinystories.test.txt"
    text = text if text.exists() else None
    return Model("stories15M", demo / "stories15M.onnx", demo / "tokenizer.model", demo / "stories15M.bin", text, PROMPTS, 256)


@pytest.fixture(scope="session")
def model(request):
    """The model that the test is parametrized with, by name: @pytest.mark.parametrize("model", [...], indirect=True)."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def compiled(halftone, tmp_path_factory):
    """compiled(model, format, *options): the emitted executable, made once per session."""
    made, folder = {}, tmp_path_factory.mktemp("compiled")

    def compile(model, format, *options):
        key = (model.name, format, options)
        if key not in made:
            output = folder / f"{len(made)}-{model.name}-{format}"
            done = halftone("compile", model.onnx, f"--tokenizer={model.tokenizerPath}", f"--format={format}", *options, "-o", output)
            assert done.returncode == 0, done.stderr
            made[key] = Binary(output)
        return made[key]

    return compile


@pytest.fixture(scope="session")
def oracle():
    """oracle(model): ONNX Runtime on the model's file, one session per model."""
    return functools.cache(lambda model: OnnxRuntime(model.onnx))


@pytest.fixture(scope="session")
def stories(oracle):
    """stories(model): for each of its prompts the ids, and ONNX Runtime's greedy continuation of them, prompt included."""

    @functools.cache
    def tell(model):
        prompts = [model.tokenizer.encode(prompt) for prompt in model.prompts]
        return [(ids, ids + oracle(model).greedy(ids, model.newTokens)) for ids in prompts]

    return tell
