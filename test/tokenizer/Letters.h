// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tokenizer whose tokens can be read off a test: its bytes.
#pragma once

#include "lib/tokenizer/Tokenizer.h"

namespace halftone::test {

/// Bytes are tokens. A token begins a text, unless there is none.
class Letters : public tokenizer::Tokenizer {
public:
  explicit Letters(std::optional<int64_t> begin) : begin(begin) {}
  int64_t vocabularySize() const override { return 256; }
  std::optional<int64_t> beginToken() const override { return begin; }
  std::optional<int64_t> endToken() const override { return std::nullopt; }
  Expected<std::vector<int64_t>> encode(std::string_view text) const override {
    if (text == "bad")
      return Error{"cannot be encoded"};
    return std::vector<int64_t>(text.begin(), text.end());
  }
  Status decode(int64_t, tokenizer::DecodeState &, std::string &) const override { return {}; }

private:
  std::optional<int64_t> begin;
};

} // namespace halftone::test
