// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens the files that weights lie in.
#include "passes/import/WeightFiles.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

lowbit::WeightOp halftone::importer::weightOf(Value handle) {
  if (auto wide = handle ? handle.getDefiningOp<lowbit::WidenOp>() : lowbit::WidenOp())
    handle = wide.getWeight();
  auto get = handle ? handle.getDefiningOp<lowbit::GetOp>() : lowbit::GetOp();
  return get ? SymbolTable::lookupNearestSymbolFrom<lowbit::WeightOp>(get, get.getNameAttr()) : lowbit::WeightOp();
}

SmallVector<int64_t> halftone::importer::storedShape(lowbit::WeightOp weight) {
  SmallVector<int64_t> shape(cast<lowbit::WeightType>(weight.getType()).getShape());
  if (weight.getTransposed())
    std::swap(shape[0], shape[1]);
  return shape;
}

/// The file's type of a plain weight's elements.
static onnx::ElementType elementType(lowbit::WeightOp weight) {
  switch (cast<lowbit::WeightType>(weight.getType()).getFormat().getValue().code.scalar) {
  case formats::Scalar::F32:
    return onnx::ElementType::float32;
  case formats::Scalar::F16:
    return onnx::ElementType::float16;
  case formats::Scalar::BF16:
    return onnx::ElementType::bfloat16;
  }
  llvm_unreachable("all scalars have a type");
}

Expected<onnx::WeightReader> WeightFiles::open(lowbit::WeightOp weight) {
  auto &file = files[weight.getFile().str()];
  if (!file) {
    auto mapped = io::MappedFile::open(weight.getFile().str());
    if (!mapped)
      return mapped.error();
    file = std::make_shared<const io::MappedFile>(std::move(*mapped));
  }
  SmallVector<int64_t> shape = storedShape(weight);
  return onnx::WeightReader::open(file, weight.getOffset(), elementType(weight), {shape.begin(), shape.end()},
                                  weight.getSymName().str());
}
