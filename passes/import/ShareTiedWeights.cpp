// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// share-tied-weights: matrices of equal content become one.
#include "passes/Remarks.h"
#include "passes/import/Passes.h"
#include "passes/import/WeightFiles.h"

namespace halftone {
#define GEN_PASS_DEF_SHARETIEDWEIGHTS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// A matrix that others may equal.
struct Candidate {
  lowbit::WeightOp weight;
  onnx::WeightReader elements;

  /// Whether both have the same elements under the same type. The same bytes read the same way need no comparison.
  bool equals(Candidate &other) {
    const bool turned = weight.getTransposed() != other.weight.getTransposed();
    if (weight.getFile() == other.weight.getFile() && weight.getOffset() == other.weight.getOffset() && !turned)
      return true;
    return onnx::sameContent(elements, other.elements, turned);
  }
};

/// The first element's bits, which are the first also of the matrix turned round.
uint64_t firstElement(const onnx::WeightReader &elements) {
  uint64_t bits = 0;
  const size_t bytes = elements.elements() == 0 ? 0 : elements.bytes().size() / elements.elements();
  std::memcpy(&bits, elements.bytes().data(), std::min(bytes, sizeof(bits)));
  return bits;
}

struct ShareTiedWeightsPass : halftone::impl::ShareTiedWeightsBase<ShareTiedWeightsPass> {
  void runOnOperation() override {
    WeightFiles files;
    SymbolTableCollection tables;
    SymbolUserMap users(tables, getOperation());
    // Only those that begin alike are compared, so that the number of pairs does not grow with that of layers.
    DenseMap<std::pair<Type, uint64_t>, SmallVector<Candidate>> kept;
    for (auto weight : llvm::make_early_inc_range(getOperation().getOps<lowbit::WeightOp>())) {
      auto type = cast<lowbit::WeightType>(weight.getType());
      if (type.getShape().size() != 2 || !type.getFormat().getValue().isPlain())
        continue;
      Expected<onnx::WeightReader> elements = files.open(weight);
      if (!elements) {
        weight.emitError(elements.error().message);
        return signalPassFailure();
      }
      Candidate candidate = {weight, std::move(*elements)};
      SmallVector<Candidate> &others = kept[{type, firstElement(candidate.elements)}];
      auto *twin = llvm::find_if(others, [&](Candidate &other) { return other.equals(candidate); });
      if (twin == others.end()) {
        others.push_back(candidate);
        continue;
      }
      rewrote(weight.getLoc(), "share-tied-weights") << remark::metric("with", twin->weight.getSymName());
      users.replaceAllUsesWith(weight, twin->weight.getSymNameAttr());
      weight.erase();
    }
  }
};

} // namespace
