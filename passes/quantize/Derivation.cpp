// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a derived handle back to the weight with a name.
#include "passes/quantize/Derivation.h"

#include "dialects/lowbit/WeightUses.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone::lowbit;
using namespace halftone::quantize;

using Kind = DerivationStep::Kind;

static int64_t rowsOf(WeightOp weight) { return cast<WeightType>(weight.getType()).getShape()[0]; }

std::string Derivation::name() const {
  WeightOp source = matrix;
  const auto isScaling = [](const DerivationStep &step) { return step.factors != nullptr; };
  std::string done;
  if (count != rowsOf(source))
    done += ".from" + std::to_string(first);
  if (llvm::any_of(steps, isScaling))
    done += ".scaled";
  if (!llvm::all_of(steps, isScaling))
    done += ".rotated";
  return source.getSymName().str() + (done.empty() ? ".wide" : done);
}

static LogicalResult noName(Operation *op) {
  return op->emitOpError("derives a weight from a handle that is no lowbit.get");
}

/// What the matrix of `op` is: a named weight, or derived itself.
static FailureOr<Derivation> traceMatrix(Operation *op, SymbolTable &symbols) {
  Operation *maker = op->getOperand(0).getDefiningOp();
  if (maker && isDerivation(maker))
    return traceDerivation(maker, symbols);
  auto get = dyn_cast_or_null<GetOp>(maker);
  auto matrix = get ? symbols.lookup<WeightOp>(get.getName()) : WeightOp();
  if (!matrix)
    return noName(op);
  return Derivation{matrix, 0, rowsOf(matrix), {}};
}

static LogicalResult slice(SliceRowsOp op, Derivation &derivation) {
  if (llvm::any_of(derivation.steps, [](const DerivationStep &step) { return step.kind == Kind::RotateRows; }))
    return op.emitOpError("takes rows of a weight whose rows are rotated: they can only be taken before");
  derivation.first += static_cast<int64_t>(op.getFirst());
  derivation.count = op.getType().getShape()[0];
  return success();
}

/// \param op scales `kind` of a derivation's matrix.
static LogicalResult scale(Operation *op, Kind kind, SymbolTable &symbols, Derivation &derivation) {
  Value factors = op->getOperand(1);
  if (auto wide = factors.getDefiningOp<WidenOp>())
    factors = wide.getWeight();
  auto get = factors.getDefiningOp<GetOp>();
  if (!get)
    return noName(op);
  derivation.steps.push_back({kind, symbols.lookup(get.getName()), derivation.first});
  return success();
}

template <class Op> static LogicalResult rotate(Op op, Kind kind, Derivation &derivation) {
  derivation.steps.push_back(
      {.kind = kind, .size = static_cast<int64_t>(op.getSize()), .seed = static_cast<int64_t>(op.getSeed())});
  return success();
}

FailureOr<Derivation> halftone::quantize::traceDerivation(Operation *op, SymbolTable &symbols) {
  FailureOr<Derivation> derivation = traceMatrix(op, symbols);
  if (failed(derivation))
    return failure();
  const LogicalResult added =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](SliceRowsOp slicing) { return slice(slicing, *derivation); })
          .Case([&](WidenOp) { return success(); }) // what is written is f32
          .Case([&](ScaleColumnsOp) { return scale(op, Kind::ScaleColumns, symbols, *derivation); })
          .Case([&](ScaleRowsOp) { return scale(op, Kind::ScaleRows, symbols, *derivation); })
          .Case([&](RotateColumnsOp rotation) { return rotate(rotation, Kind::RotateColumns, *derivation); })
          .Case([&](RotateRowsOp rotation) { return rotate(rotation, Kind::RotateRows, *derivation); });
  if (failed(added))
    return failure();
  return derivation;
}
