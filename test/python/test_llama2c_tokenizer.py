"""tokenizer.bin to tokenizer.model: the converted model gives the ids of the SentencePiece model it came from."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import struct

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from halftone.export.llama2c_tokenizer import SPACE, TokenizerError, writeTokenizer

TEXTS = ["wikitext2.test.txt", "code.txt", "c4.txt", "technical.txt", "tinystories.test.txt"]


def tokenizerBin(model, byteText):
    """What llama2.c's tokenizer.py writes for a SentencePiece model; its versions differ in how they spell the byte tokens."""
    entries = []
    for token, piece in enumerate(model.pieces):
        text = {1: "\n<s>\n", 2: "\n</s>\n"}.get(token, piece.piece).replace(SPACE, " ")
        text = byteText(token - 3) if 3 <= token < 259 else text
        entries.append((piece.score, text.encode()))
    longest = max(len(text) for _, text in entries)
    return struct.pack("<i", longest) + b"".join(struct.pack("<fi", s, len(t)) + t for s, t in entries)


@pytest.fixture(scope="module")
def llama2(sharedData):
    return sharedData / "llama2-tokenizer.model"


@pytest.mark.parametrize("byteText", [chr, "<0x{:02X}>".format], ids=["older", "newer"])
def test_ids_are_the_originals(llama2, sharedData, tmp_path, byteText):
    original = sentencepiece_model_pb2.ModelProto.FromString(llama2.read_bytes())
    (tmp_path / "tokenizer.bin").write_bytes(tokenizerBin(original, byteText))
    path = writeTokenizer(tmp_path / "tokenizer.bin", tmp_path / "tokenizer.model", 32000)
    converted = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())
    assert list(converted.pieces) == list(original.pieces)
    want, got = (sentencepiece.SentencePieceProcessor(model_file=str(p)) for p in (llama2, path))
    for name in TEXTS:
        lines = (sharedData / "text" / name).read_text(encoding="utf-8").split("\n")
        ids = want.encode(lines)
        assert got.encode(lines) == ids
        assert got.decode(ids) == want.decode(ids)


def test_stories260K(sharedData, tmp_path):
    """The files of the model that ship together; without blanks in a row, which tok512.model alone was told to remove."""
    folder = sharedData / "stories260K"
    path = writeTokenizer(folder / "tok512.bin", tmp_path / "tokenizer.model", 512)
    want, got = (sentencepiece.SentencePieceProcessor(model_file=str(p)) for p in (folder / "tok512.model", path))
    lines = [" ".join(x.split()) for x in (sharedData / "text" / "tinystories.test.txt").read_text().split("\n")]
    assert got.encode(lines) == want.encode(lines)


def test_a_sentencepiece_model_is_copied(llama2, tmp_path):
    path = writeTokenizer(llama2, tmp_path / "tokenizer.model", 32000)
    assert path.read_bytes() == llama2.read_bytes()


def test_vocabulary_must_fit(llama2, tmp_path):
    with pytest.raises(TokenizerError, match="32000 tokens, the model has 512"):
        writeTokenizer(llama2, tmp_path / "tokenizer.model", 512)
    assert not (tmp_path / "tokenizer.model").exists()


BAD = {
    "empty": (b"", "0 tokens"),
    "cut short": (struct.pack("<ifi", 27, 0, 5) + b"<un", "byte 12: token 0 has 5 bytes, the file 3 more"),
    "negative": (struct.pack("<ifi", 27, 0, -5), "byte 12: token 0 has -5 bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tokenizer(name, tmp_path):
    content, message = BAD[name]
    (tmp_path / "bad.bin").write_bytes(content)
    with pytest.raises(TokenizerError, match=message):
        writeTokenizer(tmp_path / "bad.bin", tmp_path / "tokenizer.model")
