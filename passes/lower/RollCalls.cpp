// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The calls of a model's layers become a loop over a table of what distinguishes them.
#include "passes/Remarks.h"
#include "passes/lower/Passes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_ROLLCALLS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// Fewer calls are no longer than a loop.
constexpr size_t shortestRun = 3;

/// The number in an operand: a constant itself, or where a view begins.
std::optional<int64_t> numberOf(Value operand) {
  if (auto view = operand.getDefiningOp<memref::ViewOp>(); view && view.getSizes().empty())
    operand = view.getByteShift();
  return getConstantIntValue(operand);
}

/// Whether two operands are the same but for their numbers.
bool isAlike(Value a, Value b) {
  if (a == b)
    return true;
  if (a.getType() != b.getType() || !numberOf(a) || !numberOf(b))
    return false;
  auto view = a.getDefiningOp<memref::ViewOp>(), other = b.getDefiningOp<memref::ViewOp>();
  return view && other ? view.getSource() == other.getSource() : !view && !other;
}

bool isAlike(func::CallOp a, func::CallOp b) {
  return a.getCallee() == b.getCallee() &&
         llvm::all_of_zip(a.getOperands(), b.getOperands(), [](Value x, Value y) { return isAlike(x, y); });
}

using Run = SmallVector<func::CallOp>;

/// The runs of `block`: calls without results, nothing with an effect between them.
SmallVector<Run> findRuns(Block &block) {
  SmallVector<Run> runs(1);
  for (Operation &op : block) {
    auto call = dyn_cast<func::CallOp>(op);
    if (call && call.getNumResults() == 0) {
      if (!runs.back().empty() && !isAlike(runs.back().front(), call))
        runs.emplace_back();
      runs.back().push_back(call);
    } else if (!isPure(&op)) {
      runs.emplace_back();
    }
  }
  llvm::erase_if(runs, [](const Run &run) { return run.size() < shortestRun; });
  return runs;
}

class Roller {
public:
  explicit Roller(ModuleOp module) : module(module), symbols(module) {}

  void roll(func::FuncOp function) {
    for (Block &block : function.getBody())
      for (Run &run : findRuns(block))
        roll(run, (function.getName() + ".calls").str());
  }

private:
  void roll(Run &run, const std::string &name) {
    OperandRange operands = run.front().getOperands();
    SmallVector<unsigned> varying;
    for (unsigned i = 0; i < operands.size(); ++i)
      if (!llvm::all_equal(llvm::map_range(run, [&](func::CallOp call) { return numberOf(call.getOperand(i)); })))
        varying.push_back(i);
    OpBuilder builder(run.front());
    const Location loc = run.front().getLoc();
    auto index = [&](size_t value) { return arith::ConstantIndexOp::create(builder, loc, value); };
    memref::GlobalOp table = makeTable(run, varying, name);
    Value numbers = memref::GetGlobalOp::create(builder, loc, table.getType(), table.getSymName());
    auto loop = scf::ForOp::create(builder, loc, index(0), index(run.size()), index(1));
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> arguments(operands);
    for (auto [column, i] : llvm::enumerate(varying)) {
      Value stored = memref::LoadOp::create(builder, loc, numbers, ValueRange{loop.getInductionVar(), index(column)});
      Value number = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), stored);
      auto view = operands[i].getDefiningOp<memref::ViewOp>();
      arguments[i] =
          view ? memref::ViewOp::create(builder, loc, view.getType(), view.getSource(), number, ValueRange()) : number;
    }
    func::CallOp::create(builder, loc, run.front().getCallee(), TypeRange(), arguments);
    rewrote(loc, "roll-calls") << remark::metric("calls", run.size());
    for (func::CallOp call : run)
      call.erase();
  }

  /// One row for each call.
  memref::GlobalOp makeTable(Run &run, ArrayRef<unsigned> varying, StringRef name) {
    SmallVector<int64_t> numbers;
    for (func::CallOp call : run)
      for (unsigned i : varying)
        numbers.push_back(*numberOf(call.getOperand(i)));
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    const int64_t shape[] = {static_cast<int64_t>(run.size()), static_cast<int64_t>(varying.size())};
    auto values = DenseIntElementsAttr::get(RankedTensorType::get(shape, builder.getI64Type()), numbers);
    auto table = memref::GlobalOp::create(builder, run.front().getLoc(), name, builder.getStringAttr("private"),
                                          MemRefType::get(shape, builder.getI64Type()), values, /*constant=*/true,
                                          /*alignment=*/IntegerAttr());
    symbols.insert(table);
    return table;
  }

  ModuleOp module;
  SymbolTable symbols;
};

class RollCallsPass : public halftone::impl::RollCallsBase<RollCallsPass> {
public:
  void runOnOperation() override {
    Roller roller(getOperation());
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal())
        roller.roll(function);
  }
};

} // namespace
