// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prompt by chunks, then one decode, one draw, one token shown.
#include "lib/runtime/Generate.h"

#include "lib/runtime/Clock.h"

#include <algorithm>

namespace halftone::runtime {

Status TextSink::put(int64_t token) {
  std::string bytes, text;
  if (Status status = tokenizer.decode(token, state, bytes); !status)
    return status;
  filter.feed(bytes, text);
  return output.write(text);
}

Status TextSink::finish() {
  std::string text;
  filter.finish(text);
  return output.write(text);
}

Status NumberSink::put(int64_t token) { return output.write(" " + std::to_string(token)); }

Status checkPrompt(std::span<const int64_t> prompt, int64_t context) {
  if (prompt.empty())
    return Error{"the prompt is empty, and no token begins a text of its own"};
  if (static_cast<int64_t>(prompt.size()) > context)
    return Error{"the prompt has " + std::to_string(prompt.size()) + " tokens, the context holds " +
                 std::to_string(context)};
  return {};
}

/// Everything but the last token goes into the cache; false when interrupted.
static bool readPrompt(Session &session, std::span<const int64_t> prompt, bool (*interrupted)()) {
  std::span<const int64_t> rest = prompt.first(prompt.size() - 1);
  while (!rest.empty()) {
    if (interrupted && interrupted())
      return false;
    const size_t size = std::min(rest.size(), static_cast<size_t>(session.chunk()));
    session.prefill(rest.first(size));
    rest = rest.subspan(size);
  }
  return true;
}

static int64_t mostNewTokens(const GenerateOptions &options, int64_t room) {
  return options.newTokens ? std::min(*options.newTokens, room) : room;
}

Expected<Generation> generate(Session &session, std::span<const int64_t> prompt, const GenerateOptions &options,
                              Sampler &sampler, TokenSink &sink) {
  if (Status status = checkPrompt(prompt, session.context()); !status)
    return status.error();
  Generation result;
  const int64_t most = mostNewTokens(options, session.context() - static_cast<int64_t>(prompt.size()));
  result.interrupted = most > 0 && !readPrompt(session, prompt, options.interrupted);
  int64_t token = prompt.back();
  while (result.newTokens < most && !result.interrupted && !sink.closed()) {
    const double before = now();
    const std::span<const float> logits = session.decode(token);
    Expected<int64_t> drawn = sampler.sample(logits.first(static_cast<size_t>(options.drawable)));
    result.seconds += now() - before;
    if (!drawn)
      return drawn.error();
    token = *drawn;
    ++result.drawn;
    if (std::find(options.stopTokens.begin(), options.stopTokens.end(), token) != options.stopTokens.end())
      break;
    ++result.newTokens;
    if (Status status = sink.put(token); !status)
      return status.error();
    result.interrupted = options.interrupted && options.interrupted();
  }
  if (Status status = sink.finish(); !status)
    return status.error();
  return result;
}

} // namespace halftone::runtime
