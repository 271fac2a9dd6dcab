// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each thread of a team takes the next prompt until there is none; texts that are done wait for those before them.
#include "lib/runtime/Batch.h"

#include "lib/runtime/Clock.h"

#include <algorithm>
#include <atomic>
#include <optional>

namespace halftone::runtime {
namespace {

/// A continuation as numbers.
class TokenList : public TokenSink {
public:
  explicit TokenList(std::vector<int64_t> &tokens) : tokens(tokens) {}
  Status put(int64_t token) override {
    tokens.push_back(token);
    return {};
  }
  Status finish() override { return {}; }
  bool closed() const override { return false; }

private:
  std::vector<int64_t> &tokens;
};

class Lock {
public:
  explicit Lock(pthread_mutex_t &mutex) : mutex(mutex) { pthread_mutex_lock(&mutex); }
  ~Lock() { pthread_mutex_unlock(&mutex); }

private:
  pthread_mutex_t &mutex;
};

class Batch {
public:
  Batch(const Facts &facts, const Variant &variant, const void *weights, std::span<const Prompt> prompts,
        const BatchOptions &options, BatchSink &sink)
      : facts(facts), variant(variant), weights(weights), prompts(prompts), options(options), sink(sink),
        texts(prompts.size()) {}

  Expected<Generation> run();

private:
  struct Text {
    std::vector<int64_t> tokens;
    bool isDone = false;
  };

  void work();
  Status continuePrompt(Session &session, size_t index);
  Status finish(size_t index, const Generation &generation, std::vector<int64_t> tokens);
  void fail(size_t index, Error error);

  const Facts &facts;
  const Variant &variant;
  const void *weights;
  std::span<const Prompt> prompts;
  const BatchOptions &options;
  BatchSink &sink;

  int64_t threadsOfEach = 1;
  std::atomic<size_t> next = 0;
  std::atomic<bool> ended = false;                   // no further prompt is begun
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // of what follows
  std::vector<Text> texts;
  size_t written = 0;
  Generation sum;
  size_t failedIndex = SIZE_MAX;
  std::optional<Error> error; // of the first prompt that failed
};

} // namespace

void Batch::fail(size_t index, Error newError) {
  const Lock lock(mutex);
  ended = true;
  if (index >= failedIndex)
    return;
  failedIndex = index;
  error = std::move(newError);
}

/// Counts a text and writes what is not waiting for an earlier one.
Status Batch::finish(size_t index, const Generation &generation, std::vector<int64_t> tokens) {
  const Lock lock(mutex);
  sum.newTokens += generation.newTokens;
  sum.drawn += generation.drawn;
  sum.interrupted |= generation.interrupted;
  texts[index] = {std::move(tokens), !generation.interrupted};
  for (; written < texts.size() && texts[written].isDone && !sink.closed(); ++written) {
    if (Status put = sink.put(prompts[written], texts[written].tokens); !put)
      return put;
    texts[written].tokens = {};
  }
  if (sum.interrupted || sink.closed())
    ended = true;
  return {};
}

Status Batch::continuePrompt(Session &session, size_t index) {
  SamplerOptions sampling = options.sampler;
  sampling.seed += index;
  Sampler sampler(sampling);
  std::vector<int64_t> tokens;
  TokenList list(tokens);
  session.restart();
  const Expected<Generation> generation = generate(session, prompts[index].tokens, options.generate, sampler, list);
  return generation ? finish(index, *generation, std::move(tokens)) : generation.error();
}

void Batch::work() {
  Expected<Session> session = Session::create(facts, variant, weights, options.context, threadsOfEach);
  if (!session)
    return fail(0, session.error());
  for (size_t index = 0; !ended && (index = next++) < prompts.size();)
    if (Status done = continuePrompt(*session, index); !done)
      fail(index, Error{"prompt " + std::to_string(index + 1) + ": " + done.error().message});
}

Expected<Generation> Batch::run() {
  const int64_t sequences = std::clamp<int64_t>(options.threads, 1, static_cast<int64_t>(prompts.size()));
  threadsOfEach = std::max<int64_t>(1, options.threads / sequences);
  Expected<std::unique_ptr<Team>> team = Team::create(sequences);
  if (!team)
    return team.error();
  const double before = now();
  (*team)->run([](void *batch, int64_t) { static_cast<Batch *>(batch)->work(); }, this);
  sum.seconds = now() - before;
  if (error)
    return *error;
  return sum;
}

Expected<Generation> generateAll(const Facts &facts, const Variant &variant, const void *weights,
                                 std::span<const Prompt> prompts, const BatchOptions &options, BatchSink &sink) {
  return Batch(facts, variant, weights, prompts, options, sink).run();
}

} // namespace halftone::runtime
