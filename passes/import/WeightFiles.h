// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The bytes behind lowbit.weight while importing: files are mapped once and read where a pass needs the elements.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/io/MappedFile.h"
#include "lib/onnx/TensorData.h"

#include <map>
#include <memory>

namespace halftone::importer {

class WeightFiles {
public:
  /// A reader of the weight's elements, in the shape they are stored in. The error starts with the file.
  Expected<onnx::WeightReader> open(lowbit::WeightOp weight);

private:
  std::map<std::string, std::shared_ptr<const io::MappedFile>> files;
};

/// The weight that a handle names, widened or not, or null.
lowbit::WeightOp weightOf(mlir::Value handle);

/// The shape of the elements in the file: that of the type, turned round where the weight is stored transposed.
llvm::SmallVector<int64_t> storedShape(lowbit::WeightOp weight);

} // namespace halftone::importer
