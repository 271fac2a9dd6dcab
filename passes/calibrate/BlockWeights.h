// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weights of the block that runs, as f32 in memory.
#pragma once

#include "dialects/lowbit/StoredWeights.h"

#include <map>
#include <string>
#include <vector>

namespace halftone::calibrate {

class BlockWeights {
public:
  /// Those of `module`, as they are now; with `original` as they were before they were quantized.
  explicit BlockWeights(mlir::ModuleOp module, bool original = false);

  /// Decodes a weight unless it is there. Not from several threads.
  Status load(const std::string &name);
  /// A loaded weight.
  std::span<const float> values(const std::string &name) const { return loaded.at(name); }
  const float *at(const std::string &name) const { return loaded.at(name).data(); }

  /// Puts other values in a weight's place: at once, or when takeReplaced() is called.
  void replace(const std::string &name, std::span<const float> values, bool atOnce);
  void takeReplaced();
  /// Whether a weight was replaced since clear().
  bool hasReplaced() const { return isReplaced; }

  /// Lets go of all.
  void clear();

private:
  mlir::OwningOpRef<mlir::ModuleOp> names; // the weights' operations
  std::map<std::string, lowbit::WeightOp> operations;
  std::unique_ptr<lowbit::StoredWeights> source;
  std::map<std::string, std::vector<float>> loaded, waiting;
  bool isReplaced = false;
};

} // namespace halftone::calibrate
