// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax and checks of the packed type.
#include "dialects/kernel/Kernel.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::kernel;

static ParseResult parseShape(AsmParser &parser, SmallVector<int64_t> &shape) {
  return parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false);
}

static void printShape(AsmPrinter &printer, ArrayRef<int64_t> shape) { printer.printDimensionList(shape); }

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/Types.cpp.inc"

LogicalResult PackedType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                 lowbit::FormatAttr, LayoutAttr layout) {
  if (layout && shape.size() != 2)
    return emitError() << "a layout of tiles needs two dimensions, not " << shape.size();
  return success();
}

int64_t PackedType::getBytes() const {
  const formats::Format &format = getFormat().getValue();
  const int64_t columns = getShape().back();
  if (!getLayout())
    return (getShape().size() == 2 ? getShape()[0] : 1) * formats::rowBytes(format, columns);
  const formats::KernelLayout layout = kernelLayout(getLayout());
  return formats::tileCount(layout, getShape()[0]) * formats::tileBytes(format, layout, columns);
}

void KernelDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/kernel/Types.cpp.inc"
      >();
}
