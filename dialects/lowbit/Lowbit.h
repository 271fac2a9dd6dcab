// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lowbit dialect in C++; its meaning stands in the .td files beside this one.
#pragma once

#include "lib/formats/Format.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/lowbit/Dialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/lowbit/Attributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/lowbit/Types.h.inc"

#define GET_OP_CLASSES
#include "dialects/lowbit/Ops.h.inc"

namespace halftone::lowbit {

/// What lowbit.observe can gather, by name.
llvm::ArrayRef<llvm::StringRef> observable();

} // namespace halftone::lowbit
