// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// recognise-rope: a value that is, element by element, a rotation of pairs of an activation's channels.
#include "dialects/lowbit/Facts.h"
#include "passes/Remarks.h"
#include "passes/import/ContextLength.h"
#include "passes/import/Passes.h"
#include "passes/import/Rotation.h"
#include "passes/import/Rows.h"

#include <list>

namespace halftone {
#define GEN_PASS_DEF_RECOGNISEROPE
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// Three tokens after five: positions differ from tokens.
constexpr Binding binding = {3, 5};

class Recogniser {
public:
  Recogniser(ModuleOp module, func::FuncOp function, AngleTables &tables, WeightFiles &files)
      : module(module), function(function), tables(tables), files(files), builder(module.getContext()) {}

  LogicalResult run();

private:
  LogicalResult replace(NodeOp node, const Rotation &rotation);
  int64_t context(const Rotation &rotation);
  std::optional<int64_t> firstDifference(const AngleSource &source, ArrayRef<float> table, int64_t start);
  LogicalResult checkPositions(NodeOp node, const AngleSource &source, ArrayRef<float> table);
  ArrayRef<float> kept(std::vector<float> table);
  FailureOr<ArrayRef<float>> tableOf(NodeOp node, const AngleSource &source, int64_t length);

  ModuleOp module;
  func::FuncOp function;
  AngleTables &tables;
  WeightFiles &files;
  OpBuilder builder;
  std::unique_ptr<Evaluator> evaluator;
  std::vector<std::pair<AngleSource, ArrayRef<float>>> evaluated;
  std::list<std::vector<float>> contents; // a list: tables stay where they are
};

} // namespace

int64_t Recogniser::context(const Rotation &rotation) {
  if (auto stated = module->getAttrOfType<IntegerAttr>(facts::context))
    return stated.getInt();
  int64_t length = gatheredRows(rotation.cosines.pairs[0][0].factor).value_or(defaultContext);
  module->setAttr(facts::context, builder.getI64IntegerAttr(length));
  return length;
}

/// The first position, from \p start on, for which the graph has another angle than the table; nothing where all agree.
std::optional<int64_t> Recogniser::firstDifference(const AngleSource &source, ArrayRef<float> table, int64_t start) {
  size_t pairs = source.pairs.size();
  for (auto [pair, entries] : llvm::enumerate(source.pairs)) {
    AngleColumn column(*evaluator, entries[0]);
    for (int64_t t = 0; t < binding.tokens; ++t) {
      size_t index = (start + t) * pairs + pair;
      if (index < table.size() && (t >= column.size() || column[t] != table[index]))
        return start + t;
    }
  }
  return std::nullopt;
}

/// Token t stands at position past + t; in a graph without a past, at t.
LogicalResult Recogniser::checkPositions(NodeOp node, const AngleSource &source, ArrayRef<float> table) {
  bool hasPast = false;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    hasPast |= function.getArgAttr(i, pastAttribute) != nullptr;
  auto difference = firstDifference(source, table, binding.past);
  if (!difference || (!hasPast && !firstDifference(source, table, 0)))
    return success();
  return emitNodeError(node) << "the rotation's angles are no function of the position: they differ at position "
                             << *difference;
}

/// Layers may each compute the same table: one is kept.
ArrayRef<float> Recogniser::kept(std::vector<float> table) {
  auto same = llvm::find(contents, table);
  return same != contents.end() ? *same : contents.emplace_back(std::move(table));
}

/// The table of one of the two, evaluated once for all layers that read the same values.
FailureOr<ArrayRef<float>> Recogniser::tableOf(NodeOp node, const AngleSource &source, int64_t length) {
  auto known = llvm::find_if(evaluated, [&](const auto &entry) { return entry.first == source; });
  if (known == evaluated.end()) {
    auto table = angleTable(source, length, files);
    if (!table)
      return emitNodeError(node) << table.error().message;
    known = evaluated.insert(evaluated.end(), {source, kept(std::move(*table))});
  }
  if (failed(checkPositions(node, source, known->second)))
    return failure();
  return known->second;
}

LogicalResult Recogniser::replace(NodeOp node, const Rotation &rotation) {
  int64_t length = context(rotation);
  auto cosines = tableOf(node, rotation.cosines, length);
  if (failed(cosines))
    return failure();
  auto sines = tableOf(node, rotation.sines, length);
  if (failed(sines))
    return failure();
  builder.setInsertionPoint(node);
  Location location = node.getLoc();
  const HeadLayout &layout = rotation.layout;
  Value rows = toRows(builder, rotation.activation, layout.first, layout.heads * layout.size);
  Value cos = tables.handle(builder, module.getLoc(), "rope.cos", length, *cosines);
  Value sin = tables.handle(builder, module.getLoc(), "rope.sin", length, *sines);
  Value rope = lowbit::RopeOp::create(builder, location, rows.getType(), rows, cos, sin, function.getArgument(1),
                                      builder.getI64IntegerAttr(layout.heads),
                                      rotation.interleaved ? builder.getUnitAttr() : UnitAttr());
  auto split = RankedTensorType::get({1, ShapedType::kDynamic, layout.heads, layout.size}, builder.getF32Type());
  Value shape = makeIntegers(builder, location, {1, -1, layout.heads, layout.size});
  Value result = makeNode(builder, node, "Reshape", {batched(builder, rope), shape}, split);
  if (layout.headsFirst) {
    NamedAttribute order(builder.getStringAttr("perm"), builder.getDenseI64ArrayAttr({0, 2, 1, 3}));
    result = makeNode(builder, node, "Transpose", result, node.getOutputs()[0].getType(), order);
  }
  rewrote(location, "recognise-rope") << remark::metric("heads", layout.heads) << remark::metric("size", layout.size)
                                      << remark::metric("interleaved", rotation.interleaved);
  node.getOutputs()[0].replaceAllUsesWith(result);
  return success();
}

LogicalResult Recogniser::run() {
  SmallVector<NodeOp> nodes;
  function.walk([&](NodeOp node) { nodes.push_back(node); });
  auto renew = [&] { evaluator = std::make_unique<Evaluator>(binding, files, Evaluator::Unknowns::Roots); };
  renew();
  for (NodeOp node : nodes) {
    auto rotation = node.getNumResults() == 1 ? findRotation(node.getOutputs()[0], binding, *evaluator) : std::nullopt;
    if (!rotation)
      continue;
    if (failed(replace(node, *rotation)))
      return failure();
    renew();
  }
  eraseDead(function);
  return success();
}

namespace {
struct RecogniseRopePass : halftone::impl::RecogniseRopeBase<RecogniseRopePass> {
  using RecogniseRopeBase::RecogniseRopeBase;

  void runOnOperation() override {
    WeightFiles files;
    AngleTables tables(getOperation(), work,
                       model.empty() ? std::vector<std::string>() : std::vector{model.getValue()});
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      bool isForward = function.getNumArguments() >= 2 && function.getArgument(1).getType().isIndex();
      if (isForward && failed(Recogniser(getOperation(), function, tables, files).run()))
        return signalPassFailure();
    }
    if (Status written = tables.write(); !written) {
      emitError(getOperation().getLoc()) << written.error().message;
      signalPassFailure();
    }
  }
};
} // namespace
