// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the name of a weight to its bytes.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/formats/StoredMatrix.h"

#include "llvm/ADT/StringMap.h"

namespace halftone::lowbit {

/// Rows of a weight, one of a vector, and elements of a row.
uint64_t storedRows(WeightOp weight);
uint64_t storedColumns(WeightOp weight);
/// What a weight takes as storage rows of `format`.
uint64_t storedBytes(WeightOp weight, const formats::Format &format);

/// Opens the weights of a module; each file is mapped once and stays mapped as long as a matrix of it lives.
class StoredWeights {
public:
  /// The matrix that `weight` names; a weight of one dimension is one row. The error names the file.
  Expected<formats::StoredMatrix> open(WeightOp weight);

  /// Gives the memory behind `weight` back to the system; its bytes stay readable.
  void release(WeightOp weight);

private:
  llvm::StringMap<std::shared_ptr<const io::MappedFile>> files;
};

/// The files that the module's weights lie in, each once: what an output must not replace.
std::vector<std::string> weightFiles(mlir::ModuleOp module);

} // namespace halftone::lowbit
