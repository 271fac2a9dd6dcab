// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// include/halftone/session.h over Session: checks what comes from outside, and turns errors into codes and texts.
#include "halftone/session.h"

#include "lib/runtime/Session.h"
#include "lib/runtime/Variant.h"

#include <algorithm>
#include <cstring>

using namespace halftone;
using namespace halftone::runtime;

struct halftone_session {
  Session session;
};

static int fail(int status, const std::string &message, halftone_error *error) {
  if (error) {
    const size_t length = std::min(message.size(), sizeof(error->message) - 1);
    std::memcpy(error->message, message.data(), length);
    error->message[length] = 0;
  }
  return status;
}

static int checkTokens(const Session &session, const int64_t *tokens, int64_t count, halftone_error *error) {
  if (count < 0)
    return fail(HALFTONE_BAD_ARGUMENT, std::to_string(count) + " tokens are no number of tokens", error);
  if (count > session.context() - session.past())
    return fail(HALFTONE_FULL,
                std::to_string(count) + " tokens more than the " + std::to_string(session.past()) +
                    " there are exceed the session's context of " + std::to_string(session.context()),
                error);
  for (int64_t i = 0; i < count; ++i)
    if (tokens[i] < 0 || tokens[i] >= session.vocabulary())
      return fail(HALFTONE_BAD_ARGUMENT,
                  "token " + std::to_string(tokens[i]) + " is not one of the model's " +
                      std::to_string(session.vocabulary()),
                  error);
  return HALFTONE_OK;
}

/// Calls `append` with the tokens, a chunk at a time.
template <class Append>
static int inChunks(Session &session, const int64_t *tokens, int64_t count, Append append) {
  for (int64_t first = 0; first < count; first += session.chunk())
    if (const int status = append(first, std::span(tokens + first, std::min(session.chunk(), count - first))); status)
      return status;
  return HALFTONE_OK;
}

extern "C" {

int halftone_describe(const halftone_model *model, halftone_properties *properties, halftone_error *error) {
  const Facts &facts = *model->facts;
  if (Status status = checkFacts(facts); !status)
    return fail(HALFTONE_UNSUPPORTED, status.error().message, error);
  const char *segment = static_cast<const char *>(model->weights);
  *properties = {.vocabulary = facts.vocabulary,
                 .context = facts.context,
                 .parameters = facts.parameters,
                 .weight_bytes = facts.weight_bytes,
                 .info = segment + facts.info_offset,
                 .info_bytes = facts.info_bytes,
                 .tokenizer = facts.tokenizer_bytes ? segment + facts.tokenizer_offset : nullptr,
                 .tokenizer_bytes = facts.tokenizer_bytes};
  return HALFTONE_OK;
}

int halftone_create(const halftone_model *model, const halftone_options *options, halftone_session **session,
                    halftone_error *error) {
  const Facts &facts = *model->facts;
  if (Status status = checkFacts(facts); !status)
    return fail(HALFTONE_UNSUPPORTED, status.error().message, error);
  const int64_t context = options && options->context ? options->context : facts.context;
  if (context < 1 || context > facts.context)
    return fail(HALFTONE_BAD_ARGUMENT,
                "a context of " + std::to_string(context) + " is not between 1 and the model's " +
                    std::to_string(facts.context),
                error);
  const int64_t threads =
      options && options->threads ? options->threads : std::min(availableProcessors(), Team::mostThreads);
  if (threads < 1 || threads > Team::mostThreads)
    return fail(HALFTONE_BAD_ARGUMENT,
                std::to_string(threads) + " threads are not between 1 and " + std::to_string(Team::mostThreads), error);
  const Expected<const Variant *> variant = chooseVariant(model->variants, probeFeatures());
  if (!variant)
    return fail(HALFTONE_UNSUPPORTED, variant.error().message, error);
  Expected<Session> created = Session::create(facts, **variant, model->weights, context, threads);
  if (!created)
    return fail(HALFTONE_NO_RESOURCES, created.error().message, error);
  *session = new halftone_session{std::move(*created)};
  return HALFTONE_OK;
}

int halftone_prefill(halftone_session *session, const int64_t *tokens, int64_t count, halftone_error *error) {
  Session &inner = session->session;
  if (const int status = checkTokens(inner, tokens, count, error); status)
    return status;
  return inChunks(inner, tokens, count, [&](int64_t, std::span<const int64_t> chunk) {
    inner.prefill(chunk);
    return HALFTONE_OK;
  });
}

int halftone_decode(halftone_session *session, int64_t token, float *logits, halftone_error *error) {
  Session &inner = session->session;
  if (const int status = checkTokens(inner, &token, 1, error); status)
    return status;
  std::ranges::copy(inner.decode(token), logits);
  return HALFTONE_OK;
}

int halftone_run(halftone_session *session, const int64_t *tokens, int64_t count, float *logits,
                 halftone_error *error) {
  Session &inner = session->session;
  if (const int status = checkTokens(inner, tokens, count, error); status)
    return status;
  const int64_t before = inner.past();
  return inChunks(inner, tokens, count, [&](int64_t first, std::span<const int64_t> chunk) -> int {
    const Expected<std::span<const float>> scored = inner.score(chunk);
    if (!scored) {
      inner.rewind(before);
      return fail(HALFTONE_NO_RESOURCES, scored.error().message, error);
    }
    std::ranges::copy(*scored, logits + first * inner.vocabulary());
    return HALFTONE_OK;
  });
}

int64_t halftone_length(const halftone_session *session) { return session->session.past(); }

int halftone_rewind(halftone_session *session, int64_t length, halftone_error *error) {
  if (length < 0 || length > session->session.past())
    return fail(HALFTONE_BAD_ARGUMENT,
                "a sequence of " + std::to_string(session->session.past()) + " tokens has no first " +
                    std::to_string(length),
                error);
  session->session.rewind(length);
  return HALFTONE_OK;
}

void halftone_free(halftone_session *session) { delete session; }

} // extern "C"
