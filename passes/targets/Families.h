// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The families of processors, one file each, and what their files share.
#pragma once

#include "passes/targets/Target.h"

#include <memory>

namespace llvm {
class MCSubtargetInfo;
}

namespace halftone::targets {

/// Every family's instructions are those of `portable`, too.
extern const Architecture arm, x86, portable;

/// All but the portable one; the first is meant where a module names no target.
llvm::ArrayRef<const Architecture *> families();

/// What LLVM knows of a processor, or null when it knows neither processor nor features of that name.
std::unique_ptr<llvm::MCSubtargetInfo> subtarget(llvm::StringRef triple, llvm::StringRef cpu, llvm::StringRef features);

/// The row of the family's widths that says most of `target`.
const VectorWidth &widthOf(kernel::TargetAttr target);

/// The target of those parts: vectors as wide as its family has them for it.
kernel::TargetAttr targetFor(mlir::MLIRContext &context, const Architecture &family, llvm::StringRef cpu,
                             llvm::StringRef features);

/// One token's group of activations in every 32-bit lane.
mlir::Value spreadGroup(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value group, int64_t lanes);

} // namespace halftone::targets
