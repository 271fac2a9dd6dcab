// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A weight that a pass quantizes: where it goes and what it cost.
#pragma once

#include "dialects/lowbit/WeightUses.h"
#include "dialects/lowbit/WorkFile.h"
#include "passes/quantize/Decision.h"

namespace halftone::quantize {

struct WeightTask {
  lowbit::WeightOp weight;
  lowbit::FormatAttr format;
  /// Of its rows in the work file.
  uint64_t offset = 0;
  /// ||decoded - w|| / ||w||.
  double error = 0;
  /// Blocks that are not zero but have the scale 0.
  int64_t vanishedBlocks = 0;

  /// Bytes that are read for it.
  int64_t sourceBytes() const;
  /// Tells the user when little or nothing is left of the weight, or of some of its blocks.
  void warnOfLoss() const;
  /// Gives the weight its new place in the file `work`, its type and its error.
  void rename(llvm::StringRef work, llvm::StringRef pass);
};

/// The weights of a module that wait for the pass called `method`: for each, all its readers with a decision leave the
/// way there to that pass, or to any. Operations are asked in the module's order.
class WaitingWeights {
public:
  WaitingWeights(mlir::ModuleOp module, llvm::StringRef method) : uses(module), method(method) {}

  /// The task for `weight`, without one when it does not wait. Fails when its readers want different formats, or it has
  /// codes already.
  mlir::FailureOr<std::optional<WeightTask>> of(lowbit::WeightOp weight);
  /// Whether linears are its only readers that a format was decided for.
  bool servesLinearsOnly(lowbit::WeightOp weight) const;
  /// Fails when an operation of `module` waits for this method that of() was not asked about: it reads no named weight.
  mlir::LogicalResult checkAllReached(mlir::ModuleOp module) const;
  /// Says on all operations found that nothing is left to do.
  void finish();

private:
  const lowbit::WeightUses uses;
  const llvm::StringRef method;
  llvm::DenseSet<mlir::Operation *> acted;
};

} // namespace halftone::quantize
