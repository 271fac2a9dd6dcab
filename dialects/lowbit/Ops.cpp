// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax and verifiers of the lowbit operations. Each verifier checks its op's constraints in the order of Ops.td.
#include "dialects/lowbit/Lowbit.h"

#include <cmath>

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

//===-- Syntax
//------------------------------------------------------------------------------------------------------===//

static ParseResult parseFloat(OpAsmParser &parser, FloatAttr &value) {
  return parser.parseAttribute(value, parser.getBuilder().getF32Type());
}

static void printFloat(OpAsmPrinter &printer, Operation *, FloatAttr value) {
  printer.printAttributeWithoutType(value);
}

static ParseResult parseSameType(OpAsmParser &parser, Type &first, Type &second) {
  if (parser.parseType(first))
    return failure();
  second = first;
  return success();
}

static void printSameType(OpAsmPrinter &printer, Operation *, Type first, Type) { printer.printType(first); }

//===-- Verifiers
//---------------------------------------------------------------------------------------------------===//

ArrayRef<StringRef> halftone::lowbit::observable() {
  static constexpr StringRef names[] = {"hessian", "magnitude", "range"};
  return names;
}

/// Channels of a [tokens, channels] tensor.
static int64_t channels(Type type) { return cast<ShapedType>(type).getShape()[1]; }

/// Whether both have as many tokens, as far as that is known.
static bool sameTokens(ArrayRef<int64_t> first, ArrayRef<int64_t> second) {
  return succeeded(verifyCompatibleShape(first.take_front(), second.take_front()));
}

/// Whether what reads the values as they are in the file can do so: kernels read plain weights as f32.
static bool isReadable(WeightType type) {
  return type.getFormat().getValue() == formats::Format::plain(formats::Scalar::F32);
}

LogicalResult WeightOp::verify() {
  if (static_cast<int64_t>(getOffset()) < 0)
    return emitOpError("C1: the offset is negative: ") << static_cast<int64_t>(getOffset());
  auto type = cast<WeightType>(getType());
  if (getTransposed() && (type.getShape().size() != 2 || !type.getFormat().getValue().isPlain()))
    return emitOpError("C2: only a plain matrix can be stored transposed, not ") << type;
  return success();
}

LogicalResult GetOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *named = symbols.lookupNearestSymbolFrom(*this, getNameAttr());
  if (!isa_and_nonnull<WeightOp, CacheOp>(named))
    return emitOpError("C1: no weight or cache is named ") << getNameAttr();
  Type type = named->getAttrOfType<TypeAttr>("type").getValue();
  if (type != getHandle().getType())
    return emitOpError("C2: ") << getNameAttr() << " is " << type << ", not " << getHandle().getType();
  return success();
}

LogicalResult ScaleColumnsOp::verify() {
  WeightType matrix = getMatrix().getType(), factors = getFactors().getType();
  if (matrix.getShape().size() != 2 || factors.getShape().size() != 1)
    return emitOpError("C1: needs a matrix and a row of factors, not ") << matrix << " and " << factors;
  if (matrix.getShape()[1] != factors.getShape()[0])
    return emitOpError("C2: columns and factors differ, ") << matrix.getShape()[1] << " and " << factors.getShape()[0];
  if (!matrix.getFormat().getValue().isPlain() || !factors.getFormat().getValue().isPlain())
    return emitOpError("C3: only plain weights can be scaled, not ") << matrix << " by " << factors;
  WeightType result = getResult().getType();
  if (result.getShape() != matrix.getShape() || !result.getFormat().getValue().isPlain())
    return emitOpError("C4: the matrix is ") << matrix << ", the result " << result;
  return success();
}

LogicalResult ScaleRowsOp::verify() {
  WeightType matrix = getMatrix().getType(), factors = getFactors().getType(), result = getResult().getType();
  if (factors.getShape() != matrix.getShape().take_front())
    return emitOpError("C1: needs a factor for each row, not ") << factors << " for " << matrix;
  if (!matrix.getFormat().getValue().isPlain() || !factors.getFormat().getValue().isPlain())
    return emitOpError("C2: only plain weights can be scaled, not ") << matrix << " by " << factors;
  if (result.getShape() != matrix.getShape() || !result.getFormat().getValue().isPlain())
    return emitOpError("C3: the weight is ") << matrix << ", the result " << result;
  return success();
}

/// The constraints on blocks of `size` along dimension `dimension` of `weight`.
static LogicalResult verifyRotation(Operation *op, WeightType weight, size_t dimension, int64_t size) {
  if (weight.getShape().size() <= dimension || !weight.getFormat().getValue().isPlain())
    return op->emitOpError("C1: cannot rotate ") << weight;
  if (const int64_t count = weight.getShape()[dimension]; size <= 0 || count % size != 0)
    return op->emitOpError("C2: blocks of ") << size << " do not divide " << count;
  return success();
}

LogicalResult RotateColumnsOp::verify() {
  return verifyRotation(*this, getMatrix().getType(), 1, static_cast<int64_t>(getSize()));
}

LogicalResult RotateRowsOp::verify() {
  return verifyRotation(*this, getMatrix().getType(), 0, static_cast<int64_t>(getSize()));
}

LogicalResult SliceRowsOp::verify() {
  WeightType matrix = getMatrix().getType(), result = getResult().getType();
  if (!matrix.getFormat().getValue().isPlain() || result.getFormat() != matrix.getFormat() ||
      result.getShape().size() != matrix.getShape().size() ||
      result.getShape().drop_front() != matrix.getShape().drop_front())
    return emitOpError("C1: the matrix is ") << matrix << ", the result " << result;
  int64_t first = getFirst(), count = result.getShape()[0], rows = matrix.getShape()[0];
  if (first < 0 || first > rows - count)
    return emitOpError("C2: ") << count << " rows from " << first << " on do not lie within " << rows;
  return success();
}

LogicalResult WidenOp::verify() {
  WeightType weight = getWeight().getType(), result = getResult().getType();
  if (!weight.getFormat().getValue().isPlain() || !isReadable(result) || result.getShape() != weight.getShape())
    return emitOpError("C1: the weight is ") << weight << ", the result " << result;
  return success();
}

LogicalResult EmbeddingOp::verify() {
  auto shape = getTable().getType().getShape();
  if (shape.size() != 2)
    return emitOpError("C1: the table has ") << shape.size() << " dimensions, not two";
  if (channels(getResult().getType()) != shape[1])
    return emitOpError("C2: the table has ") << shape[1] << " columns, the result is " << getResult().getType();
  if (!sameTokens(getTokens().getType().getShape(), getResult().getType().getShape()))
    return emitOpError("C3: the ids are ") << getTokens().getType() << ", the result is " << getResult().getType();
  return success();
}

/// Whether activations in `format` can be multiplied with weights in `weight`.
static bool isMatch(const formats::Format &weight, const formats::Format &activation) {
  return activation.isPlain() ? weight == activation : !weight.isPlain() && weight.block == activation.block;
}

LogicalResult LinearOp::verify() {
  WeightType weight = getWeight().getType();
  if (weight.getShape().size() != 2)
    return emitOpError("C1: the weight has ") << weight.getShape().size() << " dimensions, not two";
  auto activation = dyn_cast<ActivationType>(getInput().getType());
  ArrayRef<int64_t> input = activation ? activation.getShape() : cast<ShapedType>(getInput().getType()).getShape();
  int64_t columns = input[1];
  if (columns != weight.getShape()[1])
    return emitOpError("C2: weight and activation reduce over different sizes, ")
           << weight.getShape()[1] << " and " << columns;
  if (channels(getResult().getType()) != weight.getShape()[0])
    return emitOpError("C3: the weight has ")
           << weight.getShape()[0] << " rows, the result is " << getResult().getType();
  const formats::Format &format = weight.getFormat().getValue();
  if (activation && !isMatch(format, activation.getFormat().getValue()))
    return emitOpError("C4: activations need a weight with the same blocks or elements, not ")
           << weight << " with " << activation;
  if (!sameTokens(input, getResult().getType().getShape()))
    return emitOpError("C5: the input is ") << getInput().getType() << ", the result " << getResult().getType();
  return success();
}

LogicalResult ObserveOp::verify() {
  llvm::SmallDenseSet<StringRef> seen;
  for (auto what : getGather().getAsValueRange<StringAttr>())
    if (!llvm::is_contained(observable(), what) || !seen.insert(what).second)
      return emitOpError("C1: gathers ") << getGather() << "; what there is, each once: " << observable();
  if (seen.empty())
    return emitOpError("C1: gathers nothing; there are ") << observable();
  return success();
}

LogicalResult RmsNormOp::verify() {
  if (getScale() && (getScale().getType().getShape() != ArrayRef(channels(getInput().getType())) ||
                     !isReadable(getScale().getType())))
    return emitOpError("C1: the scale is ") << getScale().getType() << ", the input " << getInput().getType();
  float epsilon = getEpsilon().convertToFloat();
  if (!std::isfinite(epsilon) || epsilon < 0)
    return emitOpError("C2: the epsilon is ") << epsilon;
  return success();
}

LogicalResult AddBiasOp::verify() {
  WeightType bias = getBias().getType();
  if (bias.getShape() != ArrayRef(channels(getInput().getType())) || !isReadable(bias))
    return emitOpError("C1: the bias is ") << bias << ", the input " << getInput().getType();
  return success();
}

LogicalResult RopeOp::verify() {
  int64_t width = channels(getInput().getType());
  int64_t heads = getHeads();
  if (heads <= 0 || width % heads != 0)
    return emitOpError("C1: ") << width << " channels do not divide into " << heads << " heads";
  auto table = getCos().getType().getShape();
  if (table.size() != 2 || table != getSin().getType().getShape() || !isReadable(getCos().getType()) ||
      !isReadable(getSin().getType()))
    return emitOpError("C2: the tables are ") << getCos().getType() << " and " << getSin().getType();
  if (2 * table[1] > width / heads)
    return emitOpError("C3: ") << table[1] << " pairs do not fit into a head of " << width / heads;
  return success();
}

LogicalResult AppendOp::verify() {
  CacheType cache = getCache().getType();
  for (auto type : {getKeys().getType(), getValues().getType()})
    if (channels(type) != cache.getHeads() * cache.getSize())
      return emitOpError("C1: keys or values are ") << type << ", the cache " << cache;
  if (!sameTokens(getKeys().getType().getShape(), getValues().getType().getShape()))
    return emitOpError("C2: the keys are ") << getKeys().getType() << ", the values " << getValues().getType();
  return success();
}

LogicalResult AttentionOp::verify() {
  CacheType cache = getCache().getType();
  int64_t heads = getHeads();
  int64_t width = channels(getQueries().getType());
  if (width % cache.getSize() != 0 || width / cache.getSize() != heads)
    return emitOpError("C1: the queries are ")
           << getQueries().getType() << ", not " << heads << " heads of " << cache.getSize();
  if (heads <= 0 || heads % cache.getHeads() != 0)
    return emitOpError("C2: ") << heads << " query heads do not divide by " << cache.getHeads() << " of the cache";
  return success();
}

LogicalResult QuantizeActivationOp::verify() {
  if (getInput().getType().getShape() != getResult().getType().getShape())
    return emitOpError("C1: shapes differ, ") << getInput().getType() << " and " << getResult().getType();
  return success();
}

OperandRange KernelOp::getYielded() { return cast<YieldOp>(getBody().front().getTerminator()).getValues(); }

LogicalResult KernelOp::verify() {
  if (getBody().front().empty() || !isa<YieldOp>(getBody().front().back()))
    return emitOpError("the region does not end in lowbit.yield");
  if (getOuts().empty()) {
    if (TypeRange(getResults()) != TypeRange(getYielded()))
      return emitOpError("C1: results are ") << getResults().getTypes() << ", yielded " << getYielded().getTypes();
    return success();
  }
  if (getNumResults() != 0)
    return emitOpError("C2: a kernel with outs has ") << getNumResults() << " results";
  size_t wanted = 0;
  for (Type type : getYielded().getTypes())
    wanted += isa<ActivationType>(type) ? 3 : 1;
  if (getOuts().size() != wanted)
    return emitOpError("C3: what is yielded takes ") << wanted << " outs, not " << getOuts().size();
  return success();
}

//===-- Canonicalization
//--------------------------------------------------------------------------------------------===//

/// Drops the results that nobody reads; what only they needed is dead then.
LogicalResult KernelOp::canonicalize(KernelOp kernel, PatternRewriter &rewriter) {
  SmallVector<Type> types;
  SmallVector<Value> yielded, read;
  for (auto [result, value] : llvm::zip(kernel.getResults(), kernel.getYielded())) {
    if (result.use_empty())
      continue;
    types.push_back(result.getType());
    yielded.push_back(value);
    read.push_back(result);
  }
  if (read.size() == kernel.getNumResults())
    return failure();
  Operation *yield = kernel.getBody().front().getTerminator();
  rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(yielded); });
  auto kept = KernelOp::create(rewriter, kernel.getLoc(), types, ValueRange());
  kept->setDiscardableAttrs(kernel->getDiscardableAttrDictionary());
  rewriter.inlineRegionBefore(kernel.getBody(), kept.getBody(), kept.getBody().end());
  for (auto [old, result] : llvm::zip(read, kept.getResults()))
    rewriter.replaceAllUsesWith(old, result);
  rewriter.eraseOp(kernel);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/lowbit/Ops.cpp.inc"
