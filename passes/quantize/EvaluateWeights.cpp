// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Computes derived weights into a work file.
#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "dialects/lowbit/WeightUses.h"
#include "dialects/lowbit/WorkFile.h"
#include "lib/formats/Packing.h"
#include "passes/Remarks.h"
#include "passes/quantize/HoistDerivations.h"
#include "passes/quantize/Passes.h"

#include <map>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_EVALUATEWEIGHTS
#include "passes/quantize/Passes.h.inc"

namespace {

/// Factors of all columns of a matrix, or of its rows from `first` on.
struct Factors {
  Operation *weight;
  bool ofRows;
  int64_t first;

  auto operator<=>(const Factors &) const = default;
};

/// Rows of a named matrix, or elements of a vector, and the factors that they are multiplied with, in order.
struct Derivation {
  WeightOp matrix;
  int64_t first = 0, count = 0; ///< rows
  std::vector<Factors> factors;

  /// Equal for derivations that give the same weight.
  auto key() const {
    WeightOp source = matrix;
    return std::tuple(source.getOperation(), first, count, factors);
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
  /// What the derivation `op` computes from named weights; fails when a handle has another source.
  FailureOr<Derivation> trace(Operation *op, SymbolTable &symbols) {
    FailureOr<Derivation> derivation = traceMatrix(op, symbols);
    if (failed(derivation))
      return failure();
    if (auto slice = dyn_cast<SliceRowsOp>(op)) {
      derivation->first += static_cast<int64_t>(slice.getFirst());
      derivation->count = slice.getType().getShape()[0];
      return derivation;
    }
    if (isa<WidenOp>(op)) // what is written is f32
      return derivation;
    Value factors = op->getOperand(1); // of a matrix' columns or rows
    if (auto wide = factors.getDefiningOp<WidenOp>())
      factors = wide.getWeight();
    auto get = factors.getDefiningOp<GetOp>();
    if (!get)
      return noName(op);
    derivation->factors.push_back({symbols.lookup(get.getName()), isa<ScaleRowsOp>(op), derivation->first});
    return derivation;
  }

  /// What the matrix of `op` is: a named weight, or derived itself.
  FailureOr<Derivation> traceMatrix(Operation *op, SymbolTable &symbols) {
    Operation *maker = op->getOperand(0).getDefiningOp();
    if (maker && isDerivation(maker))
      return trace(maker, symbols);
    auto get = dyn_cast_or_null<GetOp>(maker);
    auto matrix = get ? symbols.lookup<WeightOp>(get.getName()) : WeightOp();
    if (!matrix)
      return noName(op);
    return Derivation{matrix, 0, cast<WeightType>(matrix.getType()).getShape()[0], {}};
  }

  static LogicalResult noName(Operation *op) {
    return op->emitOpError("derives a weight from a handle that is no lowbit.get");
  }

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
      FailureOr<Derivation> derivation = trace(op, symbols);
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

  /// The matrix' name, then what was done with it: `qkv.from288.scaled`.
  static std::string nameOf(const Derivation &derivation) {
    WeightOp matrix = derivation.matrix;
    const bool isPart = derivation.count != cast<WeightType>(matrix.getType()).getShape()[0];
    std::string name = matrix.getSymName().str();
    if (isPart)
      name += ".from" + std::to_string(derivation.first);
    if (!derivation.factors.empty())
      name += ".scaled";
    return isPart || !derivation.factors.empty() ? name : name + ".wide";
  }

  LogicalResult evaluate(const Derivation &derivation, WorkFile &file, SymbolTable &symbols, WeightOp &weight) {
    WeightOp matrix = derivation.matrix;
    const bool isVector = cast<WeightType>(matrix.getType()).getShape().size() == 1;
    Expected<uint64_t> offset = isVector ? writeVector(derivation, file) : writeMatrix(derivation, file);
    if (!offset)
      return matrix.emitError(offset.error().message);
    auto plain = FormatAttr::get(&getContext(), formats::Format::plain(formats::Scalar::F32));
    SmallVector<int64_t> shape(cast<WeightType>(matrix.getType()).getShape());
    shape[0] = derivation.count;
    OpBuilder builder(&getContext());
    weight = WeightOp::create(builder, matrix.getLoc(), nameOf(derivation),
                              WeightType::get(&getContext(), shape, plain), file.path(), *offset, /*transposed=*/false);
    symbols.insert(weight, std::next(Block::iterator(matrix)));
    rewrote(matrix.getLoc(), "evaluate-weights") << remark::metric("weight", weight.getSymName());
    return success();
  }

  Expected<uint64_t> writeMatrix(const Derivation &derivation, WorkFile &file) {
    Expected<formats::StoredMatrix> matrix = source.open(derivation.matrix);
    if (!matrix)
      return matrix.error();
    Expected<std::vector<std::vector<float>>> factors = readFactors(derivation);
    if (!factors)
      return factors.error();
    const int64_t first = derivation.first, count = derivation.count;
    const int64_t rowBytes = matrix->shape().columns * static_cast<int64_t>(sizeof(float));
    const uint64_t offset = file.reserve(count * rowBytes);
    Status status = streamRows(&getContext(), *matrix, first, count, [&](int64_t, RowChunk &chunk) {
      for (int64_t row = chunk.first(); row < chunk.last(); ++row)
        multiply(chunk.row(row), row, derivation.factors, *factors);
      return file.writeAt(offset + (chunk.first() - first) * rowBytes, chunk.bytes());
    });
    source.release(derivation.matrix);
    if (!status)
      return status.error();
    return offset;
  }

  /// A vector is stored as one row: its elements from `first` on.
  Expected<uint64_t> writeVector(const Derivation &derivation, WorkFile &file) {
    Expected<formats::StoredMatrix> row = source.open(derivation.matrix);
    if (!row)
      return row.error();
    const RowChunk chunk(*row, 0, 1);
    Expected<std::vector<std::vector<float>>> factors = readFactors(derivation);
    if (!factors)
      return factors.error();
    const std::span<float> elements = chunk.row(0).subspan(derivation.first, derivation.count);
    for (int64_t i = 0; i < derivation.count; ++i) // an element is a row of one column
      multiply(elements.subspan(i, 1), derivation.first + i, derivation.factors, *factors);
    const uint64_t offset = file.reserve(elements.size_bytes());
    if (Status status = file.writeAt(offset, std::as_bytes(elements)); !status)
      return status.error();
    return offset;
  }

  /// Multiplies row `index` of a matrix with its factors.
  static void multiply(std::span<float> row, int64_t index, ArrayRef<Factors> factors,
                       ArrayRef<std::vector<float>> values) {
    for (auto [kind, factor] : llvm::zip(factors, values))
      for (size_t column = 0; column < row.size(); ++column)
        row[column] *= kind.ofRows ? factor[index - kind.first] : factor[column];
  }

  Expected<std::vector<std::vector<float>>> readFactors(const Derivation &derivation) {
    std::vector<std::vector<float>> result;
    for (const Factors &factors : derivation.factors) {
      Expected<formats::StoredMatrix> row = source.open(cast<WeightOp>(factors.weight));
      if (!row)
        return row.error();
      const RowChunk chunk(*row, 0, 1);
      result.emplace_back(chunk.row(0).begin(), chunk.row(0).end());
    }
    return result;
  }

  StoredWeights source;
};

} // namespace
} // namespace halftone
