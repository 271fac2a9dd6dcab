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

/// The most lanes, elements of a group or tokens of a pass: far beyond any processor, and products of two stay small.
static constexpr int64_t mostInParallel = 4096;

static LogicalResult verifyCounts(function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<std::pair<StringRef, int64_t>> counts) {
  for (auto [name, count] : counts)
    if (count < 1 || count > mostInParallel)
      return emitError() << "C1: " << name << " are 1 to " << mostInParallel << ", not " << count;
  return success();
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t lanes, int64_t group,
                                 int64_t less) {
  if (less != 0 && less != 128)
    return emitError() << "C2: levels are stored 0 or 128 less than they are, not " << less;
  return verifyCounts(emitError, {{"lanes", lanes}, {"columns of a group", group}});
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t lanes, int64_t tiles,
                                   int64_t tokens, StringAttr) {
  return verifyCounts(emitError, {{"lanes", lanes}, {"tiles", tiles}, {"tokens", tokens}});
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef, StringRef, StringRef,
                                 int64_t vector) {
  if (vector == 128 || vector == 256 || vector == 512)
    return success();
  return emitError() << "C1: vectors are 128, 256 or 512 bits wide, not " << vector;
}

std::string halftone::kernel::nameForTarget(StringRef function, size_t number) {
  return number == 0 ? function.str() : (function + "." + Twine(number)).str();
}

LogicalResult halftone::kernel::freeName(SymbolTable &symbols, StringRef name) {
  Operation *named = symbols.lookup(name);
  if (named && failed(symbols.renameToUnique(named, {})))
    return named->emitError("cannot be renamed: '") << name << "' is the name of a phase or of its copy for a target";
  return success();
}

int64_t halftone::kernel::packedBytes(lowbit::WeightType type) {
  const formats::Format &format = type.getFormat().getValue();
  ArrayRef<int64_t> shape = type.getShape();
  if (isa_and_present<UnpackedAttr>(type.getEncoding()))
    return formats::unpackedBytes(format, shape[0], shape[1]);
  auto layout = cast_if_present<LayoutAttr>(type.getEncoding());
  if (!layout)
    return type.storedBytes();
  return formats::tileCount(layout.get(), shape[0]) * formats::tileBytes(format, layout.get(), shape[1]);
}

void KernelDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/Attributes.cpp.inc"
      >();
}
