// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibrating will cost, from shapes alone: before any of it is done.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/io/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace halftone::calibrate {

/// What is asked of the runner, and of the method behind it.
struct EstimateOptions {
  int64_t sequences = 0, tokens = 0, longest = 0;
  unsigned threads = 1;
  /// Most activations in memory.
  uint64_t memory = 0;
  /// Whether Hessians are gathered and factored; whether the original model runs beside.
  bool hessian = false, drift = false;
};

struct Estimate {
  /// The most memory at once, and what is being worked on then.
  uint64_t peakBytes = 0;
  std::string peakWeight;
  /// Of that: weights of the block in f32, the Hessian, what quantizing one weight takes, activations.
  uint64_t weightBytes = 0, hessianBytes = 0, workBytes = 0, activationBytes = 0;
  /// Multiplications with addition, times 2: running the model, Hessians in f32; factors and methods in f64.
  double forward = 0, hessians = 0, quantizing = 0;

  /// At so many operations a second of a large f32 product on all threads, f64 at half of that.
  double seconds(double operations) const;
};

/// \param module whose forward function is observed.
Expected<Estimate> estimateCalibration(mlir::ModuleOp module, const EstimateOptions &options);

} // namespace halftone::calibrate
