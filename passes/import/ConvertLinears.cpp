// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-linears: MatMul and Gemm with a weight.
#include "passes/import/Node.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"
#include "passes/import/WeightFiles.h"

namespace halftone {
#define GEN_PASS_DEF_CONVERTLINEARS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// A weight as a linear needs it: the handle, and whether the file has [inputs, outputs].
struct Matrix {
  Value handle;
  bool turned = false;
};

struct Converter {
  ModuleOp module;
  OpBuilder builder;

  void convert(NodeOp node);

private:
  lowbit::WeightOp oriented(lowbit::WeightOp weight, bool turned);
};

} // namespace

/// A weight of two dimensions, seen through Transpose.
static std::optional<Matrix> findMatrix(Value value, bool turned) {
  while (NodeOp node = definedBy(value, "Transpose")) {
    auto order = listParameter(node, "perm");
    if (order && *order != SmallVector<int64_t>{1, 0})
      return std::nullopt;
    value = node.getInputs()[0];
    turned = !turned;
  }
  auto type = dyn_cast<lowbit::WeightType>(value.getType());
  if (!type || type.getShape().size() != 2 || !weightOf(value))
    return std::nullopt;
  return Matrix{value, turned};
}

/// The right side of a product as [outputs, inputs].
static std::optional<Matrix> rightSide(NodeOp node) {
  if (node.getOpType() == "MatMul")
    return findMatrix(node.getInputs()[1], true);
  bool isPlain = node.getOpType() == "Gemm" && node.getInputs().size() == 2 && parameter(node, "alpha", 1.0f) == 1.0f &&
                 parameter(node, "transA", int64_t(0)) == 0;
  return isPlain ? findMatrix(node.getInputs()[1], parameter(node, "transB", int64_t(0)) == 0) : std::nullopt;
}

/// The weight under the name that has it in this direction: itself while nobody else reads it, else a second name.
lowbit::WeightOp Converter::oriented(lowbit::WeightOp weight, bool turned) {
  if (!turned)
    return weight;
  auto type = cast<lowbit::WeightType>(weight.getType());
  auto target =
      lowbit::WeightType::get(module.getContext(), {type.getShape()[1], type.getShape()[0]}, type.getFormat());
  std::string name = (weight.getSymName() + ".transposed").str();
  if (auto other = module.lookupSymbol<lowbit::WeightOp>(name))
    return other;
  builder.setInsertionPointAfter(weight);
  return lowbit::WeightOp::create(builder, weight.getLoc(), name, target, weight.getFile(), weight.getOffset(),
                                  !weight.getTransposed());
}

void Converter::convert(NodeOp node) {
  auto matrix = rightSide(node);
  Value input = node.getInputs()[0];
  auto inputType = dyn_cast<RankedTensorType>(input.getType());
  if (!matrix || !inputType || !inputType.getElementType().isF32() ||
      (!isBatchedRows(input) && inputType.getRank() != 2))
    return;
  lowbit::WeightOp weight = oriented(weightOf(matrix->handle), matrix->turned);
  auto type = cast<lowbit::WeightType>(weight.getType());
  if (inputType.getShape().back() != type.getShape()[1])
    return;
  builder.setInsertionPoint(node);
  Value rows = toRows(builder, input);
  auto result = RankedTensorType::get({cast<RankedTensorType>(rows.getType()).getDimSize(0), type.getShape()[0]},
                                      builder.getF32Type());
  Value handle = lowbit::GetOp::create(builder, matrix->handle.getLoc(), type, weight.getSymName());
  Value linear =
      lowbit::LinearOp::create(builder, node.getLoc(), result, rows, handle, lowbit::FormatAttr(), StringAttr());
  node.getOutputs()[0].replaceAllUsesWith(asLike(builder, linear, input));
  node.erase();
}

/// Weights that only exist turned round get their own name back; what nobody names goes away.
static void tidyNames(ModuleOp module) {
  auto isUsed = [&](lowbit::WeightOp weight) { return !SymbolTable::symbolKnownUseEmpty(weight, module); };
  for (auto weight : llvm::make_early_inc_range(module.getOps<lowbit::WeightOp>())) {
    if (isUsed(weight))
      continue;
    std::string name = weight.getSymName().str();
    auto turned = module.lookupSymbol<lowbit::WeightOp>(name + ".transposed");
    weight.erase();
    if (turned &&
        succeeded(SymbolTable::replaceAllSymbolUses(turned, StringAttr::get(module.getContext(), name), module)))
      turned.setSymName(name);
  }
}

namespace {
struct ConvertLinearsPass : halftone::impl::ConvertLinearsBase<ConvertLinearsPass> {
  void runOnOperation() override {
    Converter converter{getOperation(), OpBuilder(&getContext())};
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) {
      if (node.getOpType() == "MatMul" || node.getOpType() == "Gemm")
        nodes.push_back(node);
    });
    for (NodeOp node : nodes)
      if (node.getInputs().size() >= 2)
        converter.convert(node);
    eraseDead(getOperation());
    tidyNames(getOperation());
  }
};
} // namespace
