// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Computes derived weights into a work file.
#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "dialects/lowbit/WeightUses.h"
#include "dialects/lowbit/WorkFile.h"
#include "lib/matrix/Tiles.h"
#include "lib/quantize/Hadamard.h"
#include "passes/Remarks.h"
#include "passes/quantize/Derivation.h"
#include "passes/quantize/HoistDerivations.h"
#include "passes/quantize/NamedFormats.h"
#include "passes/quantize/Passes.h"

#include "mlir/IR/Threading.h"

#include <map>

using namespace mlir;
using namespace halftone::lowbit;
using halftone::quantize::Derivation;

namespace halftone {
#define GEN_PASS_DEF_EVALUATEWEIGHTS
#include "passes/quantize/Passes.h.inc"

namespace {

/// Rows, and columns where rows are mixed, that one thread computes at a time.
constexpr int64_t tileSize = 64;

/// A step with what it reads.
struct LoadedStep {
  using Kind = quantize::DerivationStep::Kind;

  Kind kind;
  int64_t first; ///< the row that the first factor of rows is for
  std::vector<float> factors;
  std::optional<quantize::Rotation> rotation;

  bool mixesRows() const { return kind == Kind::RotateRows; }

  /// Does the step to `part`: rows `start` and those after it; or, when it mixes rows, some columns of all rows.
  void apply(matrix::MatrixView<float> part, int64_t start) const {
    if (kind == Kind::RotateColumns)
      return rotation->rotateColumns(part);
    if (kind == Kind::RotateRows)
      return rotation->rotateRows(part);
    for (int64_t row = 0; row < part.rows; ++row)
      for (int64_t column = 0; column < part.columns; ++column)
        part(row, column) *= kind == Kind::ScaleRows ? factors[start - first + row] : factors[column];
  }
};

class EvaluateWeightsPass : public impl::EvaluateWeightsBase<EvaluateWeightsPass> {
public:
  using EvaluateWeightsBase::EvaluateWeightsBase;

  void runOnOperation() override {
    if (failed(quantize::hoistDerivations(getOperation())))
      return signalPassFailure();
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isDerivation(op))
        ops.push_back(op);
    });
    if (ops.empty())
      return;
    if (failed(evaluateAll(ops)))
      return signalPassFailure();
    for (Operation *op : llvm::reverse(ops))
      op->erase();
    propagateWeightTypes(getOperation());
  }

private:
  /// Evaluates each of `ops` that more than further derivations read, and gives the new weight to those readers.
  LogicalResult evaluateAll(ArrayRef<Operation *> ops) {
    auto file = WorkFile::create(work, getOperation(), getArgument());
    if (!file)
      return getOperation().emitError(file.error().message);
    SymbolTable symbols(getOperation());
    std::map<decltype(Derivation().key()), WeightOp> evaluated;
    for (Operation *op : ops) {
      if (llvm::all_of(op->getUsers(), isDerivation))
        continue;
      FailureOr<Derivation> derivation = quantize::traceDerivation(op, symbols);
      if (failed(derivation))
        return failure();
      WeightOp &weight = evaluated[derivation->key()];
      if (!weight && failed(evaluate(*derivation, **file, symbols, weight)))
        return failure();
      OpBuilder builder(op);
      Value handle = GetOp::create(builder, op->getLoc(), weight.getType(), weight.getSymName());
      op->getResult(0).replaceUsesWithIf(handle, [](OpOperand &use) { return !isDerivation(use.getOwner()); });
    }
    if (Status status = (*file)->commit(); !status)
      return getOperation().emitError(status.error().message);
    return success();
  }

  LogicalResult evaluate(const Derivation &derivation, WorkFile &file, SymbolTable &symbols, WeightOp &weight) {
    WeightOp matrix = derivation.matrix;
    Expected<uint64_t> offset = write(derivation, file);
    source.release(matrix);
    if (!offset)
      return matrix.emitError(offset.error().message);
    auto plain = FormatAttr::get(&getContext(), formats::Format::plain(formats::Scalar::F32));
    SmallVector<int64_t> shape(cast<WeightType>(matrix.getType()).getShape());
    shape[0] = derivation.count;
    OpBuilder builder(&getContext());
    weight = WeightOp::create(builder, matrix.getLoc(), derivation.name(), WeightType::get(&getContext(), shape, plain),
                              file.path(), *offset, /*transposed=*/false);
    quantize::inheritNamedFormat(weight, matrix);
    symbols.insert(weight, std::next(Block::iterator(matrix)));
    rewrote(matrix.getLoc(), "evaluate-weights") << remark::metric("weight", weight.getSymName());
    return success();
  }

  Expected<uint64_t> write(const Derivation &derivation, WorkFile &file) {
    WeightOp named = derivation.matrix;
    Expected<formats::StoredMatrix> matrix = source.open(named);
    if (!matrix)
      return matrix.error();
    Expected<std::vector<LoadedStep>> steps = load(derivation);
    if (!steps)
      return steps.error();
    if (cast<WeightType>(named.getType()).getShape().size() == 1) { // stored as one row
      const RowChunk chunk(*matrix, 0, 1);
      return writeWhole({&chunk.row(0)[derivation.first], derivation.count, 1}, derivation.first, *steps, file);
    }
    if (llvm::none_of(*steps, [](const LoadedStep &step) { return step.mixesRows(); }))
      return writeStreamed(derivation, *matrix, *steps, file);
    std::vector<float> values = readRows(derivation, *matrix);
    return writeWhole({values.data(), derivation.count, matrix->shape().columns}, derivation.first, *steps, file);
  }

  Expected<uint64_t> writeStreamed(const Derivation &derivation, const formats::StoredMatrix &matrix,
                                   ArrayRef<LoadedStep> steps, WorkFile &file) {
    const int64_t first = derivation.first, columns = matrix.shape().columns;
    const int64_t rowBytes = columns * static_cast<int64_t>(sizeof(float));
    const uint64_t offset = file.reserve(derivation.count * rowBytes);
    Status status = streamRows(&getContext(), matrix, first, derivation.count, [&](int64_t, RowChunk &chunk) {
      const matrix::MatrixView<float> rows(chunk.row(chunk.first()).data(), chunk.last() - chunk.first(), columns);
      for (const LoadedStep &step : steps)
        step.apply(rows, chunk.first());
      return file.writeAt(offset + (chunk.first() - first) * rowBytes, chunk.bytes());
    });
    if (!status)
      return status.error();
    return offset;
  }

  std::vector<float> readRows(const Derivation &derivation, const formats::StoredMatrix &matrix) {
    const int64_t columns = matrix.shape().columns;
    std::vector<float> values(derivation.count * columns);
    (void)streamRows(&getContext(), matrix, derivation.first, derivation.count, [&](int64_t, RowChunk &chunk) {
      for (int64_t row = chunk.first(); row < chunk.last(); ++row)
        std::ranges::copy(chunk.row(row), values.begin() + (row - derivation.first) * columns);
      return Status();
    });
    return values;
  }

  /// Writes what becomes of `values`, all rows of a derivation, which begins at row `first`.
  Expected<uint64_t> writeWhole(matrix::MatrixView<float> values, int64_t first, ArrayRef<LoadedStep> steps,
                                WorkFile &file) {
    for (const LoadedStep &step : steps) {
      const matrix::Tiles tiles{step.mixesRows() ? values.columns : values.rows, tileSize};
      parallelFor(&getContext(), 0, tiles.count(), [&](int64_t tile) {
        const int64_t start = tiles.start(tile), length = tiles.length(tile);
        if (step.mixesRows())
          step.apply(values.block(0, start, values.rows, length), first);
        else
          step.apply(values.block(start, 0, length, values.columns), first + start);
      });
    }
    const std::span<const float> all(values.data, values.rows * values.columns);
    const uint64_t offset = file.reserve(all.size_bytes());
    if (Status status = file.writeAt(offset, std::as_bytes(all)); !status)
      return status.error();
    return offset;
  }

  Expected<std::vector<LoadedStep>> load(const Derivation &derivation) {
    std::vector<LoadedStep> steps;
    for (const quantize::DerivationStep &step : derivation.steps) {
      if (step.factors == nullptr) {
        steps.push_back({step.kind, 0, {}, quantize::Rotation(step.size, step.seed)});
        continue;
      }
      Expected<formats::StoredMatrix> row = source.open(cast<WeightOp>(step.factors));
      if (!row)
        return row.error();
      const RowChunk chunk(*row, 0, 1);
      steps.push_back({step.kind, step.first, {chunk.row(0).begin(), chunk.row(0).end()}, {}});
    }
    return steps;
  }

  StoredWeights source;
};

} // namespace
} // namespace halftone
