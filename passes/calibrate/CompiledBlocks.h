// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The runner of blocks: a model compiled into this process, function by function, fed with calibration sequences.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/calibrate/BlockRunner.h"

#include <string>
#include <vector>

namespace halftone::calibrate {

/// One calibration sequence: for each tensor that the model's forward function takes, its elements [tokens, ...], row
/// major. Not owned.
struct Sequence {
  int64_t tokens = 0;
  std::vector<std::span<const std::byte>> inputs;
};

/// The part of the memory for activations that one value between blocks may take: several live at once, and most is
/// needed while a sequence runs on each thread.
inline constexpr int64_t storesInMemory = 8;

struct RunnerOptions {
  /// Whether a block's later linears see what its quantized earlier ones give; otherwise a block is seen as it was, and
  /// only the next one sees it quantized.
  bool trueSequential = true;
  Wanted wanted;
  /// Bytes for activations. A value between blocks has its part of them, and what is more lies in a file beside `work`.
  uint64_t memory = uint64_t(1) << 30;
  /// A path for files that are in the way of nobody.
  std::string work;
  /// What the sequences point into, if it must live as long as the runner.
  std::shared_ptr<const void> keep = nullptr;
};

/// Compiles `module`, whose forward function is observed, for sequences of at most as many tokens as the longest one.
/// `module` is not changed and not needed afterwards; the files of its weights are. Threads of its context are used;
/// the statistics do not depend on how many there are.
Expected<std::unique_ptr<BlockRunner>> compileBlocks(mlir::ModuleOp module, std::vector<Sequence> sequences,
                                                     const RunnerOptions &options);

} // namespace halftone::calibrate
