// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looks for NaNs and infinities in the weights that stay plain.
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "passes/quantize/Passes.h"

#include <cmath>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_CHECKWEIGHTS
#include "passes/quantize/Passes.h.inc"

namespace {

/// The first value of `row` that is no number.
Status checkRow(std::span<const float> row, int64_t index) {
  for (size_t column = 0; column < row.size(); ++column)
    if (!std::isfinite(row[column]))
      return Error{"row " + std::to_string(index) + ", column " + std::to_string(column) + " is " +
                   (std::isnan(row[column]) ? "nan"
                    : row[column] < 0       ? "-inf"
                                            : "inf")};
  return {};
}

class CheckWeightsPass : public impl::CheckWeightsBase<CheckWeightsPass> {
public:
  using CheckWeightsBase::CheckWeightsBase;

  void runOnOperation() override {
    StoredWeights source;
    SymbolTableCollection tables;
    const SymbolUserMap users(tables, getOperation());
    for (WeightOp weight : getOperation().getOps<WeightOp>()) {
      if (!cast<WeightType>(weight.getType()).getFormat().getValue().isPlain() || users.useEmpty(weight))
        continue;
      if (Status status = check(weight, source); !status) {
        weight.emitError(status.error().message);
        return signalPassFailure();
      }
    }
  }

private:
  Status check(WeightOp weight, StoredWeights &source) {
    Expected<formats::StoredMatrix> matrix = source.open(weight);
    if (!matrix)
      return matrix.error();
    Status status = streamRows(&getContext(), *matrix, [](int64_t, RowChunk &chunk) -> Status {
      for (int64_t row = chunk.first(); row < chunk.last(); ++row)
        if (Status bad = checkRow(chunk.row(row), row); !bad)
          return bad;
      return {};
    });
    source.release(weight);
    if (!status)
      return Error{(weight.getFile() + ": weight '" + weight.getSymName() + "', ").str() + status.error().message};
    return {};
  }
};

} // namespace
} // namespace halftone
