// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables of instructions, one file each, and what their rows share.
#pragma once

#include "passes/targets/Target.h"

namespace halftone::targets {

extern const Architecture arm, x86, portable;

/// One token's group of activations in every 32-bit lane.
mlir::Value spreadGroup(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value group, int64_t lanes);

} // namespace halftone::targets
