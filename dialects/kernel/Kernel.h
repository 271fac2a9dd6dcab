// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel dialect in C++; its meaning stands in the .td files beside this one.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/formats/Packing.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "dialects/kernel/Dialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/Attributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/Types.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/Ops.h.inc"

namespace halftone::kernel {

/// The layout of `lib/formats` that the attribute names.
inline formats::KernelLayout kernelLayout(LayoutAttr layout) { return {layout.getLanes(), layout.getGroup()}; }

/// The attribute of a module that holds its target.
inline constexpr llvm::StringLiteral targetAttrName = "halftone.target";
/// The attribute of a lowbit.kernel that holds its schedule.
inline constexpr llvm::StringLiteral scheduleAttrName = "schedule";

/// Bytes that a block of `length` activation codes takes in its buffer: groups of 4 are read at once.
inline int64_t paddedBlock(int64_t length) { return formats::divideUp(length, 4) * 4; }

} // namespace halftone::kernel
