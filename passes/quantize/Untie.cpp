// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Renaming handles where they are used.
#include "passes/quantize/Untie.h"

#include "dialects/lowbit/WeightUses.h"
#include "passes/quantize/Decision.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// What all readers behind `use` want.
static quantize::WantedFormat wantedBehind(OpOperand &use) {
  quantize::WantedFormat wanted;
  wanted.add(use);
  auto call = dyn_cast<func::CallOp>(use.getOwner());
  if (!call)
    return wanted;
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
  if (!callee.isExternal())
    forEachUse(callee.getArgument(use.getOperandNumber()), [&](OpOperand &inner) { wanted.add(inner); });
  return wanted;
}

static WeightOp copyName(WeightOp weight, SymbolTable &symbols) {
  WeightOp copy = weight.clone();
  copy.setSymName((weight.getSymName() + ".untied").str());
  symbols.insert(copy, std::next(Block::iterator(weight)));
  return copy;
}

LogicalResult halftone::quantize::untie(WeightOp weight) {
  auto module = weight->getParentOfType<ModuleOp>();
  SymbolTable symbols(module);
  llvm::SmallMapVector<FormatAttr, WeightOp, 2> names;
  SmallVector<OpOperand *> uses;
  module.walk([&](Operation *op) {
    for (OpOperand &use : op->getOpOperands())
      if (auto get = use.get().getDefiningOp<GetOp>(); get && get.getName() == weight.getSymName())
        uses.push_back(&use);
  });
  for (OpOperand *use : uses) {
    WantedFormat wanted = wantedBehind(*use);
    if (wanted.hasConflict())
      return wanted.report(weight);
    if (!wanted.get())
      continue;
    WeightOp &name = names[wanted.get()];
    if (!name)
      name = names.size() == 1 ? weight : copyName(weight, symbols);
    if (name == weight)
      continue;
    OpBuilder builder(use->getOwner());
    use->set(GetOp::create(builder, use->get().getLoc(), use->get().getType(), name.getSymName()));
  }
  return success();
}
