// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order by dataflow, and the search for equal sequences in it.
#include "passes/import/RepeatedRun.h"

#include "dialects/lowbit/Lowbit.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

bool halftone::importer::isLeaf(Operation *op) {
  return isa<lowbit::GetOp>(op) || op->hasTrait<OpTrait::ConstantLike>();
}

//===-- The order -------------------------------------------------------------------------------------------------===//

/// For each operation with effects, the one before it. Handles do not tell caches apart: two may have one name.
using EffectOrder = DenseMap<Operation *, Operation *>;

static EffectOrder effectOrder(Block &body) {
  EffectOrder before;
  Operation *last = nullptr;
  for (Operation &op : body.without_terminator())
    if (!isMemoryEffectFree(&op))
      before[&op] = std::exchange(last, &op);
  return before;
}

/// What must come before `op`: the operations of its operands, and the effects before its own.
static SmallVector<Operation *> needs(Operation *op, const EffectOrder &effects) {
  SmallVector<Operation *> result;
  for (Value operand : op->getOperands())
    if (Operation *maker = operand.getDefiningOp())
      result.push_back(maker);
  if (Operation *effect = effects.lookup(op))
    result.push_back(effect);
  return result;
}

/// Adds what `last` needs, and itself, to `order`.
static void addWithNeeds(Operation *last, const EffectOrder &effects, llvm::SetVector<Operation *> &order) {
  SmallVector<Operation *> pending = {last};
  while (!pending.empty()) {
    Operation *op = pending.back();
    SmallVector<Operation *> missing = needs(op, effects);
    llvm::erase_if(missing, [&](Operation *need) { return order.contains(need); });
    if (missing.empty() || order.contains(op)) {
      order.insert(op);
      pending.pop_back();
      continue;
    }
    pending.append(missing.rbegin(), missing.rend());
  }
}

void halftone::importer::orderByDataflow(func::FuncOp function) {
  Block &body = function.getBody().front();
  Operation *end = body.getTerminator();
  EffectOrder effects = effectOrder(body);
  llvm::SetVector<Operation *> order;
  for (Value result : end->getOperands())
    if (Operation *maker = result.getDefiningOp())
      addWithNeeds(maker, effects, order);
  for (Operation &op : body.without_terminator())
    addWithNeeds(&op, effects, order);
  for (Operation *op : order)
    op->moveBefore(end);
}

//===-- Equal sequences -------------------------------------------------------------------------------------------===//

/// Equal up to operands.
static bool alike(Operation *a, Operation *b) {
  return a->getName() == b->getName() && a->getAttrDictionary() == b->getAttrDictionary() && a->getNumRegions() == 0 &&
         b->getNumRegions() == 0 && a->getResultTypes() == b->getResultTypes() &&
         TypeRange(a->getOperands()) == TypeRange(b->getOperands());
}

namespace {

/// Sequences of `length` operations, `count` of them from `start` on, that are alike.
struct Candidate {
  size_t start = 0, length = 0, count = 0, slack = 0;
  size_t covered() const { return length * count; }
};

/// Checks a candidate's dataflow and describes it as a run.
class Checker {
public:
  Checker(ArrayRef<Operation *> ops, const Candidate &candidate, size_t start);
  std::optional<Run> check();

private:
  std::optional<OperandSource> sourceOf(size_t op, unsigned operand);
  bool isCarried(Place place, Value initial);
  std::optional<OperandSource> outside(ArrayRef<Value> values);
  bool findLeftBehind();

  ArrayRef<Operation *> ops;
  Candidate candidate;
  DenseMap<Operation *, size_t> index;
  llvm::MapVector<Place, Value> carried;
  Run run;
};

} // namespace

template <> struct llvm::DenseMapInfo<Place> {
  static Place getEmptyKey() { return {~size_t(0), 0}; }
  static Place getTombstoneKey() { return {~size_t(0) - 1, 0}; }
  static unsigned getHashValue(const Place &place) { return hash_combine(place.op, place.result); }
  static bool isEqual(const Place &a, const Place &b) { return a == b; }
};

Checker::Checker(ArrayRef<Operation *> ops, const Candidate &candidate, size_t start) : ops(ops), candidate(candidate) {
  this->candidate.start = start;
  for (size_t r = 0; r < candidate.count; ++r) {
    ArrayRef<Operation *> sequence = ops.slice(start + r * candidate.length, candidate.length);
    run.repetitions.emplace_back(sequence);
    for (auto [i, op] : llvm::enumerate(sequence))
      index[op] = r * candidate.length + i;
  }
}

/// One operand of one place, in all repetitions: made in the same repetition, in the one before, or outside.
std::optional<OperandSource> Checker::sourceOf(size_t op, unsigned operand) {
  SmallVector<Value> values;
  for (auto &sequence : run.repetitions)
    values.push_back(sequence[op]->getOperand(operand));
  auto placeOf = [&](size_t r) -> std::optional<std::pair<int64_t, Place>> {
    auto entry = values[r].getDefiningOp() ? index.find(values[r].getDefiningOp()) : index.end();
    if (entry == index.end())
      return std::nullopt;
    unsigned result = cast<OpResult>(values[r]).getResultNumber();
    int64_t back = static_cast<int64_t>(r) - static_cast<int64_t>(entry->second / candidate.length);
    return std::pair(back, Place{entry->second % candidate.length, result});
  };
  auto second = placeOf(1);
  for (size_t r = 2; r < values.size(); ++r)
    if (placeOf(r) != second)
      return std::nullopt;
  auto first = placeOf(0);
  if (!second)
    return first ? std::nullopt : outside(values);
  if (second->first == 0 && first == second)
    return OperandSource{OperandSource::Kind::Same, second->second};
  if (second->first == 1 && !first && isCarried(second->second, values[0]))
    return OperandSource{OperandSource::Kind::Carried, second->second};
  return std::nullopt;
}

bool Checker::isCarried(Place place, Value initial) {
  auto [entry, isNew] = carried.insert({place, initial});
  return isNew || entry->second == initial;
}

/// Constants are copied into the block and must be equal; what no leaf gives must be the same for all.
std::optional<OperandSource> Checker::outside(ArrayRef<Value> values) {
  Operation *maker = values[0].getDefiningOp();
  bool isConstant = maker && maker->hasTrait<OpTrait::ConstantLike>();
  for (Value value : values) {
    Operation *other = value.getDefiningOp();
    if (isConstant ? !other || !alike(maker, other) : !isa_and_nonnull<lowbit::GetOp>(other) && value != values[0])
      return std::nullopt;
  }
  if (isConstant)
    return OperandSource{};
  size_t number = llvm::find(run.outside, SmallVector<Value>(values)) - run.outside.begin();
  if (number == run.outside.size())
    run.outside.emplace_back(values);
  return OperandSource{OperandSource::Kind::Outside, {}, number};
}

/// After the run only the last repetition's values may be read.
bool Checker::findLeftBehind() {
  for (auto [r, sequence] : llvm::enumerate(run.repetitions))
    for (auto [i, op] : llvm::enumerate(sequence))
      for (OpResult result : op->getResults()) {
        Place place{i, result.getResultNumber()};
        bool isRead = llvm::any_of(result.getUsers(), [&](Operation *user) { return !index.contains(user); });
        if (!isRead)
          continue;
        if (r + 1 != run.repetitions.size())
          return false;
        if (!carried.contains(place))
          run.leftBehind.push_back(place);
      }
  return true;
}

std::optional<Run> Checker::check() {
  for (size_t op = 0; op < candidate.length; ++op) {
    run.sources.emplace_back();
    for (unsigned operand = 0; operand < run.repetitions[0][op]->getNumOperands(); ++operand) {
      std::optional<OperandSource> source = sourceOf(op, operand);
      if (!source)
        return std::nullopt;
      run.sources[op].push_back(*source);
    }
  }
  if (!findLeftBehind())
    return std::nullopt;
  for (auto [place, initial] : carried) {
    run.carried.push_back(place);
    run.initial.push_back(initial);
  }
  return run;
}

/// All maximal stretches in which every operation is like the one `length` later, best first.
static std::vector<Candidate> candidates(ArrayRef<Operation *> ops) {
  std::vector<Candidate> found;
  for (size_t length = 1; length <= ops.size() / 2; ++length)
    for (size_t i = 0; i + length < ops.size();) {
      size_t start = i;
      while (i + length < ops.size() && alike(ops[i], ops[i + length]))
        ++i;
      if (i - start >= length)
        found.push_back({start, length, (i - start) / length + 1, (i - start) % length});
      i = std::max(i, start + 1);
    }
  llvm::sort(found, [](const Candidate &a, const Candidate &b) {
    return std::tuple(b.covered(), a.length, a.start) < std::tuple(a.covered(), b.length, b.start);
  });
  return found;
}

std::optional<Run> halftone::importer::findRun(func::FuncOp function) {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front().without_terminator())
    if (!isLeaf(&op))
      ops.push_back(&op);
  for (const Candidate &candidate : candidates(ops)) {
    std::optional<Run> best;
    for (size_t shift = 0; shift <= candidate.slack; ++shift) {
      auto run = Checker(ops, candidate, candidate.start + shift).check();
      auto interface = [](const Run &run) { return run.carried.size() + run.leftBehind.size(); };
      if (run && (!best || interface(*run) < interface(*best)))
        best = std::move(run);
    }
    if (best)
      return best;
  }
  return std::nullopt;
}
