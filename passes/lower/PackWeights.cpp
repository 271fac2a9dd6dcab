// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies every weight into the weight segment, in the order its kernel reads it.
#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/WeightUses.h"
#include "dialects/lowbit/WorkFile.h"
#include "passes/Remarks.h"
#include "passes/lower/Passes.h"
#include "passes/lower/WriteWeight.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

class PackWeightsPass : public halftone::impl::PackWeightsBase<PackWeightsPass> {
public:
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Expected<std::unique_ptr<WorkFile>> file = WorkFile::create(work, module, getArgument());
    if (!file) {
      module.emitError(file.error().message);
      return signalPassFailure();
    }
    const WeightUses uses(module);
    SymbolTableCollection tables;
    const SymbolUserMap users(tables, module);
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>())) {
      if (users.useEmpty(weight)) {
        weight.erase();
        continue;
      }
      if (Status status = pack(weight, **file); !status) {
        weight.emitError(status.error().message);
        return signalPassFailure();
      }
    }
    propagateWeightTypes(module);
    const auto bytes = static_cast<int64_t>((*file)->size());
    if (Status status = (*file)->commit(); !status) {
      module.emitError(status.error().message);
      return signalPassFailure();
    }
    facts::record(module, facts::weightBytes, bytes);
    facts::record(module, facts::decodeBytes, decodeBytes(uses));
  }

private:
  Status pack(WeightOp weight, WorkFile &out) {
    Expected<formats::StoredMatrix> matrix = source.open(weight);
    if (!matrix)
      return matrix.error();
    auto type = cast<WeightType>(weight.getType());
    const Attribute layout = weight->getAttr(kernel::layoutAttrName);
    auto packed = WeightType::get(&getContext(), type.getShape(), type.getFormat(), layout);
    const uint64_t offset = out.reserve(kernel::packedBytes(packed));
    if (Status status = writeWeight(&getContext(), *matrix, layout, offset, out); !status)
      return status;
    rewrote(weight.getLoc(), "pack-weights")
        << remark::metric("weight", weight.getSymName()) << remark::metric("offset", offset);
    moveTo(weight, offset, packed);
    return {};
  }

  /// The weight's new place and type.
  static void moveTo(WeightOp weight, uint64_t offset, WeightType packed) {
    weight.setTypeAttr(TypeAttr::get(packed));
    weight.setFile("segment");
    weight.setOffset(offset);
    weight.setTransposed(false);
    weight->removeAttr(kernel::layoutAttrName);
  }

  /// Bytes of the weights that a decode call reads: all that it reaches, but of a table of embeddings one row.
  int64_t decodeBytes(const WeightUses &uses) {
    int64_t total = 0;
    for (WeightOp weight : getOperation().getOps<WeightOp>()) {
      if (llvm::any_of(uses.of(weight),
                       [](OpOperand *use) { return isa<LinearOp, AddBiasOp, RmsNormOp>(use->getOwner()); }))
        total += kernel::packedBytes(cast<WeightType>(weight.getType()));
    }
    return total;
  }

  StoredWeights source;
};

} // namespace
