// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounding a whole matrix to nearest, some rows a thread.
#pragma once

#include "dialects/lowbit/StreamRows.h"
#include "lib/quantize/Rtn.h"

namespace halftone::quantize {

/// Takes the storage rows of rows `row`, `row` + 1, ..; may be called from several threads at once.
using StoredRowSink = llvm::function_ref<Status(int64_t row, std::span<const std::byte> bytes)>;

/// Rounds `matrix` to `format`, on the threads of `context`, and gives its storage rows to `write`: each once, in any
/// order, the same bytes for any number of threads. \returns what was lost, an error of `write`, or one that begins
/// with `where` and names row and column of a weight that is NaN or infinite.
Expected<RowStatistics> roundRows(mlir::MLIRContext *context, const formats::StoredMatrix &matrix,
                                  const formats::Format &format, const std::string &where, StoredRowSink write);

} // namespace halftone::quantize
