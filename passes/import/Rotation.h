// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A value that is, element by element, a rotation of pairs of an activation's channels.
#pragma once

#include "passes/import/AngleTables.h"

namespace halftone::importer {

/// Where a head's element stands, [1, heads, tokens, size] or [1, tokens, heads, size], and in the activation, whose
/// tokens have \p channels, of which the first head's begin at \p first.
struct HeadLayout {
  int64_t heads = 0, tokens = 0, size = 0;
  bool headsFirst = false;
  int64_t first = 0, channels = 0;

  int64_t headOf(int64_t position) const { return headsFirst ? position / size / tokens : position / size % heads; }
  int64_t tokenOf(int64_t position) const { return headsFirst ? position / size % tokens : position / size / heads; }
  int64_t position(int64_t head, int64_t token, int64_t channel) const {
    return (headsFirst ? head * tokens + token : token * heads + head) * size + channel;
  }
  /// The index in the activation, [tokens, channels].
  int64_t source(int64_t position) const {
    return tokenOf(position) * channels + first + headOf(position) * size + position % size;
  }
};

/// A rotation found: of which activation, in which layout, by which angles.
struct Rotation {
  mlir::Value activation;
  HeadLayout layout;
  bool interleaved = false;
  int64_t pairs = 0;
  AngleSource cosines, sines;
};

/// The rotation that \p value is, evaluated by \p evaluator with the tokens of \p binding; nothing when it is none.
std::optional<Rotation> findRotation(mlir::Value value, Binding binding, Evaluator &evaluator);

} // namespace halftone::importer
