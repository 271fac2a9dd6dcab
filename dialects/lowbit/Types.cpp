// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax and checks of the lowbit types.
#include "dialects/lowbit/Lowbit.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone::lowbit;

static ParseResult parseShape(AsmParser &parser, SmallVector<int64_t> &shape) {
  return parser.parseDimensionList(shape, /*allowDynamic=*/true, /*withTrailingX=*/false);
}

static void printShape(AsmPrinter &printer, ArrayRef<int64_t> shape) { printer.printDimensionList(shape); }

#define GET_TYPEDEF_CLASSES
#include "dialects/lowbit/Types.cpp.inc"

LogicalResult WeightType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                 FormatAttr format, Attribute encoding) {
  if (encoding && shape.size() != 2)
    return emitError() << "an encoding orders a matrix, not a tensor of " << shape.size() << " dimensions";
  if (shape.empty() || shape.size() > 2)
    return emitError() << "a weight has one or two dimensions, not " << shape.size();
  for (int64_t size : shape)
    if (size <= 0)
      return emitError() << "a weight's dimensions are known and positive, not " << size;
  if (shape.size() == 1 && !format.getValue().isPlain())
    return emitError() << "a weight of one dimension is plain, not " << formats::name(format.getValue());
  return success();
}

LogicalResult ActivationType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                     FormatAttr format) {
  if (shape.size() != 2)
    return emitError() << "activations have two dimensions, tokens and channels, not " << shape.size();
  if (shape[1] <= 0)
    return emitError() << "the channels of activations are known";
  return success();
}

LogicalResult CacheType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t heads, int64_t size) {
  if (heads <= 0 || size <= 0)
    return emitError() << "a cache has at least one head of at least one channel, not " << heads << " of " << size;
  return success();
}

void LowbitDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/lowbit/Types.cpp.inc"
      >();
}
