// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax and checks of the lowbit types.
#include "dialects/lowbit/Lowbit.h"
#include "lib/formats/Packing.h"
#include "lib/formats/StoredMatrix.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

static ParseResult parseShape(AsmParser &parser, SmallVector<int64_t> &shape) {
  return parser.parseDimensionList(shape, /*allowDynamic=*/true, /*withTrailingX=*/false);
}

static void printShape(AsmPrinter &printer, ArrayRef<int64_t> shape) { printer.printDimensionList(shape); }

#define GET_TYPEDEF_CLASSES
#include "dialects/lowbit/Types.cpp.inc"

/// More elements or bytes than any memory has: products of two sizes below it are checked against it, not computed.
static constexpr int64_t memoryLimit = int64_t(1) << 46;

int64_t WeightType::storedBytes() const { return getRows() * formats::rowBytes(getFormat().getValue(), getColumns()); }

LogicalResult WeightType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                 FormatAttr format, Attribute encoding) {
  if (shape.empty() || shape.size() > 2)
    return emitError() << "C1: a weight has one or two dimensions, not " << shape.size();
  for (int64_t size : shape)
    if (size <= 0)
      return emitError() << "C2: a weight's dimensions are known and positive, not " << size;
  if (shape.size() == 1 && encoding)
    return emitError() << "C3: an encoding orders a matrix, not a tensor of one dimension";
  if (shape.size() == 1 && !format.getValue().isPlain())
    return emitError() << "C3: a weight of one dimension is plain, not " << formats::name(format.getValue());
  std::optional<int64_t> bytes = formats::storedBytes(
      {.rows = shape.size() == 2 ? shape[0] : 1, .columns = shape.back(), .format = format.getValue()});
  if (!bytes || *bytes > memoryLimit)
    return emitError() << "C4: a weight has at most " << memoryLimit << " bytes, not those of "
                       << llvm::interleaved(shape, "x") << " in " << formats::name(format.getValue());
  return success();
}

LogicalResult ActivationType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                     FormatAttr format) {
  if (shape.size() != 2)
    return emitError() << "C1: activations have two dimensions, tokens and channels, not " << shape.size();
  if (shape[1] <= 0 || shape[1] > memoryLimit)
    return emitError() << "C2: the channels of activations are known, 1 to " << memoryLimit << ", not " << shape[1];
  const formats::Format &value = format.getValue();
  const bool hasCodes = value.code.isBalanced() && !value.zeroPoint && value.scale == formats::Scalar::F32;
  if (!hasCodes && value != formats::Format::plain(formats::Scalar::BF16))
    return emitError() << "C3: activations are int8 without a zero point and with scales in f32, or bf16, not "
                       << formats::name(value);
  return success();
}

formats::Format CacheType::getStored() const {
  return getFormat() ? getFormat().getValue() : formats::Format::plain(formats::Scalar::F32);
}

/// Whether a cache of heads of `size` channels can be stored in `format`.
static bool isForCaches(const formats::Format &format, int64_t size) {
  if (format.isPlain())
    return format.code.scalar == formats::Scalar::F16;
  const bool isHead = format.blockLength(size, 0) == size && format.scale == formats::Scalar::F32 && !format.zeroPoint;
  const int bits = format.code.bits;
  return format.code.kind == formats::Code::Kind::Integer && isHead && (bits == 8 || (bits == 4 && size % 2 == 0));
}

LogicalResult CacheType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t heads, int64_t size,
                                FormatAttr format) {
  if (heads <= 0 || size <= 0)
    return emitError() << "C1: a cache has at least one head of at least one channel, not " << heads << " of " << size;
  if (heads > memoryLimit / size)
    return emitError() << "C2: a position of a cache has at most " << memoryLimit << " channels, not " << heads
                       << " of " << size;
  if (format && !isForCaches(format.getValue(), size))
    return emitError() << "C3: a cache is stored in f16 or in codes of 8 or 4 bits with one f32 scale a head, not in "
                       << formats::name(format.getValue()) << " with heads of " << size << " channels";
  return success();
}

void LowbitDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/lowbit/Types.cpp.inc"
      >();
}
