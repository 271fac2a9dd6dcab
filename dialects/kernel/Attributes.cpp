// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the kernel attributes and the sizes that follow from a layout.
#include "dialects/kernel/Kernel.h"

#include "lib/formats/Unpacked.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::kernel;

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/Attributes.cpp.inc"

int64_t halftone::kernel::packedBytes(lowbit::WeightType type) {
  const formats::Format &format = type.getFormat().getValue();
  ArrayRef<int64_t> shape = type.getShape();
  if (isa_and_present<UnpackedAttr>(type.getEncoding()))
    return formats::unpackedBytes(format, shape[0], shape[1]);
  auto layout = cast_if_present<LayoutAttr>(type.getEncoding());
  if (!layout)
    return (shape.size() == 2 ? shape[0] : 1) * formats::rowBytes(format, shape.back());
  return formats::tileCount(layout.get(), shape[0]) * formats::tileBytes(format, layout.get(), shape[1]);
}

void KernelDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/Attributes.cpp.inc"
      >();
}
