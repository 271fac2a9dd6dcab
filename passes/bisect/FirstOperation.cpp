// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In order, region by region; where values stand is known by counting.
#include "passes/bisect/FirstOperation.h"

#include "dialects/lowbit/Lowbit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::bisect;

namespace {

/// The operations of a function in order, and a number for each value; constants, which may stand anywhere, are what
/// they say.
class Reading {
public:
  explicit Reading(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      numbers.try_emplace(argument, numbers.size());
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op == function || isa<lowbit::ObserveOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
        return;
      all.push_back(op);
      for (Region &region : op->getRegions())
        for (BlockArgument argument : region.getArguments())
          numbers.try_emplace(argument, numbers.size());
      for (Value result : op->getResults())
        numbers.try_emplace(result, numbers.size());
    });
  }

  ArrayRef<Operation *> operations() const { return all; }
  /// "%0, 1.0 : f32, "
  std::string operandsOf(Operation *op) const {
    std::string text;
    llvm::raw_string_ostream stream(text);
    for (Value value : op->getOperands()) {
      Attribute constant;
      if (matchPattern(value, m_Constant(&constant)))
        stream << constant << ", ";
      else
        stream << "%" << numbers.lookup(value) << ", ";
    }
    return text;
  }

private:
  SmallVector<Operation *> all;
  DenseMap<Value, size_t> numbers;
};

} // namespace

static std::string textOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream, OpPrintingFlags().useLocalScope().skipRegions());
  return text;
}

static bool isSame(Operation *a, const Reading &first, Operation *b, const Reading &second) {
  const auto kinds = [](Operation *op) {
    return llvm::map_to_vector(op->getResults(), [](Value value) -> Type {
      return isa<lowbit::WeightType>(value.getType()) ? NoneType::get(value.getContext()) : value.getType();
    });
  };
  const auto text = [](ArrayRef<Type> types) { // the modules have contexts of their own
    std::string all;
    llvm::raw_string_ostream stream(all);
    llvm::interleaveComma(types, stream);
    return all;
  };
  const auto attributes = [](Operation *op) {
    std::string all;
    llvm::raw_string_ostream stream(all);
    for (NamedAttribute attribute : op->getAttrs())
      if (!isa<lowbit::FormatAttr>(attribute.getValue())) // a decision about a weight
        stream << attribute.getName().getValue() << " = " << attribute.getValue() << ", ";
    return all;
  };
  return a->getName().getStringRef() == b->getName().getStringRef() && attributes(a) == attributes(b) &&
         text(kinds(a)) == text(kinds(b)) && first.operandsOf(a) == second.operandsOf(b);
}

std::optional<OperationPair> bisect::firstOperation(ModuleOp first, ModuleOp second, StringRef name) {
  auto a = first.lookupSymbol<func::FuncOp>(name), b = second.lookupSymbol<func::FuncOp>(name);
  if (!a || !b)
    return std::nullopt;
  const Reading left(a), right(b);
  const size_t count = std::max(left.operations().size(), right.operations().size());
  for (size_t i = 0; i < count; ++i) {
    Operation *x = i < left.operations().size() ? left.operations()[i] : nullptr;
    Operation *y = i < right.operations().size() ? right.operations()[i] : nullptr;
    if (!x || !y || !isSame(x, left, y, right))
      return OperationPair{x ? textOf(x) : "", y ? textOf(y) : ""};
  }
  return std::nullopt;
}
