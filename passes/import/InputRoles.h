// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an input of a decoder's graph is, found by what becomes of it.
#pragma once

#include "mlir/IR/Value.h"

namespace halftone::importer {

/// Whether \p input names rows of a trained table that enter a norm: token ids.
bool namesTokens(mlir::Value input);

/// Whether \p input reaches cosines, or names rows of their table, on a way without comparisons and reductions.
bool namesPositions(mlir::Value input);

} // namespace halftone::importer
