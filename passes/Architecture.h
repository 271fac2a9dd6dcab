// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the import stage recognised in a decoder, in numbers. Includes nothing of MLIR.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace halftone {

struct Rope {
  /// Channels of a head that are rotated.
  int64_t channels = 0;
  /// Whether pairs are neighbours (2i, 2i + 1) or half a rotation apart (i, i + channels / 2).
  bool interleaved = false;
  /// The base of the angles position * base^(-2i / channels); nothing when they follow another law.
  std::optional<double> base;
};

struct Architecture {
  int64_t layers = 0, hidden = 0, heads = 0, kvHeads = 0, headSize = 0, vocabulary = 0, context = 0;
  std::optional<Rope> rope;
  /// Whether the head is the embedding.
  bool tied = false;
  /// How many linear layers there are of each size, [outputs, inputs].
  std::map<std::pair<int64_t, int64_t>, int64_t> linears;
};

} // namespace halftone
