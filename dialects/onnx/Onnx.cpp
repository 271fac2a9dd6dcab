// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the onnx dialect's parts.
#include "dialects/onnx/Onnx.h"

#include "mlir/IR/Builders.h"

using namespace halftone::onnx;

#include "dialects/onnx/Dialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/onnx/Ops.cpp.inc"

void OnnxDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/onnx/Ops.cpp.inc"
      >();
}
