// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tokenizer of a SentencePiece file, tokenizer.model: Llama, Mistral, Gemma, T5 and many more.
#pragma once

#include "lib/tokenizer/Tokenizer.h"

namespace halftone::tokenizer {

/// Reads a SentencePiece model, BPE or unigram; gives the ids and texts that the sentencepiece library gives.
Expected<std::unique_ptr<Tokenizer>> readSentencePiece(std::string_view bytes);

} // namespace halftone::tokenizer
