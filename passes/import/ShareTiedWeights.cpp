// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// share-tied-weights: matrices of equal content become one.
#include "passes/import/Passes.h"
#include "passes/import/WeightFiles.h"

namespace halftone {
#define GEN_PASS_DEF_SHARETIEDWEIGHTS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Whether both have the same elements under the same type. The same bytes read the same way need no comparison.
static FailureOr<bool> equal(lowbit::WeightOp a, lowbit::WeightOp b, WeightFiles &files) {
  bool turned = a.getTransposed() != b.getTransposed();
  if (a.getFile() == b.getFile() && a.getOffset() == b.getOffset() && !turned)
    return true;
  auto first = files.open(a), second = files.open(b);
  if (!first)
    return emitError(a.getLoc()) << first.error().message;
  if (!second)
    return emitError(b.getLoc()) << second.error().message;
  return onnx::sameContent(*first, *second, turned);
}

namespace {
struct ShareTiedWeightsPass : halftone::impl::ShareTiedWeightsBase<ShareTiedWeightsPass> {
  void runOnOperation() override {
    WeightFiles files;
    llvm::MapVector<Type, SmallVector<lowbit::WeightOp>> kept;
    for (auto weight : llvm::make_early_inc_range(getOperation().getOps<lowbit::WeightOp>())) {
      auto type = cast<lowbit::WeightType>(weight.getType());
      if (type.getShape().size() != 2 || !type.getFormat().getValue().isPlain())
        continue;
      auto &others = kept[type];
      lowbit::WeightOp twin;
      for (lowbit::WeightOp other : others) {
        FailureOr<bool> same = equal(other, weight, files);
        if (failed(same))
          return signalPassFailure();
        if (*same) {
          twin = other;
          break;
        }
      }
      if (!twin) {
        others.push_back(weight);
        continue;
      }
      if (failed(SymbolTable::replaceAllSymbolUses(weight, twin.getSymNameAttr(), getOperation())))
        return signalPassFailure();
      weight.erase();
    }
  }
};
} // namespace
