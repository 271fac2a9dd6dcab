// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// recognise-rope: a value that is, element by element, a rotation of pairs of an activation's channels.
#include "passes/import/AngleTables.h"
#include "passes/import/ContextLength.h"
#include "passes/import/Evaluate.h"
#include "passes/import/Passes.h"
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

/// Where a head's element stands: [1, heads, tokens, size] or [1, tokens, heads, size].
struct Layout {
  int64_t heads = 0, tokens = 0, size = 0;
  bool headsFirst = false;

  int64_t headOf(int64_t position) const { return headsFirst ? position / size / tokens : position / size % heads; }
  int64_t tokenOf(int64_t position) const { return headsFirst ? position / size % tokens : position / size / heads; }
  int64_t position(int64_t head, int64_t token, int64_t channel) const {
    return (headsFirst ? head * tokens + token : token * heads + head) * size + channel;
  }
  /// The index in the activation, [tokens, heads * size].
  int64_t source(int64_t position) const {
    return (tokenOf(position) * heads + headOf(position)) * size + position % size;
  }
};

/// A rotation found: of which activation, in which layout, by which angles.
struct Rotation {
  Value activation;
  Layout layout;
  bool interleaved = false;
  int64_t pairs = 0;
  AngleSource cosines, sines;
};

/// The terms of an element: itself and its partner in the pair.
struct Terms {
  const Term *self = nullptr, *partner = nullptr;
};

class Matcher {
public:
  Matcher(const Tensor &value, Layout layout, Evaluator &evaluator)
      : value(value), layout(layout), evaluator(evaluator) {}
  std::optional<Rotation> match();

private:
  bool findTerms();
  bool findPairs();
  bool sameInAllHeads() const;
  bool turnAlike(int64_t first, int64_t second) const;
  bool findAngles();
  std::optional<AngleEntry> entry(int64_t channel, const Term *Terms::*which, bool negated);
  int64_t channel(const Term &term) const { return term.index % layout.size; }

  const Tensor &value;
  Layout layout;
  Evaluator &evaluator;
  std::vector<Terms> terms;
  Rotation rotation;
};

} // namespace

/// Every element is one term of the activation's element that belongs there, alone or with one more of the same head.
bool Matcher::findTerms() {
  for (auto [position, form] : llvm::enumerate(value.forms)) {
    Terms found;
    if (form.empty() || form.size() > 2)
      return false;
    for (const Term &term : form) {
      if (!rotation.activation)
        rotation.activation = term.root;
      if (term.root != rotation.activation)
        return false;
      (term.index == layout.source(position) ? found.self : found.partner) = &term;
    }
    if (!found.self || (form.size() == 2) != static_cast<bool>(found.partner))
      return false;
    if (found.partner && found.partner->index / layout.size != found.self->index / layout.size)
      return false;
    terms.push_back(found);
  }
  return rotation.activation != Value();
}

/// Pairs are (i, i + pairs) or (2i, 2i + 1), the same in each head; channels after them pass as they are.
bool Matcher::findPairs() {
  int64_t rotated = 0;
  while (rotated < layout.size && terms[rotated].partner)
    ++rotated;
  if (rotated == 0 || rotated % 2 != 0)
    return false;
  rotation.pairs = rotated / 2;
  rotation.interleaved = rotated > 2 && channel(*terms[0].partner) == 1;
  for (auto [position, found] : llvm::enumerate(terms)) {
    int64_t i = position % layout.size;
    if (i >= rotated) {
      if (found.partner || found.self->coefficient != 1 || found.self->factor)
        return false;
      continue;
    }
    int64_t partner = rotation.interleaved ? i ^ 1 : (i + rotation.pairs) % rotated;
    if (!found.partner || channel(*found.partner) != partner)
      return false;
  }
  return true;
}

/// The first of a pair is x cos - y sin, the second y cos + x sin, and the angle is that of token and pair, whatever
/// the head.
bool Matcher::sameInAllHeads() const {
  for (auto [position, found] : llvm::enumerate(terms)) {
    int64_t head0 = layout.position(0, layout.tokenOf(position), position % layout.size);
    if (found.partner && (found.self->coefficient != terms[head0].self->coefficient ||
                          found.partner->coefficient != terms[head0].partner->coefficient))
      return false;
  }
  return true;
}

std::optional<AngleEntry> Matcher::entry(int64_t channel, const Term *Terms::*which, bool negated) {
  SmallVector<const Term *> tokens;
  for (int64_t t = 0; t < layout.tokens; ++t) {
    const Term *term = terms[layout.position(0, t, channel)].*which;
    if (!term->factor || term->manyFactors)
      return std::nullopt;
    tokens.push_back(term);
  }
  return angleEntry(tokens, evaluator, negated);
}

/// Whether two channels have the angles of one pair.
bool Matcher::turnAlike(int64_t first, int64_t second) const {
  for (int64_t t = 0; t < layout.tokens; ++t) {
    const Terms &a = terms[layout.position(0, t, first)], &b = terms[layout.position(0, t, second)];
    if (a.self->coefficient != b.self->coefficient || a.partner->coefficient != -b.partner->coefficient)
      return false;
  }
  return true;
}

bool Matcher::findAngles() {
  for (int64_t pair = 0; pair < rotation.pairs; ++pair) {
    int64_t first = rotation.interleaved ? 2 * pair : pair,
            second = rotation.interleaved ? first + 1 : first + rotation.pairs;
    auto cosine = entry(first, &Terms::self, false), cosine2 = entry(second, &Terms::self, false);
    auto sine = entry(first, &Terms::partner, true), sine2 = entry(second, &Terms::partner, false);
    if (!cosine || !cosine2 || !sine || !sine2 || !turnAlike(first, second))
      return false;
    rotation.cosines.pairs.push_back({*cosine, *cosine2});
    rotation.sines.pairs.push_back({*sine, *sine2});
  }
  return true;
}

std::optional<Rotation> Matcher::match() {
  rotation.layout = layout;
  if (!findTerms() || !findPairs() || !sameInAllHeads() || !findAngles())
    return std::nullopt;
  return rotation;
}

/// The layout that the type of \p value allows: tokens are dynamic, heads are not.
static std::optional<Layout> layoutOf(Value value, int64_t tokens) {
  auto shape = dimensions(value);
  if (!shape || shape->size() != 4 || (*shape)[0] != 1 || ShapedType::isDynamic((*shape)[3]))
    return std::nullopt;
  bool headsFirst = ShapedType::isDynamic((*shape)[2]);
  int64_t heads = (*shape)[headsFirst ? 1 : 2];
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic((*shape)[1]) == headsFirst)
    return std::nullopt;
  return Layout{heads, tokens, (*shape)[3], headsFirst};
}

/// The activation is [tokens, heads * size], with or without a batch.
static bool fits(Value activation, const Layout &layout) {
  auto shape = dimensions(activation);
  return shape && shape->back() == layout.heads * layout.size && (shape->size() == 2 || isBatchedRows(activation));
}

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
  FailureOr<ArrayRef<float>> tableOf(NodeOp node, const AngleSource &source, int64_t length);

  ModuleOp module;
  func::FuncOp function;
  AngleTables &tables;
  WeightFiles &files;
  OpBuilder builder;
  std::unique_ptr<Evaluator> evaluator;
  std::list<std::pair<AngleSource, std::vector<float>>> evaluated; // a list: tables stay where they are
};

} // namespace

int64_t Recogniser::context(const Rotation &rotation) {
  if (auto stated = module->getAttrOfType<IntegerAttr>(contextAttribute))
    return stated.getInt();
  int64_t length = gatheredRows(rotation.cosines.pairs[0][0].factor).value_or(defaultContext);
  module->setAttr(contextAttribute, builder.getI64IntegerAttr(length));
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

/// The table of one of the two, evaluated once for all layers that read the same values.
FailureOr<ArrayRef<float>> Recogniser::tableOf(NodeOp node, const AngleSource &source, int64_t length) {
  auto known = llvm::find_if(evaluated, [&](const auto &entry) { return entry.first == source; });
  if (known == evaluated.end()) {
    auto table = angleTable(source, length, files);
    if (!table)
      return emitNodeError(node) << table.error().message;
    known = evaluated.insert(evaluated.end(), {source, std::move(*table)});
  }
  if (failed(checkPositions(node, source, known->second)))
    return failure();
  return ArrayRef<float>(known->second);
}

LogicalResult Recogniser::replace(NodeOp node, const Rotation &rotation) {
  int64_t length = context(rotation);
  auto cosines = tableOf(node, rotation.cosines, length), sines = tableOf(node, rotation.sines, length);
  if (failed(cosines) || failed(sines))
    return failure();
  builder.setInsertionPoint(node);
  Location location = node.getLoc();
  Value rows = toRows(builder, rotation.activation);
  Value cos = tables.handle(builder, module.getLoc(), "rope.cos", length, *cosines);
  Value sin = tables.handle(builder, module.getLoc(), "rope.sin", length, *sines);
  const Layout &layout = rotation.layout;
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
  node.getOutputs()[0].replaceAllUsesWith(result);
  return success();
}

LogicalResult Recogniser::run() {
  SmallVector<NodeOp> nodes;
  function.walk([&](NodeOp node) { nodes.push_back(node); });
  auto renew = [&] { evaluator = std::make_unique<Evaluator>(binding, files, Evaluator::Unknowns::Roots); };
  renew();
  for (NodeOp node : nodes) {
    auto layout = node.getNumResults() == 1 ? layoutOf(node.getOutputs()[0], binding.tokens) : std::nullopt;
    if (!layout)
      continue;
    const Tensor &value = evaluator->evaluate(node.getOutputs()[0]);
    if (value.content != Tensor::Content::Forms || value.forms.empty() || value.forms[0].size() != 2)
      continue;
    auto rotation = Matcher(value, *layout, *evaluator).match();
    if (!rotation || !fits(rotation->activation, *layout))
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
