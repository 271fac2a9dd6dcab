// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax and verifiers of the kernel operations. Each verifier checks its op's constraints in the order of Ops.td.
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::kernel;

/// One type for all operands of a list.
static ParseResult parseUniform(OpAsmParser &parser, ArrayRef<OpAsmParser::UnresolvedOperand> operands,
                                SmallVectorImpl<Type> &types) {
  Type type;
  if (parser.parseType(type))
    return failure();
  types.assign(operands.size(), type);
  return success();
}

static void printUniform(OpAsmPrinter &printer, Operation *, OperandRange, TypeRange types) {
  if (!types.empty())
    printer.printType(types.front());
}

static ParseResult parseSameTypes(OpAsmParser &parser, Type &first, Type &second, Type &third) {
  if (parser.parseType(first))
    return failure();
  second = third = first;
  return success();
}

static void printSameTypes(OpAsmPrinter &printer, Operation *, Type first, Type, Type) { printer.printType(first); }

/// Lines that `vectors` consecutive vectors of codes need, over all planes.
static int64_t linesOf(const formats::Format &format, int64_t vectors) {
  if (format.isPlain())
    return vectors;
  int64_t lines = 0;
  for (const formats::Plane &plane : formats::planes(format.code.bits))
    lines += formats::divideUp(vectors, plane.vectorsPerLine());
  return lines;
}

LogicalResult DecodeOp::verify() {
  int64_t wanted = linesOf(getFormat().getValue(), getCodes().size());
  if (getCodes().empty() || static_cast<int64_t>(getLines().size()) != wanted)
    return emitOpError("C1: ") << getCodes().size() << " vectors need " << wanted << " lines, not "
                               << getLines().size();
  const Type first = getCodes().front().getType();
  for (Type type : getOperandTypes())
    if (type != first)
      return emitOpError("C2: a line is ") << type << ", a vector " << first;
  for (Type type : getResultTypes())
    if (type != first)
      return emitOpError("C2: one vector is ") << first << ", another " << type;
  return success();
}

LogicalResult DecodeZerosOp::verify() {
  int64_t lanes = getZeros().getType().getNumElements();
  int64_t bytes = formats::divideUp(lanes * getFormat().getValue().code.bits, 8);
  if (getBytes().getType().getNumElements() != bytes)
    return emitOpError("C1: ") << lanes << " zero points take " << bytes << " bytes, not "
                               << getBytes().getType().getNumElements();
  return success();
}

LogicalResult LookupOp::verify() {
  size_t size = getTable().size();
  if (size < 2 || size > 16 || (size & (size - 1)) != 0)
    return emitOpError("C1: the table has ") << size << " entries";
  return success();
}

LogicalResult DotStepOp::verify() {
  if (getLevels().empty() || getLevels().size() != getActivations().size())
    return emitOpError("C1: ") << getLevels().size() << " vectors of levels, " << getActivations().size()
                               << " groups of activations";
  const int64_t lanes = getAccumulator().getType().getNumElements();
  for (auto [levels, group] : llvm::zip(getLevels().getTypes(), getActivations().getTypes()))
    if (cast<VectorType>(levels).getNumElements() != lanes * cast<VectorType>(group).getNumElements())
      return emitOpError("C2: levels of ") << lanes << " lanes are " << levels << ", activations " << group;
  for (TypeRange types : {TypeRange(getLevels().getTypes()), TypeRange(getActivations().getTypes())})
    if (!llvm::all_equal(types))
      return emitOpError("C3: the types differ: ") << types;
  const bool isFloat = isa<FloatType>(getAccumulator().getType().getElementType());
  const auto highest = static_cast<int64_t>(getHighest());
  if (isFloat ? highest != 0 : highest < 1 || highest > 255)
    return emitOpError("C4: the highest level is ")
           << highest << " with an accumulator of " << getAccumulator().getType();
  return success();
}

/// More than any memory there is.
static constexpr int64_t unbounded = int64_t(1) << 46;

MemRefType halftone::kernel::byteMemory(MLIRContext *context) {
  return MemRefType::get({unbounded}, IntegerType::get(context, 8));
}

MemRefType halftone::kernel::memoryOf(Type element) {
  return MemRefType::get({unbounded / (element.getIntOrFloatBitWidth() / 8)}, element);
}

SmallVector<MemRefType, 3> halftone::kernel::bufferTypes(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return {MemRefType::get(tensor.getShape(), tensor.getElementType())};
  auto activation = cast<lowbit::ActivationType>(type);
  const formats::Format &format = activation.getFormat().getValue();
  const int64_t tokens = activation.getShape()[0], channels = activation.getShape()[1];
  int64_t codes = 0;
  for (int64_t b = 0; b < format.blockCount(channels); ++b)
    codes += paddedBlock(format.blockLength(channels, b));
  const int64_t blocks = format.isPlain() ? 0 : format.blockCount(channels);
  MLIRContext *context = type.getContext();
  return {MemRefType::get({tokens, codes}, IntegerType::get(context, format.code.bits)),
          MemRefType::get({tokens, blocks}, Float32Type::get(context)),
          MemRefType::get({tokens, blocks}, IntegerType::get(context, 32))};
}

int64_t halftone::kernel::channelsPerElement(lowbit::CacheType type) { return type.getStored().code.bits == 4 ? 2 : 1; }

/// What keys and values are stored as.
static Type elementOf(lowbit::CacheType type) {
  Builder builder(type.getContext());
  const formats::Format format = type.getStored();
  if (!format.isPlain())
    return builder.getI8Type();
  return format.code.scalar == formats::Scalar::F16 ? builder.getF16Type() : builder.getF32Type();
}

halftone::kernel::CacheTile::CacheTile(lowbit::CacheType type) {
  const formats::Format format = type.getStored();
  values = type.getHeads() * type.getSize() * cachePositions * format.code.bits / 8;
  const int64_t scales = format.isPlain() ? 0 : type.getHeads() * cachePositions * static_cast<int64_t>(sizeof(float));
  keyScales = 2 * values;
  valueScales = keyScales + scales;
  bytes = valueScales + scales;
}

/// [tiles of positions, heads, rows, columns]: a tile's stride depends on the other caches of the model.
static MemRefType cacheMemory(Type element, int64_t heads, int64_t rows, int64_t columns) {
  auto layout = StridedLayoutAttr::get(element.getContext(), ShapedType::kDynamic,
                                       {ShapedType::kDynamic, rows * columns, columns, 1});
  return MemRefType::get({ShapedType::kDynamic, heads, rows, columns}, element, layout);
}

Value halftone::kernel::keysOf(Value cache, OpBuilder &builder, Location loc) {
  auto type = cast<lowbit::CacheType>(cache.getType());
  const int64_t elements = type.getSize() / channelsPerElement(type);
  return KeysOp::create(builder, loc, cacheMemory(elementOf(type), type.getHeads(), elements, cachePositions), cache);
}

Value halftone::kernel::valuesOf(Value cache, OpBuilder &builder, Location loc) {
  auto type = cast<lowbit::CacheType>(cache.getType());
  const int64_t elements = type.getSize() / channelsPerElement(type);
  return ValuesOp::create(builder, loc, cacheMemory(elementOf(type), type.getHeads(), cachePositions, elements), cache);
}

Value halftone::kernel::keyScalesOf(Value cache, OpBuilder &builder, Location loc) {
  auto type = cast<lowbit::CacheType>(cache.getType());
  return KeyScalesOp::create(builder, loc, cacheMemory(builder.getF32Type(), type.getHeads(), 1, cachePositions),
                             cache);
}

Value halftone::kernel::valueScalesOf(Value cache, OpBuilder &builder, Location loc) {
  auto type = cast<lowbit::CacheType>(cache.getType());
  return ValueScalesOp::create(builder, loc, cacheMemory(builder.getF32Type(), type.getHeads(), 1, cachePositions),
                               cache);
}

#define GET_OP_CLASSES
#include "dialects/kernel/Ops.cpp.inc"
