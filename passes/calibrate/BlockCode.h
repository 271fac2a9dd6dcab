// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions of a model's chain, compiled for this machine.
#pragma once

#include "passes/calibrate/BlockWeights.h"
#include "passes/calibrate/Chain.h"
#include "passes/calibrate/CompiledBlocks.h"
#include "passes/function/Engine.h"

#include <map>

namespace halftone::calibrate {

/// A function of the chain: its code takes the pointers of Step::arguments, then those of its results.
struct BlockFunction {
  function::Code code = nullptr;
  /// Whether it reads the argument at all: what it does not read may be null.
  std::vector<bool> reads;
};

/// The tokens of the longest of some sequences, at least 1.
int64_t longest(llvm::ArrayRef<Sequence> sequences);

/// The chain of `module`, which stays as it is, without any code.
Expected<Chain> chainOf(mlir::ModuleOp module);

class BlockCode {
public:
  /// Compiles the chain of `module`, which stays as it is, for sequences of `length` tokens.
  static Expected<BlockCode> compile(mlir::ModuleOp module, int64_t length);

  /// Decodes the weights that `function` reads when it is called with the arguments of `step`.
  Status load(const Step &step, llvm::StringRef function, BlockWeights &weights) const;
  /// Calls `function` with pointers to its arguments, null for what it does not read, then to its results.
  void call(llvm::StringRef function, llvm::ArrayRef<const void *> pointers) const;

  Chain chain;
  int64_t length = 0;
  /// By name: one a step, and one an observation.
  std::map<std::string, BlockFunction> functions;

private:
  std::unique_ptr<mlir::ExecutionEngine> engine;
};

} // namespace halftone::calibrate
