// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formats that were decided for weights by name, before assign-formats decides for their readers.
#pragma once

#include "dialects/lowbit/WeightUses.h"

namespace halftone::quantize {

/// On a weight, as pin-formats and allocate-formats leave it; null where nothing was decided.
lowbit::FormatAttr namedFormat(lowbit::WeightOp weight);
void setNamedFormat(lowbit::WeightOp weight, lowbit::FormatAttr format);
void removeNamedFormat(lowbit::WeightOp weight);

/// Gives a weight derived from `base` the same named format, and the name that users know it by.
void inheritNamedFormat(lowbit::WeightOp derived, lowbit::WeightOp base);
/// The name of the weight in the model, from which it may be derived.
llvm::StringRef originalName(lowbit::WeightOp weight);

/// Linears and embeddings that decode `weight` or what is derived from it, by the operand that brings it.
llvm::SmallVector<mlir::OpOperand *> decodersOf(lowbit::WeightOp weight, const lowbit::WeightUses &uses);

/// Gives calls of one function whose weights have different named formats a clone each, so that every linear reads
/// weights of one. Calls that agree keep sharing a function.
void separateCalls(mlir::ModuleOp module);

} // namespace halftone::quantize
