// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where two modules of one model part: the first block, operation and weight. Includes nothing of MLIR.
#pragma once

#include "lib/evaluate/Sequences.h"

#include <optional>
#include <string>
#include <vector>

namespace halftone::bisect {

/// A part of a model that runs as a whole, a block or what stands between blocks, and how far its outputs are from
/// those of the first module (evaluate::Difference), when each module goes on from its own.
struct Step {
  std::string function;
  double difference = 0;
};

/// A weight of the step at which the modules part, by its names in both.
struct Weight {
  std::string first, second;
  std::string firstFormat, secondFormat;
  /// Of the second's values from the first's, and of the step's outputs when this weight alone is the second's.
  double values = 0, outputs = 0;
};

/// The first operation that is not the same in both, as text; empty where one of them has none.
struct OperationPair {
  std::string first, second;
};

struct Comparison {
  /// Of the models' outputs; and mean KL(first || second) over all tokens, in nats, outputs read as logits.
  double outputs = 0, divergence = 0;
  /// None when the modules are not made of the same steps.
  std::vector<Step> steps;
  /// The first whose difference is beyond the tolerance.
  std::optional<size_t> parting;
  /// Of that step: all weights that differ, in the order of their use, and the first operation that does.
  std::vector<Weight> weights;
  std::optional<OperationPair> operation;

  bool isSame(double tolerance) const { return outputs <= tolerance; }
};

/// Runs two files of IR, of any stage up to quantize, on the same tokens in this process.
/// \param sequences of token ids. \param tolerance of relative differences. \param work a path for files that are in
/// the way of nobody. Fails naming the file that cannot be read or run.
Expected<Comparison> compareModules(const std::string &first, const std::string &second,
                                    std::span<const evaluate::Sequence> sequences, double tolerance,
                                    const std::string &work);

/// The context that the module in `path` records, in tokens.
Expected<int64_t> contextOf(const std::string &path);

} // namespace halftone::bisect
