// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks the ids, then scores and writes one chunk after the other.
#include "lib/runtime/Logits.h"

#include "lib/io/Npy.h"
#include "lib/runtime/Clock.h"

#include <algorithm>

namespace halftone::runtime {

static std::string print(const std::vector<uint64_t> &shape) {
  std::string text = "[";
  for (const uint64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

static Expected<std::vector<int64_t>> readIds(const std::string &path, const Session &session) {
  Expected<io::NpyArray> array = io::NpyArray::open(path);
  if (!array)
    return array.error();
  const std::vector<uint64_t> &shape = array->shape();
  if (shape.size() != 1 && !(shape.size() == 2 && shape[0] == 1))
    return Error{path + ": the shape is " + print(shape) + ", token ids of one text have [n] or [1, n]"};
  Expected<std::vector<int64_t>> ids = array->integers();
  if (!ids)
    return ids;
  if (ids->empty())
    return Error{path + ": no token ids"};
  if (static_cast<int64_t>(ids->size()) > session.context())
    return Error{path + ": " + std::to_string(ids->size()) + " token ids, the context holds " +
                 std::to_string(session.context())};
  for (size_t place = 0; place < ids->size(); ++place)
    if ((*ids)[place] < 0 || (*ids)[place] >= session.vocabulary())
      return Error{path + ": element " + std::to_string(place) + " is " + std::to_string((*ids)[place]) +
                   ", outside the vocabulary of " + std::to_string(session.vocabulary())};
  return ids;
}

Expected<Scoring> scoreFile(Session &session, const std::string &ids, const std::string &output,
                            bool (*interrupted)()) {
  const Expected<std::vector<int64_t>> tokens = readIds(ids, session);
  if (!tokens)
    return tokens.error();
  Expected<io::NpyWriter> writer = io::NpyWriter::create(
      output, io::NpyType::float32, {tokens->size(), static_cast<uint64_t>(session.vocabulary())}, {.inputs = {ids}});
  if (!writer)
    return writer.error();
  Scoring result;
  std::span<const int64_t> rest = *tokens;
  while (!rest.empty()) {
    if (interrupted && interrupted()) {
      result.interrupted = true;
      return result;
    }
    const size_t size = std::min(rest.size(), static_cast<size_t>(session.chunk()));
    const double before = now();
    const Expected<std::span<const float>> logits = session.score(rest.first(size));
    if (!logits)
      return logits.error();
    result.seconds += now() - before;
    if (Status written = writer->write(logits->data(), logits->size_bytes()); !written)
      return written.error();
    result.tokens += static_cast<int64_t>(size);
    rest = rest.subspan(size);
  }
  if (Status committed = writer->commit(); !committed)
    return committed.error();
  return result;
}

} // namespace halftone::runtime
