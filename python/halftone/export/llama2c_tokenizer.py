"""python -m halftone.export.llama2c_tokenizer TOKENIZER.bin -o TOKENIZER.model: llama2.c's tokenizer.bin as a SentencePiece model.

tokenizer.bin holds (score, text) per token and nothing else; what it leaves out is fixed by Llama 2: byte-pair merges by score,
tokens 0 to 2 are <unk>, <s>, </s>, tokens 3 to 258 the bytes, no normalization, a space in front of the text.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import struct
import sys
from pathlib import Path

from sentencepiece import sentencepiece_model_pb2 as sentencepiece

SPACE = "\u2581"  # SentencePiece writes a space as this
SPECIAL = ["<unk>", "<s>", "</s>"]
FIRST_BYTE, BYTES = 3, 256


class TokenizerError(Exception):
    """A tokenizer that cannot be read or does not fit the model; the message names the file."""


def readPieces(path, raw):
    """The (score, text) pairs of a tokenizer.bin."""
    pieces, offset = [], 4  # int32: the longest text's length, first
    while offset < len(raw):
        if offset + 8 > len(raw):
            raise TokenizerError(f"{path}: byte {offset}: token {len(pieces)} is cut short")
        score, length = struct.unpack_from("<fi", raw, offset)
        offset += 8
        if length < 0 or offset + length > len(raw):
            raise TokenizerError(f"{path}: byte {offset}: token {len(pieces)} has {length} bytes, the file {len(raw) - offset} more")
        pieces.append((score, raw[offset : offset + length]))
        offset += length
    if len(pieces) < FIRST_BYTE + BYTES:
        raise TokenizerError(f"{path}: {len(pieces)} tokens; a llama2.c tokenizer has at least {FIRST_BYTE + BYTES}")
    return pieces


def convert(path, raw):
    """The SentencePiece model of a tokenizer.bin."""
    model = sentencepiece.ModelProto()
    for token, (score, text) in enumerate(readPieces(path, raw)):
        model.pieces.add(score=score, **_piece(path, token, text))
    _settings(model)
    return model


def _piece(path, token, text):
    kinds = sentencepiece.ModelProto.SentencePiece
    if token < len(SPECIAL):
        return {"piece": SPECIAL[token], "type": kinds.CONTROL if token else kinds.UNKNOWN}
    if token < FIRST_BYTE + BYTES:
        return {"piece": f"<0x{token - FIRST_BYTE:02X}>", "type": kinds.BYTE}
    try:
        return {"piece": text.decode().replace(" ", SPACE)}
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{path}: token {token} is no UTF-8") from error


def _settings(model):
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = sentencepiece.TrainerSpec.BPE
    trainer.vocab_size = len(model.pieces)
    trainer.byte_fallback = trainer.split_digits = True
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = 0, 1, 2, -1
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = normalizer.escape_whitespaces = True
    normalizer.remove_extra_whitespaces = False
    normalizer.precompiled_charsmap = b""


def writeTokenizer(source, target, vocabulary=None):
    """Writes `source` (tokenizer.bin, or a SentencePiece model, which is copied) to `target`; checks its size against `vocabulary`."""
    raw = Path(source).read_bytes()
    content = raw if _isSentencePiece(raw) else convert(source, raw).SerializeToString(deterministic=True)
    tokens = len(sentencepiece.ModelProto.FromString(content).pieces)
    if vocabulary is not None and tokens != vocabulary:
        raise TokenizerError(f"{source}: {tokens} tokens, the model has {vocabulary}")
    target = Path(target)
    if not (target.exists() and target.samefile(source)):
        target.write_bytes(content)
    return target


def _isSentencePiece(raw):
    try:
        return len(sentencepiece.ModelProto.FromString(raw).pieces) > 0
    except Exception:  # protobuf's DecodeError lives in different modules in its versions
        return False


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m halftone.export.llama2c_tokenizer", description=__doc__)
    parser.add_argument("tokenizer", help="llama2.c's tokenizer.bin")
    parser.add_argument("-o", "--output", required=True, help="the tokenizer.model to write")
    options = parser.parse_args(arguments)
    try:
        writeTokenizer(options.tokenizer, options.output)
    except TokenizerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or options.output}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
