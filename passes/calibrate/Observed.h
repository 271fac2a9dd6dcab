// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an observation stands for, and what split-observations calls the function that computes it.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include <string>

namespace halftone::calibrate {

/// `<function>.observed.<index>`: observation `index` of `function`, in the order of its operations.
std::string observedName(mlir::StringRef function, size_t index);

/// What the outputs of the only linear that reads the observed value are added to, perhaps after a bias; null when they
/// are not, or there are several linears.
mlir::Value residualOf(lowbit::ObserveOp observation);

} // namespace halftone::calibrate
