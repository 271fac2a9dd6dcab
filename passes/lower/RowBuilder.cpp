// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over channels in vectors.
#include "passes/lower/RowBuilder.h"

#include "lib/formats/Table.h"

using namespace mlir;
using namespace halftone;

Value RowBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value RowBuilder::splat(Value scalar) {
  return vector::BroadcastOp::create(builder, loc, vectorOf(scalar.getType()), scalar);
}

Value RowBuilder::splat(float value) {
  return splat(arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value)));
}

Value RowBuilder::multiplyAdd(Value a, Value b, Value c) {
  Value product = arith::MulFOp::create(builder, loc, a, b, arith::FastMathFlags::contract);
  return arith::AddFOp::create(builder, loc, product, c, arith::FastMathFlags::contract);
}

Value RowBuilder::load(Value memory, ValueRange indices, Value mask) {
  VectorType type = vectorOf(cast<MemRefType>(memory.getType()).getElementType());
  if (!mask)
    return vector::LoadOp::create(builder, loc, type, memory, indices);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, loc, type, memory, indices, mask, zero);
}

void RowBuilder::store(Value vector, Value memory, ValueRange indices, Value mask) {
  if (mask)
    vector::MaskedStoreOp::create(builder, loc, memory, indices, mask, vector);
  else
    vector::StoreOp::create(builder, loc, vector, memory, indices);
}

Value RowBuilder::elements(Value handle) {
  auto layout = StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, {1});
  auto type = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type(), layout);
  return kernel::MemoryOp::create(builder, loc, type, handle);
}

Value RowBuilder::at(Value tensor, const Place &place) {
  const std::tuple key(builder.getInsertionBlock(), tensor, place.row, place.column, place.mask);
  if (Value found = emitted.lookup(key))
    return found;
  Value vector = emit(tensor, place);
  emitted[key] = vector;
  return vector;
}

Value RowBuilder::emit(Value tensor, const Place &place) {
  if (auto found = defined.find(tensor); found != defined.end())
    return found->second(place);
  Operation *op = tensor.getDefiningOp();
  if (auto read = dyn_cast<bufferization::ToTensorOp>(op))
    return load(read.getBuffer(), {place.row, place.column}, place.mask);
  if (auto spread = dyn_cast<tensor::SplatOp>(op))
    return splat(spread.getInput());
  if (auto sum = dyn_cast<lowbit::AddBiasOp>(op))
    return arith::AddFOp::create(builder, loc, at(sum.getInput(), place),
                                 load(elements(sum.getBias()), {place.column}, place.mask));
  VectorType type = vectorOf(getElementTypeOrSelf(tensor.getType()));
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(type, cast<SplatElementsAttr>(constant.getValue()).getSplatValue<Attribute>()));
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(at(operand, place));
  return builder.create(loc, op->getName().getIdentifier(), operands, {type}, op->getAttrs())->getResult(0);
}

Value RowBuilder::maskFor(int64_t count) {
  if (count >= lanes)
    return {};
  return vector::CreateMaskOp::create(builder, loc, vectorOf(builder.getI1Type()), index(count)).getResult();
}

SmallVector<Value> RowBuilder::forEachVector(Value first, int64_t count, ValueRange values, Body body) {
  const int64_t whole = count / lanes;
  SmallVector<Value> carried(values);
  auto columnAt = [&](Value offset) -> Value { return arith::AddIOp::create(builder, loc, first, offset); };
  if (whole <= 4) {
    for (int64_t i = 0; i < whole; ++i)
      carried = body(columnAt(index(i * lanes)), {}, carried);
  } else {
    auto loop = scf::ForOp::create(builder, loc, index(0), index(whole * lanes), index(lanes), carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next = body(columnAt(loop.getInductionVar()), {}, loop.getRegionIterArgs());
    if (!next.empty())
      scf::YieldOp::create(builder, loc, next);
    carried.assign(loop.getResults().begin(), loop.getResults().end());
  }
  if (count % lanes != 0)
    carried = body(columnAt(index(whole * lanes)), maskFor(count % lanes), carried);
  return carried;
}

void RowBuilder::forEachVector(Value first, int64_t count, function_ref<void(Value, Value)> body) {
  forEachVector(first, count, {}, [&](Value column, Value mask, ValueRange) -> SmallVector<Value> {
    body(column, mask);
    return {};
  });
}

OpFoldResult halftone::tokensOfCall(OpBuilder &builder, Location loc, int64_t most) {
  Operation *function = builder.getInsertionBlock()->getParentOp();
  if (!isa<func::FuncOp>(function))
    function = function->getParentOfType<func::FuncOp>();
  if (function->hasAttr(kernel::tokenStepAttrName))
    return kernel::TokensOp::create(builder, loc, builder.getIndexType()).getResult();
  return builder.getIndexAttr(most);
}

void halftone::parallelLoop(OpBuilder &builder, Location loc, OpFoldResult count, function_ref<void(Value)> body) {
  if (auto value = dyn_cast<Value>(count))
    count = getAsOpFoldResult(value); // a number where it is known
  auto loop = scf::ForallOp::create(builder, loc, ArrayRef<OpFoldResult>{count}, ValueRange(), std::nullopt);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getTerminator());
  body(loop.getInductionVars().front());
}

Value halftone::bufferOf(Value tensor) { return tensor.getDefiningOp<bufferization::ToTensorOp>().getBuffer(); }

Operation *halftone::coreOf(lowbit::KernelOp kernel) {
  for (Operation &op : kernel.getBody().front())
    if (!isa<bufferization::ToTensorOp, kernel::ActivationOp>(op))
      return &op;
  llvm_unreachable("a kernel ends in lowbit.yield");
}

kernel::ScheduleAttr halftone::scheduleOf(lowbit::KernelOp kernel) {
  return kernel->getAttrOfType<kernel::ScheduleAttr>(kernel::scheduleAttrName);
}

/// The weight that `op` decodes, if it does.
static Value decodedWeight(Operation &op) {
  if (auto linear = dyn_cast<lowbit::LinearOp>(op))
    return linear.getWeight();
  if (auto embedding = dyn_cast<lowbit::EmbeddingOp>(op))
    return embedding.getTable();
  return {};
}

/// Whether the activations are what the weight's format takes.
static bool isContracted(lowbit::LinearOp linear) {
  const formats::Format &format = linear.getWeight().getType().getFormat().getValue();
  const bool wanted = !format.isPlain() || formats::findElement(format.code)->activations != formats::Scalar::F32;
  return isa<lowbit::ActivationType>(linear.getInput().getType()) == wanted;
}

/// Whether the kernel's operations may read `value`: one of them makes it, or all its elements are the same.
static bool isAtHand(Value value, lowbit::KernelOp kernel) {
  if (!isa<RankedTensorType, lowbit::ActivationType>(value.getType()))
    return true;
  Operation *maker = value.getDefiningOp();
  return maker && (maker->getParentOp() == kernel || isa<tensor::SplatOp, arith::ConstantOp>(maker));
}

LogicalResult halftone::checkPlaced(lowbit::KernelOp kernel) {
  if (kernel.getOuts().empty() && !kernel.getYielded().empty())
    return kernel.emitError("has no outs for what it yields: place-buffers comes first");
  for (Operation &op : kernel.getBody().front())
    for (Value operand : op.getOperands())
      if (!isAtHand(operand, kernel))
        return op.emitError("reads ") << operand.getType() << " from outside its kernel: place-buffers comes first";
  return success();
}

LogicalResult halftone::checkDecided(lowbit::KernelOp kernel) {
  if (failed(checkPlaced(kernel)))
    return failure();
  for (Value value : kernel.getYielded())
    if (isa<lowbit::ActivationType>(value.getType()) && !value.getDefiningOp<lowbit::QuantizeActivationOp>())
      return kernel.emitError("yields ") << value.getType() << ", which it only reads";
  if (!scheduleOf(kernel))
    return kernel.emitError("has no schedule: choose-kernels comes first");
  for (Operation &op : kernel.getBody().front()) {
    Value weight = decodedWeight(op);
    if (!weight)
      continue;
    auto type = cast<lowbit::WeightType>(weight.getType());
    if (!isa_and_nonnull<kernel::LayoutAttr>(type.getEncoding()))
      return op.emitError("reads a weight that is not packed, ") << type << ": pack-weights comes first";
    auto linear = dyn_cast<lowbit::LinearOp>(op);
    if (linear && !isContracted(linear))
      return op.emitError("multiplies ") << type.getFormat() << " with " << linear.getInput().getType()
                                         << ": contract-activations comes first";
  }
  return success();
}

LogicalResult halftone::lowerKernels(func::FuncOp function, function_ref<bool(Operation *)> wanted,
                                     function_ref<void(lowbit::KernelOp, OpBuilder &)> lower) {
  auto result = function.walk([&](lowbit::KernelOp kernel) -> WalkResult {
    if (!wanted(coreOf(kernel)))
      return WalkResult::advance();
    if (failed(checkDecided(kernel)))
      return WalkResult::interrupt();
    OpBuilder builder(kernel);
    lower(kernel, builder);
    kernel::BarrierOp::create(builder, kernel.getLoc(), kernel->getAttrOfType<IntegerAttr>(kernel::siteAttrName));
    kernel.erase();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
