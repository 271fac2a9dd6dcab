// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop that continues a prompt, token by token.
#pragma once

#include "lib/runtime/Sampler.h"
#include "lib/runtime/Session.h"
#include "lib/runtime/Stream.h"
#include "lib/tokenizer/Tokenizer.h"

#include <optional>
#include <span>
#include <vector>

namespace halftone::runtime {

/// Where new tokens go.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  /// Shows one token.
  virtual Status put(int64_t token) = 0;
  /// Shows what is held back; no token follows.
  virtual Status finish() = 0;
  /// Nobody reads any more.
  virtual bool closed() const = 0;
};

/// Tokens as text, in whole characters.
class TextSink : public TokenSink {
public:
  /// \param atStart whether no text precedes, so that the first token's leading space is to be dropped.
  TextSink(Output &output, const tokenizer::Tokenizer &tokenizer, bool atStart) : output(output), tokenizer(tokenizer) {
    state.atStart = atStart;
  }
  Status put(int64_t token) override;
  Status finish() override;
  bool closed() const override { return output.closed(); }

private:
  Output &output;
  const tokenizer::Tokenizer &tokenizer;
  tokenizer::DecodeState state;
  CharacterFilter filter;
};

/// Tokens as numbers, each with a space before it: the prompt's stand there already.
class NumberSink : public TokenSink {
public:
  explicit NumberSink(Output &output) : output(output) {}
  Status put(int64_t token) override;
  Status finish() override { return {}; }
  bool closed() const override { return output.closed(); }

private:
  Output &output;
};

struct GenerateOptions {
  /// Most new tokens; without a value as many as the context holds.
  std::optional<int64_t> newTokens;
  /// Tokens that end the text and are not shown.
  std::vector<int64_t> stopTokens;
  /// Only the first so many logits can be drawn: tokens that the sink can show.
  int64_t drawable = 0;
  /// Asked between tokens; true ends the text.
  bool (*interrupted)() = nullptr;
};

struct Generation {
  int64_t newTokens = 0; ///< shown
  int64_t drawn = 0;     ///< including a stop token
  double seconds = 0;    ///< spent drawing them: model and sampler, without the prompt and the output
  bool interrupted = false;
};

/// Whether a prompt of these tokens can be continued: it is not empty and not longer than the context.
Status checkPrompt(std::span<const int64_t> prompt, int64_t context);

/// Runs `prompt` through an empty session and continues it. Each token of the prompt is below the vocabulary. Ends at a
/// stop token, after newTokens, when prompt and continuation fill the context, when interrupted, or when the sink is
/// closed. Fails when the prompt is empty or longer than the context, when logits are not numbers, and when the sink
/// cannot write.
Expected<Generation> generate(Session &session, std::span<const int64_t> prompt, const GenerateOptions &options,
                              Sampler &sampler, TokenSink &sink);

} // namespace halftone::runtime
