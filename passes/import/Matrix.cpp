// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finding a matrix behind Transpose, and naming it in both directions.
#include "passes/import/Matrix.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

std::optional<Matrix> halftone::importer::findMatrix(Value value, bool turned) {
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

/// On a weight that has a second name: that name, of the same bytes turned round.
static constexpr llvm::StringLiteral turnedAttribute = "halftone.turned";

/// The weight under the name that has it turned round.
static lowbit::WeightOp turnedWeight(lowbit::WeightOp weight) {
  auto module = weight->getParentOfType<ModuleOp>();
  if (auto turned = weight->getAttrOfType<StringAttr>(turnedAttribute))
    return module.lookupSymbol<lowbit::WeightOp>(turned);
  auto type = cast<lowbit::WeightType>(weight.getType());
  auto target =
      lowbit::WeightType::get(module.getContext(), {type.getShape()[1], type.getShape()[0]}, type.getFormat());
  SymbolTable symbols(module);
  OpBuilder builder(module.getContext());
  builder.setInsertionPointAfter(weight);
  auto turned = lowbit::WeightOp::create(builder, weight.getLoc(), (weight.getSymName() + ".transposed").str(), target,
                                         weight.getFile(), weight.getOffset(), !weight.getTransposed());
  weight->setAttr(turnedAttribute, symbols.insert(turned)); // another weight may have that name
  return turned;
}

Value halftone::importer::orientedHandle(const Matrix &matrix, OpBuilder &builder) {
  lowbit::WeightOp weight = weightOf(matrix.handle);
  if (matrix.turned)
    weight = turnedWeight(weight);
  return lowbit::GetOp::create(builder, matrix.handle.getLoc(), weight.getType(), weight.getSymName());
}

void halftone::importer::tidyNames(ModuleOp module) {
  SymbolTableCollection tables;
  SymbolUserMap users(tables, module);
  SymbolTable &table = tables.getSymbolTable(module);
  SmallVector<lowbit::WeightOp> unused;
  for (auto weight : module.getOps<lowbit::WeightOp>())
    if (users.useEmpty(weight))
      unused.push_back(weight);
    else
      weight->removeAttr(turnedAttribute);
  for (lowbit::WeightOp weight : unused) {
    const StringAttr name = weight.getSymNameAttr();
    auto second = weight->getAttrOfType<StringAttr>(turnedAttribute);
    table.erase(weight);
    auto turned = second ? table.lookup<lowbit::WeightOp>(second) : lowbit::WeightOp();
    if (!turned)
      continue;
    users.replaceAllUsesWith(turned, name);
    table.remove(turned);
    turned.setSymNameAttr(name);
    table.insert(turned);
  }
}
