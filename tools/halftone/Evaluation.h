// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What `halftone eval` finds out: an executable against the model in f32, as a table and as JSON.
#pragma once

#include "lib/evaluate/Score.h"
#include "lib/evaluate/Sequences.h"
#include "tools/halftone/Executable.h"

namespace halftone::tool {

/// One executable's figures.
struct Evaluated {
  Executable executable;
  evaluate::Comparison comparison;
};

struct Evaluation {
  /// As the user named them.
  std::string model, text;
  evaluate::Cut cut;
  uint64_t sequences = 0;
  Executable reference;
  evaluate::Surprise surprise; ///< of the reference
  std::vector<Evaluated> against;

  /// Adds the next sequence: the reference's logits and each executable's. \param threads as of Executable::logits().
  Status add(const evaluate::Sequence &sequence, int64_t threads);
};

/// Lines for a person: a heading, then one line for the reference and for each executable.
std::string table(const Evaluation &evaluation);
/// One object, indented: everything of the table in full precision.
std::string json(const Evaluation &evaluation);

} // namespace halftone::tool
