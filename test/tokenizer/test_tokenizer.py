"""Halftone's tokenizer against the library sentencepiece: the same ids for every line, the same text back, for real models and for
models trained here with other settings. A text that differs fails with its own bytes."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import io
import os
import subprocess
import time
from pathlib import Path

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["wikitext2.test.txt", "code.txt", "c4.txt", "technical.txt", "tinystories.test.txt"]
MODELS = ["llama2-tokenizer.model", "stories260K/tok512.model"]
BUILDS = [Path(os.environ["HALFTONE_BUILD"])] if "HALFTONE_BUILD" in os.environ else [ROOT / "build", ROOT / "build-sanitize"]

EDGE_CASES = [
    b"", b" ", b"  ", b"   leading", b"trailing   ", b"in   the    middle", b"\t\ttabs\t", b"a\0b\0", b"\0", b"\r\r",
    "\u2581".encode(), "\u2581\u2581word\u2581".encode(), " \u2581 \u2581 ".encode(),
    "\U0001f600\U0001f469\u200d\U0001f4bb\U0001f1e9\U0001f1ea".encode(), "e\u0301a\u0308\u0323 \u0e01\u0e34".encode(),
    "\u6f22\u5b57\u304b\u306a \ud55c\uad6d\uc5b4 \u0627\u0644\u0639".encode(), "\ufb01\u2460\uff21\u212b\u00bd\u3000\u00a0x".encode(),
    b"\xff\xfe", b"\xc3", b"\xe2\x96", b"\xf0\x9f\x98", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\x80\x80 ok",
    "\ufffd\ufeff\U0010ffff".encode(), b"<s></s><unk><0x41><0x0A>", b"x" * 3000, b"ab" * 4000, "\u00e9".encode() * 2000, b" " * 3000,
    b"Once upon a time, there was a little girl named Lily." * 50, b"1234567890 3.14159e-10 0xdeadbeef",
]


@pytest.fixture(params=[build for build in BUILDS if (build / "test/tokenizer/tokenize").exists()] or [None], ids=str)
def tokenize(request):
    """Runs the command `tokenize` of each build there is."""
    assert request.param, f"no build holds test/tokenizer/tokenize; looked in {[str(build) for build in BUILDS]}"

    def run(model, mode, data):
        result = subprocess.run([request.param / "test/tokenizer/tokenize", model, mode], input=data, capture_output=True)
        return result.returncode, result.stdout, result.stderr.decode(errors="replace")

    return run


def encodeLines(tokenize, model, lines):
    code, output, error = tokenize(model, "lines", b"\n".join(lines) + b"\n")
    assert code == 0, error
    return [[int(word) for word in line.split()] for line in output.decode().split("\n")[:-1]]


def replaceInvalid(data):
    """UTF-8 with each byte that belongs to no character read as U+FFFD, as sentencepiece does (Python replaces runs of bytes)."""
    return data.decode("utf-8", errors="surrogateescape").translate({0xDC00 + byte: "\ufffd" for byte in range(128, 256)})


def check(tokenize, model, lines):
    """Ids and decoded texts of all lines (bytes without newline) agree with the library's."""
    library = sentencepiece.SentencePieceProcessor(model_file=str(model))
    ours = encodeLines(tokenize, model, lines)
    wanted = [library.encode(line) for line in lines]
    assert len(ours) == len(wanted)
    for line, got, want in zip(lines, ours, wanted):
        assert got == want, line
    code, output, error = tokenize(model, "decode", "".join(" ".join(map(str, ids)) + "\n" for ids in wanted).encode())
    assert code == 0, error
    texts = [bytes.fromhex(line) for line in output.decode().split("\n")[:-1]]
    for ids, got in zip(wanted, texts):
        assert replaceInvalid(got) == library.decode(ids), ids
    return sum(map(len, wanted))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("model", MODELS)
def test_same_ids_on_every_line(tokenize, sharedData, model, text):
    lines = (sharedData / "text" / text).read_bytes().split(b"\n")
    assert check(tokenize, sharedData / model, lines) > 10000


@pytest.mark.parametrize("model", MODELS)
def test_edge_cases(tokenize, sharedData, model):
    check(tokenize, sharedData / model, EDGE_CASES)


@pytest.mark.parametrize("model", MODELS)
def test_a_megabyte_as_one_text_in_little_time(tokenize, sharedData, model):
    library = sentencepiece.SentencePieceProcessor(model_file=str(sharedData / model))
    data = (sharedData / "text" / "wikitext2.test.txt").read_bytes()[:1_000_000]
    start = time.monotonic()
    code, output, error = tokenize(sharedData / model, "whole", data)
    seconds = time.monotonic() - start
    assert code == 0, error
    assert [int(word) for word in output.split()] == library.encode(data)
    assert seconds < 10  # 1 s is the aim; sanitizers and a busy machine are allowed for, quadratic time is not


@pytest.mark.parametrize("name", ["unigram-nmt_nfkc", "unigram-identity-bytes"])
def test_a_megabyte_through_unigram(tokenize, trained, name):
    """Long enough for the sum of scores to be counted from zero again several times."""
    library = sentencepiece.SentencePieceProcessor(model_file=str(trained(name)))
    data = "\n".join(trainingLines() * 40).encode()[:1_000_000]
    code, output, error = tokenize(trained(name), "whole", data)
    assert code == 0, error
    assert [int(word) for word in output.split()] == library.encode(data)


def test_every_id_decodes_alone_and_after_another(tokenize, sharedData):
    model = sharedData / MODELS[0]
    library = sentencepiece.SentencePieceProcessor(model_file=str(model))
    sequences = [[token] for token in range(len(library))] + [[15043, token] for token in range(len(library))]
    code, output, error = tokenize(model, "decode", "".join(" ".join(map(str, ids)) + "\n" for ids in sequences).encode())
    assert code == 0, error
    for ids, line in zip(sequences, output.decode().split("\n")):
        assert replaceInvalid(bytes.fromhex(line)) == library.decode(ids), ids


# What the two real models do not use, one training run each.
SETTINGS = {
    "unigram-nmt_nfkc": dict(model_type="unigram", vocab_size=800),
    "unigram-identity-bytes": dict(model_type="unigram", vocab_size=900, byte_fallback=True, normalization_rule_name="identity"),
    "unigram-nfkc_cf-symbols": dict(
        model_type="unigram", vocab_size=800, normalization_rule_name="nfkc_cf", user_defined_symbols=["<sep>", "the", "q u", "\u2460"]),
    "unigram-suffix": dict(model_type="unigram", vocab_size=800, treat_whitespace_as_suffix=True),
    "bpe-nmt_nfkc": dict(model_type="bpe", vocab_size=800),
    "bpe-symbols-spaces": dict(
        model_type="bpe", vocab_size=800, user_defined_symbols=["<sep>", "<sep><sep>", "ing", "  "], remove_extra_whitespaces=False),
    "bpe-no-prefix": dict(model_type="bpe", vocab_size=800, add_dummy_prefix=False, bos_id=-1, normalization_rule_name="nfkc"),
    "bpe-suffix-bytes": dict(model_type="bpe", vocab_size=900, treat_whitespace_as_suffix=True, byte_fallback=True),
}


def trainingLines():
    """Text in several scripts that is here without development data: this project's own documentation and sources."""
    files = sorted(path for folder in ("lib", "include", "test/tokenizer") for path in (ROOT / folder).rglob("*.[hcp]*"))
    lines = [line for path in files for line in path.read_text(encoding="utf-8", errors="ignore").split("\n") if line.strip()]
    return lines + [case.decode(errors="ignore").replace("\0", "") for case in EDGE_CASES] * 3


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, done = tmp_path_factory.mktemp("models"), {}

    def train(name):
        if name not in done:
            content = io.BytesIO()
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(trainingLines()), model_writer=content, hard_vocab_limit=False, num_threads=2,
                max_sentence_length=100000, minloglevel=2, **SETTINGS[name])
            done[name] = folder / f"{name}.model"
            done[name].write_bytes(content.getvalue())
        return done[name]

    return train


def mixedLines():
    return [line.encode() for line in trainingLines()[::3]] + EDGE_CASES + [
        b"a<sep>b<sep><sep>c the<sep>ing  ing", "\u2460 q u \u2460\u2461 QUEEN".encode(), b"  the  <sep>  "]


@pytest.mark.parametrize("name", SETTINGS)
def test_trained_models(tokenize, trained, name):
    assert check(tokenize, trained(name), mixedLines()) > 3000


@pytest.mark.parametrize("name", ["unigram-nmt_nfkc", "bpe-nmt_nfkc"])
def test_unused_pieces_are_taken_apart_again(tokenize, trained, tmp_path, name):
    model = proto.ModelProto.FromString(trained(name).read_bytes())
    for piece in list(model.pieces)[3::3]:
        if piece.type == proto.ModelProto.SentencePiece.NORMAL and len(piece.piece) > 1:
            piece.type = proto.ModelProto.SentencePiece.UNUSED
    path = tmp_path / "unused.model"
    path.write_bytes(model.SerializeToString())
    check(tokenize, path, mixedLines())


def test_every_truncation_and_many_wrong_bytes_are_errors_or_models(tokenize, trained, tmp_path):
    """A damaged file is refused with a place, or read as another model; the command never dies of it."""
    content = trained("unigram-nmt_nfkc").read_bytes()
    damaged = [content[:size] for size in list(range(0, 60)) + list(range(60, len(content), len(content) // 40))]
    damaged += [content[:place] + bytes([content[place] ^ flip]) + content[place + 1:]
                for place in range(0, len(content), len(content) // 60) for flip in (0x01, 0x80)]
    refused = 0
    for index, data in enumerate(damaged):
        path = tmp_path / "damaged.model"
        path.write_bytes(data)
        code, _, error = tokenize(path, "lines", b"The quick brown fox\n\xe2\x91\xa0 \xff\n")
        assert code in (0, 1), (index, code, error)
        if code == 1:
            refused += 1
            assert error.startswith("error: "), error
            assert "Sanitizer" not in error
    assert refused > 60
