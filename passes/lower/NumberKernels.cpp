// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers kernels, and writes down what each does and costs.
#include "dialects/lowbit/Facts.h"
#include "lib/formats/StoredMatrix.h"
#include "lib/formats/Table.h"
#include "passes/lower/Passes.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_NUMBERKERNELS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// What an operation is called in the description of its kernel.
std::string nameOf(Operation &op) {
  if (auto linear = dyn_cast<LinearOp>(op)) {
    const WeightType type = linear.getWeight().getType();
    return ("linear " + Twine(type.getShape()[0]) + "x" + Twine(type.getShape()[1]) + " " +
            formats::name(type.getFormat().getValue()))
        .str();
  }
  return op.hasTrait<OpTrait::Elementwise>() ? "elementwise" : op.getName().stripDialect().str();
}

/// "2 linear 768x288 int4-g32, elementwise": each kind of operation once, in order.
std::string description(KernelOp kernel) {
  llvm::MapVector<StringAttr, int64_t> counts;
  for (Operation &op : kernel.getBody().front().without_terminator())
    ++counts[StringAttr::get(kernel.getContext(), nameOf(op))];
  std::string text;
  for (const auto &[name, count] : counts)
    text += (text.empty() ? "" : ", ") + (count > 1 && name != "elementwise" ? std::to_string(count) + " " : "") +
            name.str();
  return text;
}

/// What a kernel costs: bytes of weights a call reads, operations on a token, and bytes of the cache for each position.
struct Cost {
  int64_t bytes = 0, operations = 0, positionBytes = 0;
};

Cost costOf(KernelOp kernel) {
  Cost cost;
  kernel.walk([&](LinearOp linear) {
    const WeightType type = linear.getWeight().getType();
    const int64_t rows = type.getShape()[0], columns = type.getShape()[1];
    cost.bytes +=
        *formats::storedBytes({.rows = rows, .columns = columns, .format = type.getFormat().getValue()}); // verified
    cost.operations += 2 * rows * columns;
  });
  kernel.walk([&](AttentionOp attention) {
    cost.positionBytes += kernel::CacheTile(attention.getCache().getType()).bytes / kernel::cachePositions;
  });
  return cost;
}

/// Operations on a token of a function, those that it calls included.
int64_t operationsOf(func::FuncOp function) {
  int64_t operations = 0;
  function.walk([&](Operation *op) {
    if (auto kernel = dyn_cast<KernelOp>(op))
      operations += costOf(kernel).operations;
    else if (auto call = dyn_cast<func::CallOp>(op))
      if (auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr()))
        operations += operationsOf(callee);
  });
  return operations;
}

class NumberKernelsPass : public halftone::impl::NumberKernelsBase<NumberKernelsPass> {
public:
  void runOnOperation() override {
    Builder builder(&getContext());
    SmallVector<Attribute> sites;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function.walk([&](KernelOp kernel) {
        kernel->setAttr(kernel::siteAttrName, builder.getI64IntegerAttr(static_cast<int64_t>(sites.size())));
        const Cost cost = costOf(kernel);
        const NamedAttribute entries[] = {
            builder.getNamedAttr("bytes", builder.getI64IntegerAttr(cost.bytes)),
            builder.getNamedAttr("does", builder.getStringAttr(description(kernel))),
            builder.getNamedAttr("function", builder.getStringAttr(function.getName())),
            builder.getNamedAttr("operations", builder.getI64IntegerAttr(cost.operations)),
            builder.getNamedAttr("position_bytes", builder.getI64IntegerAttr(cost.positionBytes))};
        sites.push_back(builder.getDictionaryAttr(entries));
      });
    getOperation()->setAttr(facts::sites, builder.getArrayAttr(sites));
    if (auto prefill = getOperation().lookupSymbol<func::FuncOp>("prefill"))
      facts::record(getOperation(), facts::prefillOperations, operationsOf(prefill));
  }
};

} // namespace
