// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expand-operators: a table from operator to expansion, and what expansions have in common.
#include "passes/Remarks.h"
#include "passes/import/Expansions.h"
#include "passes/import/Passes.h"

#include <cmath>

namespace halftone {
#define GEN_PASS_DEF_EXPANDOPERATORS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {
struct Row {
  StringLiteral domain, name;
  Expansion expand;
};
} // namespace

static constexpr Row table[] = {
    {"", "Attention", expandAttention},
    {"", "RotaryEmbedding", expandRotaryEmbedding},
    {"com.microsoft", "GroupQueryAttention", expandGroupedAttention},
    {"com.microsoft", "RotaryEmbedding", expandRotaryEmbedding},
    {"com.microsoft", "QuickGelu", expandQuickGelu},
    {"com.microsoft", "SkipSimplifiedLayerNormalization", expandSkipNorm},
};

//===-- Parameters, inputs and outputs ----------------------------------------------------------------------------===//

/// 30, 0.5: as a user writes it.
static std::string plain(double number) {
  SmallString<16> text;
  APFloat(number).toString(text);
  return text.str().str();
}

/// What the bounds of a parameter allow, in words.
static std::string allowed(const Parameter &known) {
  if (!std::isfinite(known.most))
    return plain(known.least) + " or more";
  return known.least == known.most ? plain(known.least) : plain(known.least) + " to " + plain(known.most);
}

static LogicalResult checkParameter(NodeOp node, NamedAttribute attribute, const Parameter &known) {
  auto fail = [&] { return emitNodeError(node) << "parameter '" << known.name << "' is "; };
  if (auto text = dyn_cast<StringAttr>(attribute.getValue())) {
    if (text.getValue() == known.text)
      return success();
    return fail() << "'" << text.getValue() << "', only '" << known.text << "' is supported";
  }
  std::optional<double> value;
  if (auto integer = dyn_cast<IntegerAttr>(attribute.getValue()))
    value = static_cast<double>(integer.getValue().getSExtValue());
  if (auto number = dyn_cast<FloatAttr>(attribute.getValue()))
    value = number.getValueAsDouble();
  if (!value)
    return fail() << "no number";
  if (*value >= known.least && *value <= known.most)
    return success();
  return fail() << plain(*value) << ", only " << allowed(known) << " is supported";
}

LogicalResult halftone::importer::checkParameters(NodeOp node, ArrayRef<Parameter> known) {
  for (NamedAttribute attribute : node.getParameters()) {
    const Parameter *row = llvm::find_if(known, [&](const Parameter &row) { return row.name == attribute.getName(); });
    if (row == known.end())
      return emitNodeError(node) << "parameter '" << attribute.getName().getValue() << "' is not supported";
    if (failed(checkParameter(node, attribute, *row)))
      return failure();
  }
  return success();
}

Value halftone::importer::inputOf(NodeOp node, size_t i) {
  Value input = i < node.getInputs().size() ? node.getInputs()[i] : Value();
  return input && !isa<NoneType>(input.getType()) ? input : Value();
}

/// What a position is called; beyond the names, its number.
static std::string nameOf(ArrayRef<StringLiteral> names, size_t i) {
  return i < names.size() ? names[i].str() : std::to_string(i);
}

LogicalResult halftone::importer::checkInputs(NodeOp node, ArrayRef<StringLiteral> names, size_t supported) {
  for (size_t i = supported; i < node.getInputs().size(); ++i)
    if (inputOf(node, i))
      return emitNodeError(node) << "input '" << nameOf(names, i) << "' is not supported";
  return success();
}

LogicalResult halftone::importer::checkOutputs(NodeOp node, ArrayRef<StringLiteral> names, size_t supported) {
  for (size_t i = supported; i < node.getNumResults(); ++i)
    if (!node.getOutputs()[i].use_empty())
      return emitNodeError(node) << "output '" << nameOf(names, i) << "' is not supported";
  return success();
}

void halftone::importer::replaceOutput(NodeOp node, size_t i, Value value) {
  if (i < node.getNumResults())
    node.getOutputs()[i].replaceAllUsesWith(value);
}

//===-- The pass --------------------------------------------------------------------------------------------------===//

namespace {
struct ExpandOperatorsPass : halftone::impl::ExpandOperatorsBase<ExpandOperatorsPass> {
  void runOnOperation() override {
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) { nodes.push_back(node); });
    WeightFiles files;
    Evaluator shapes({3, 5}, files); // in order: what a node is given has been written out before
    for (NodeOp node : nodes) {
      const Row *row = llvm::find_if(
          table, [&](const Row &row) { return row.domain == node.getDomain() && row.name == node.getOpType(); });
      if (row == std::end(table))
        continue;
      if (failed(row->expand(node, shapes)))
        return signalPassFailure();
      rewrote(node.getLoc(), "expand-operators") << node.getOpType();
      node.erase();
    }
    eraseDead(getOperation());
  }
};
} // namespace
