// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts operations as often as @forward reaches them: a block stands once and is called per layer.
#include "passes/import/DescribeModule.h"

#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/WeightUses.h"
#include "passes/import/ContextLength.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace halftone;

/// Calls `visit` with each operation that `function` executes, once per execution.
static void execute(func::FuncOp function, llvm::function_ref<void(Operation *)> visit) {
  function.walk([&](Operation *op) {
    visit(op);
    if (auto call = dyn_cast<func::CallOp>(op))
      if (auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
          callee && !callee.isExternal())
        execute(callee, visit);
  });
}

/// Row 1 of a table of angles' cosines or sines: those of the first position that turns anything.
static std::vector<float> firstTurn(lowbit::WeightOp table) {
  lowbit::StoredWeights weights;
  const auto matrix = weights.open(table);
  if (!matrix || matrix->shape().rows < 2 || !matrix->shape().format.isPlain())
    return {};
  formats::RowBuffer buffer(matrix->shape().format, matrix->shape().columns);
  const formats::EncodedRow row = buffer.row();
  matrix->readRows(1, {&row, 1});
  return {row.values.begin(), row.values.end()};
}

/// The weight that enters an operation of type Op as operand `number`.
template <class Op>
static lowbit::WeightOp findWeight(ModuleOp module, const lowbit::WeightUses &uses, unsigned number) {
  const auto isIt = [&](OpOperand *use) { return isa<Op>(use->getOwner()) && use->getOperandNumber() == number; };
  for (auto weight : module.getOps<lowbit::WeightOp>())
    if (llvm::any_of(uses.of(weight), isIt))
      return weight;
  return {};
}

/// Angles may be off by the rounding of their cosines and sines, 2^-24 of 1, and of the float32 that they were computed
/// in: of each angle's logarithm, which grows to about 16, some units of 2^-20.
static constexpr double angleTolerance = 1e-4;

/// The base of a geometric series of angles that starts with 1; nothing when they are none.
static std::optional<double> baseOf(ModuleOp module, const lowbit::WeightUses &uses) {
  lowbit::WeightOp cosines = findWeight<lowbit::RopeOp>(module, uses, 1);
  lowbit::WeightOp sines = findWeight<lowbit::RopeOp>(module, uses, 2);
  const std::vector<float> cos = cosines ? firstTurn(cosines) : std::vector<float>();
  const std::vector<float> sin = sines ? firstTurn(sines) : std::vector<float>();
  if (cos.size() < 2 || cos.size() != sin.size())
    return std::nullopt;
  const auto pairs = static_cast<double>(cos.size());
  const double base = std::pow(std::atan2(sin.back(), cos.back()), -pairs / (pairs - 1));
  for (size_t i = 0; i < cos.size(); ++i)
    if (const double angle = std::pow(base, -static_cast<double>(i) / pairs);
        !(std::fabs(std::atan2(sin[i], cos[i]) / angle - 1) < angleTolerance))
      return std::nullopt;
  // Bases are round numbers, and single precision knows no more digits than these.
  return std::strtod(llvm::formatv("{0:e3}", base).str().c_str(), nullptr);
}

static bool isTied(ModuleOp module, const lowbit::WeightUses &uses) {
  bool tied = false;
  for (auto weight : module.getOps<lowbit::WeightOp>()) {
    bool embeds = false, multiplies = false;
    for (OpOperand *use : uses.of(weight)) {
      embeds |= isa<lowbit::EmbeddingOp>(use->getOwner());
      multiplies |= isa<lowbit::LinearOp>(use->getOwner());
    }
    tied |= embeds && multiplies;
  }
  return tied;
}

static void count(Operation *op, Architecture &result) {
  if (auto attention = dyn_cast<lowbit::AttentionOp>(op)) {
    auto cache = cast<lowbit::CacheType>(attention.getCache().getType());
    ++result.layers;
    result.heads = attention.getHeads();
    result.kvHeads = cache.getHeads();
    result.headSize = cache.getSize();
  } else if (auto embedding = dyn_cast<lowbit::EmbeddingOp>(op)) {
    result.hidden = embedding.getResult().getType().getShape().back();
  } else if (auto linear = dyn_cast<lowbit::LinearOp>(op)) {
    ArrayRef<int64_t> shape = linear.getWeight().getType().getShape();
    ++result.linears[{shape[0], shape[1]}];
  } else if (auto rope = dyn_cast<lowbit::RopeOp>(op)) {
    const int64_t pairs = cast<lowbit::WeightType>(rope.getCos().getType()).getShape()[1];
    result.rope = Rope{2 * pairs, rope.getInterleaved(), std::nullopt};
  }
}

Architecture halftone::importer::describe(ModuleOp module) {
  Architecture result;
  auto forward = module.lookupSymbol<func::FuncOp>("forward");
  if (!forward)
    return result;
  execute(forward, [&](Operation *op) { count(op, result); });
  result.vocabulary = cast<ShapedType>(forward.getResultTypes().front()).getShape().back();
  if (auto context = module->getAttrOfType<IntegerAttr>(facts::context))
    result.context = context.getInt();
  const lowbit::WeightUses uses(module);
  if (result.rope)
    result.rope->base = baseOf(module, uses);
  result.tied = isTied(module, uses);
  return result;
}
