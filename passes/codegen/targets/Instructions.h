// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables of dot instructions, one file each, and what their rows share.
#pragma once

#include "passes/codegen/targets/Target.h"

namespace halftone::targets {

extern const DotInstruction x86Dots[];
extern const size_t x86DotCount;
extern const DotInstruction portableDots[];
extern const size_t portableDotCount;

/// One token's group of activation bytes in every 32-bit lane, as bytes.
mlir::Value spreadGroup(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value group, int64_t lanes);

} // namespace halftone::targets
