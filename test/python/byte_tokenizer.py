"""A tokenizer for tests, made of nothing."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from sentencepiece import sentencepiece_model_pb2

from halftone.export.llama2c_tokenizer import FIRST_BYTE, SPECIAL


def byteTokenizer(vocabulary):
    """A SentencePiece byte-pair model: specials, bytes, then single letters up to `vocabulary`."""
    model = sentencepiece_model_pb2.ModelProto()
    kinds = sentencepiece_model_pb2.ModelProto.SentencePiece
    for token, text in enumerate(SPECIAL):
        model.pieces.add(piece=text, score=0, type=kinds.CONTROL if token else kinds.UNKNOWN)
    for byte in range(256):
        model.pieces.add(piece=f"<0x{byte:02X}>", score=0, type=kinds.BYTE)
    for number in range(vocabulary - FIRST_BYTE - 256):
        model.pieces.add(piece="\u2581" if number == 0 else chr(ord("A") + number), score=-number)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.byte_fallback, trainer.vocab_size = 2, True, vocabulary
    normalizer.name, normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces = "identity", True, False
    return model.SerializeToString(deterministic=True)
