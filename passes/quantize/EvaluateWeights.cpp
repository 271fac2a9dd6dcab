// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Computes derived weights into a work file.
#include "dialects/lowbit/StoredWeights.h"
#include "lib/formats/Packing.h"
#include "passes/quantize/HoistDerivations.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/PropagateTypes.h"
#include "passes/quantize/StreamRows.h"
#include "passes/quantize/WorkFile.h"

#include <map>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_EVALUATEWEIGHTS
#include "passes/quantize/Passes.h.inc"

namespace {

/// A named matrix and the factors its columns are multiplied with, in order.
struct Derivation {
  WeightOp matrix;
  SmallVector<WeightOp> factors;

  /// Equal for derivations that give the same weight.
  SmallVector<Operation *> key() const {
    SmallVector<Operation *> result{matrix};
    result.append(factors.begin(), factors.end());
    return result;
  }
};

class EvaluateWeightsPass : public impl::EvaluateWeightsBase<EvaluateWeightsPass> {
public:
  using EvaluateWeightsBase::EvaluateWeightsBase;

  void runOnOperation() override {
    if (failed(quantize::hoistDerivations(getOperation())))
      return signalPassFailure();
    SmallVector<ScaleColumnsOp> ops;
    getOperation().walk([&](ScaleColumnsOp op) { ops.push_back(op); });
    if (ops.empty())
      return;
    if (failed(evaluateAll(ops)))
      return signalPassFailure();
    for (ScaleColumnsOp op : llvm::reverse(ops))
      op.erase();
    quantize::propagateWeightTypes(getOperation());
  }

private:
  /// What `op` computes from named weights; fails when a handle has another source.
  FailureOr<Derivation> trace(ScaleColumnsOp op, SymbolTable &symbols) {
    Derivation derivation;
    if (auto inner = op.getMatrix().getDefiningOp<ScaleColumnsOp>()) {
      FailureOr<Derivation> before = trace(inner, symbols);
      if (failed(before))
        return failure();
      derivation = *before;
    } else if (auto get = op.getMatrix().getDefiningOp<GetOp>()) {
      derivation.matrix = symbols.lookup<WeightOp>(get.getName());
    }
    auto factors = op.getFactors().getDefiningOp<GetOp>();
    if (!derivation.matrix || !factors)
      return op.emitOpError("derives a weight from a handle that is no lowbit.get");
    derivation.factors.push_back(symbols.lookup<WeightOp>(factors.getName()));
    return derivation;
  }

  /// Evaluates each of `ops` that more than further derivations read, and gives the new weight to those readers.
  LogicalResult evaluateAll(ArrayRef<ScaleColumnsOp> ops) {
    auto file = quantize::WorkFile::create(work, getOperation(), getArgument());
    if (!file)
      return getOperation().emitError(file.error().message);
    SymbolTable symbols(getOperation());
    std::map<SmallVector<Operation *>, WeightOp> evaluated;
    for (ScaleColumnsOp op : ops) {
      if (llvm::all_of(op->getUsers(), llvm::IsaPred<ScaleColumnsOp>))
        continue;
      FailureOr<Derivation> derivation = trace(op, symbols);
      if (failed(derivation))
        return failure();
      WeightOp &weight = evaluated[derivation->key()];
      if (!weight && failed(evaluate(*derivation, **file, symbols, weight)))
        return failure();
      OpBuilder builder(op);
      Value handle = GetOp::create(builder, op.getLoc(), weight.getType(), weight.getSymName());
      op.getResult().replaceUsesWithIf(handle, [](OpOperand &use) { return !isa<ScaleColumnsOp>(use.getOwner()); });
    }
    if (Status status = (*file)->commit(); !status)
      return getOperation().emitError(status.error().message);
    return success();
  }

  LogicalResult evaluate(const Derivation &derivation, quantize::WorkFile &file, SymbolTable &symbols,
                         WeightOp &weight) {
    Expected<uint64_t> offset = write(derivation, file);
    WeightOp matrix = derivation.matrix;
    if (!offset)
      return matrix.emitError(offset.error().message);
    auto plain = FormatAttr::get(&getContext(), formats::Format::plain(formats::Scalar::F32));
    auto type = WeightType::get(&getContext(), cast<WeightType>(matrix.getType()).getShape(), plain);
    OpBuilder builder(&getContext());
    weight = WeightOp::create(builder, matrix.getLoc(), (matrix.getSymName() + ".scaled").str(), type, file.path(),
                              *offset, /*transposed=*/false);
    symbols.insert(weight, std::next(Block::iterator(matrix)));
    return success();
  }

  Expected<uint64_t> write(const Derivation &derivation, quantize::WorkFile &file) {
    Expected<formats::StoredMatrix> matrix = source.open(derivation.matrix);
    if (!matrix)
      return matrix.error();
    Expected<std::vector<std::vector<float>>> factors = readFactors(derivation);
    if (!factors)
      return factors.error();
    const int64_t rowBytes = matrix->shape().columns * static_cast<int64_t>(sizeof(float));
    const uint64_t offset = file.reserve(matrix->shape().rows * rowBytes);
    Status status = quantize::streamRows(&getContext(), *matrix, [&](int64_t, quantize::RowChunk &chunk) -> Status {
      for (int64_t row = chunk.first(); row < chunk.last(); ++row)
        for (const std::vector<float> &factor : *factors)
          for (size_t column = 0; column < factor.size(); ++column)
            chunk.row(row)[column] *= factor[column];
      return file.writeAt(offset + chunk.first() * rowBytes, chunk.bytes());
    });
    source.release(derivation.matrix);
    if (!status)
      return status.error();
    return offset;
  }

  Expected<std::vector<std::vector<float>>> readFactors(const Derivation &derivation) {
    std::vector<std::vector<float>> result;
    for (WeightOp weight : derivation.factors) {
      Expected<formats::StoredMatrix> row = source.open(weight);
      if (!row)
        return row.error();
      const quantize::RowChunk chunk(*row, 0, 1);
      result.emplace_back(chunk.row(0).begin(), chunk.row(0).end());
    }
    return result;
  }

  StoredWeights source;
};

} // namespace
} // namespace halftone
