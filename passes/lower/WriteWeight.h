// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One weight's way from its storage rows into the weight segment.
#pragma once

#include "dialects/kernel/Kernel.h"
#include "dialects/lowbit/WorkFile.h"
#include "lib/formats/StoredMatrix.h"

namespace halftone {

/// Writes `matrix` at `offset` of `out` in the order that `layout` says: in tiles for #kernel.layout, as arrays
/// (lib/formats/Unpacked.h) for #kernel.unpacked, row by row as it is without a layout. Tiles are packed on the threads
/// of `context`.
Status writeWeight(mlir::MLIRContext *context, const formats::StoredMatrix &matrix, mlir::Attribute layout,
                   uint64_t offset, lowbit::WorkFile &out);

} // namespace halftone
