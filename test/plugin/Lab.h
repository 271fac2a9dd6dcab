// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dialect of the sample plugin, and its pass.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"

#include "LabDialect.h.inc"

#define GET_OP_CLASSES
#include "LabOps.h.inc"

namespace lab {
/// Adds the pass `keep-wide` to the registry.
void registerKeepWide();
} // namespace lab
