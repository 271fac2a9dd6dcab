// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Facts of a whole model, recorded by the passes that decide them as attributes of the module, each an i64. What they
// mean stands in include/halftone/model.h.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace halftone::facts {

inline constexpr llvm::StringLiteral vocabulary = "halftone.vocabulary", context = "halftone.context",
                                     chunk = "halftone.chunk", tokenStep = "halftone.token_step",
                                     arenaBytes = "halftone.arena_bytes", cachePositions = "halftone.cache_positions",
                                     cacheBytes = "halftone.cache_bytes", parameters = "halftone.parameters",
                                     weightBytes = "halftone.weight_bytes", decodeBytes = "halftone.decode_bytes",
                                     prefillOperations = "halftone.prefill_operations";

/// What each kernel does and costs, by its number: an array of dictionaries (number-kernels).
inline constexpr llvm::StringLiteral sites = "halftone.sites";

inline void record(mlir::ModuleOp module, llvm::StringRef fact, int64_t value) {
  module->setAttr(fact, mlir::Builder(module.getContext()).getI64IntegerAttr(value));
}

} // namespace halftone::facts
