// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model as a chain of functions: what each reads and gives, and what is observed in it.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/calibrate/Statistics.h"

#include <string>
#include <vector>

namespace halftone::calibrate {

/// Values between functions are numbered; those below Chain::inputs are the model's own inputs.
using ValueId = size_t;

/// An argument of a function as lower-sequences leaves it: a value between functions, or a weight by its name.
struct ChainArgument {
  std::optional<ValueId> value;
  std::string weight;
};

/// A value that is observed while its function runs.
struct Observed {
  std::string function; ///< that computes it alone
  int64_t channels = 0;
  int64_t residualChannels = 0; ///< of what it gives second; 0 when it does not
  Gather gather = Gather::nothing;
  std::vector<std::string> weights; ///< of the linears that read it
};

/// One function of the chain, as it is called.
struct Step {
  std::string function;
  std::vector<ChainArgument> arguments;
  std::vector<ValueId> results;
  std::vector<Observed> observed;
};

/// What a value between functions is: [tokens, ...] of an element.
struct ChainValue {
  int64_t channels = 1;
  size_t elementBytes = sizeof(float);
  /// The last step that reads it.
  size_t lastUse = 0;
};

struct Chain {
  std::vector<Step> steps;
  std::vector<ChainValue> values;
  size_t inputs = 0;
};

/// Reads the chain off the entry of `module`, as outline-segments makes it, with its observations in place. Fails when
/// it is no chain of calls.
mlir::FailureOr<Chain> readChain(mlir::ModuleOp module);

} // namespace halftone::calibrate
