// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to token ids and back, whatever file the model came with. The same code runs in the compiler (calibration,
// evaluation) and in the emitted binary, so it uses no streams, no locale and no exceptions.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::tokenizer {

/// What decoding one token at a time must remember of the tokens before. Start one per text.
struct DecodeState {
  /// Nothing visible was decoded yet, so a leading space that encoding added is still to be dropped.
  bool atStart = true;
};

/// A vocabulary and the rules that cut text into its pieces. Const functions may be called from many threads.
class Tokenizer {
public:
  virtual ~Tokenizer() = default;

  /// Ids are 0 .. vocabularySize() - 1.
  virtual int64_t vocabularySize() const = 0;
  /// The token a sequence begins with, when the model was trained with one; encode() does not add it.
  virtual std::optional<int64_t> beginToken() const = 0;
  /// The token after which a sequence is over.
  virtual std::optional<int64_t> endToken() const = 0;

  /// The ids of `text`, any bytes: what is not UTF-8 is read as U+FFFD, byte by byte. Fails for texts beyond 1 GiB
  /// only.
  virtual Expected<std::vector<int64_t>> encode(std::string_view text) const = 0;

  /// Appends to `bytes` what token `id` adds to the text. A character may be spread over several tokens, so the bytes
  /// of one need not be whole UTF-8. Fails when `id` is not in the vocabulary.
  virtual Status decode(int64_t id, DecodeState &state, std::string &bytes) const = 0;
};

/// Reads a tokenizer from the bytes of its file; the kind is seen from the content. The bytes must outlive the
/// tokenizer, which points into them. Errors name the byte offset at which the file is wrong.
Expected<std::unique_ptr<Tokenizer>> readTokenizer(std::string_view bytes);

} // namespace halftone::tokenizer
