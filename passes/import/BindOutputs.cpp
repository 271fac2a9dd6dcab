// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bind-outputs: logits of all tokens, nothing else.
#include "passes/import/Evaluate.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_BINDOUTPUTS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

static constexpr Binding binding = {3, 5};

/// Whether `value` holds an argument's past keys or values and what came after them.
static bool isPresent(Value value, Evaluator &evaluator, func::FuncOp function) {
  const Tensor &tensor = evaluator.evaluate(value);
  if (tensor.content != Tensor::Content::Forms)
    return false;
  for (const Form &form : tensor.forms)
    for (const Term &term : form)
      if (auto argument = dyn_cast<BlockArgument>(term.root))
        if (function.getArgAttr(argument.getArgNumber(), pastAttribute))
          return true;
  return false;
}

static InFlightDiagnostic error(func::FuncOp function) {
  auto source = function->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>("halftone.source");
  return emitError(function.getLoc()) << (source ? source.getValue() : "model") << ": ";
}

/// Every token that the logits can choose has a row in each embedding table.
static LogicalResult checkTables(func::FuncOp function, int64_t vocabulary) {
  for (auto embedding : function.getOps<lowbit::EmbeddingOp>()) {
    int64_t rows = cast<lowbit::WeightType>(embedding.getTable().getType()).getShape()[0];
    if (rows >= vocabulary)
      continue;
    lowbit::WeightOp table = weightOf(embedding.getTable());
    return error(function) << "the logits are of " << vocabulary << " tokens, but the embedding table '"
                           << (table ? table.getSymName() : "") << "' has " << rows << " rows";
  }
  return success();
}

static LogicalResult keepLogits(func::FuncOp function) {
  Operation *end = function.getBody().front().getTerminator();
  WeightFiles files;
  Evaluator evaluator(binding, files, Evaluator::Unknowns::Roots);
  SmallVector<Value> logits;
  for (Value value : end->getOperands())
    if (!isPresent(value, evaluator, function))
      logits.push_back(value);
  if (logits.size() != 1)
    return error(function) << "the graph gives " << logits.size() << " results beside present keys and values, not "
                           << "just logits";
  if (!isBatchedRows(logits[0]) && !(dimensions(logits[0]) && dimensions(logits[0])->size() == 2))
    return error(function) << "the result is " << logits[0].getType() << ", not [1, tokens, vocabulary]";
  if (failed(checkTables(function, dimensions(logits[0])->back())))
    return failure();
  OpBuilder builder(end);
  Value rows = toRows(builder, logits[0]);
  end->setOperands(rows);
  function.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), rows.getType()));
  eraseDead(function);
  return success();
}

static LogicalResult dropPast(func::FuncOp function) {
  llvm::BitVector drop(function.getNumArguments());
  for (BlockArgument argument : function.getArguments()) {
    if (!function.getArgAttr(argument.getArgNumber(), pastAttribute))
      continue;
    if (!argument.use_empty())
      return emitError(argument.getLoc()) << "past keys or values are read by something that is no attention";
    drop.set(argument.getArgNumber());
  }
  return function.eraseArguments(drop);
}

namespace {
struct BindOutputsPass : halftone::impl::BindOutputsBase<BindOutputsPass> {
  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>("forward");
    if (!function) {
      emitError(getOperation().getLoc()) << "there is no function @forward to bind the outputs of";
      return signalPassFailure();
    }
    if (failed(keepLogits(function)) || failed(dropPast(function)))
      signalPassFailure();
  }
};
} // namespace
