// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One step of a chain for one sequence, from buffers to buffers.
#pragma once

#include "lib/calibrate/BlockRunner.h"
#include "passes/calibrate/BlockCode.h"

namespace halftone::calibrate {

/// Elements of a value for one sequence, as code reads and writes them.
using Buffer = std::vector<std::byte>;
/// Values by number; those that are not needed are empty.
using Values = std::vector<Buffer>;

/// Computes the results of `step` for `sequence` into `values`; what is not there is taken from `kept`. Weights are
/// loaded already; `trial`, if there is one, stands in a weight's place.
void callStep(const BlockCode &code, const Step &step, const Sequence &sequence, const BlockWeights &weights,
              const Trial *trial, const Values &kept, Values &values);

} // namespace halftone::calibrate
