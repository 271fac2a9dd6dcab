// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Groups the operations of a function into kernels.
#include "passes/Remarks.h"
#include "passes/fuse/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/OpDefinition.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_FORMKERNELS
#include "passes/fuse/Passes.h.inc"
} // namespace halftone

namespace {

/// What a kernel's loops run over; operations of one kind may share them.
enum class Core { Linear, Rows, Rope, Alone };

/// The operations that become one kernel, in order.
struct Group {
  Core core;
  SmallVector<Operation *> ops;
};

class Grouping {
public:
  explicit Grouping(bool separate) : separate(separate) {}

  void add(Operation *op) {
    std::optional<size_t> group = separate ? std::nullopt : groupFor(op);
    if (!group) {
      group = groups.size();
      groups.push_back({coreOf(op), {}});
    }
    groups[*group].ops.push_back(op);
    groupOf[op] = *group;
  }

  /// Closes the groups so far: a call may read their values, so nothing joins them any more.
  void fence() { firstOpen = groups.size(); }

  ArrayRef<Group> get() const { return groups; }

private:
  static bool isElementwise(Operation *op) { return op->hasTrait<OpTrait::Elementwise>(); }

  static Core coreOf(Operation *op) {
    if (isa<LinearOp>(op))
      return Core::Linear;
    if (isa<RmsNormOp, QuantizeActivationOp>(op) || isElementwise(op))
      return Core::Rows;
    return isa<RopeOp>(op) ? Core::Rope : Core::Alone;
  }

  /// The group that `op` can join, if any.
  std::optional<size_t> groupFor(Operation *op) const {
    if (auto linear = dyn_cast<LinearOp>(op))
      return latest([&](const Group &group) { return isAlike(group, linear); });
    std::optional<size_t> producer = latestProducer(op);
    if (isa<RopeOp>(op)) {
      std::optional<size_t> ropes = ifFree(latest([](const Group &group) { return group.core == Core::Rope; }), op);
      return ropes == producer ? std::nullopt : ropes; // not behind another rotation of the same value
    }
    if (!producer)
      return std::nullopt;
    Core core = groups[*producer].core;
    bool joins = isElementwise(op) ? core == Core::Linear || core == Core::Rows
                                   : isa<QuantizeActivationOp>(op) && core == Core::Rows;
    return joins ? ifFree(producer, op) : std::nullopt;
  }

  /// Whether the linears can share a kernel: one input, and one format, because a kernel has one dot instruction.
  static bool isAlike(const Group &group, LinearOp linear) {
    auto first = dyn_cast<LinearOp>(group.ops.front());
    return first && first.getInput() == linear.getInput() &&
           first.getWeight().getType().getFormat() == linear.getWeight().getType().getFormat();
  }

  /// The last group that satisfies `wanted`, when nothing after it reads its values.
  template <class Predicate> std::optional<size_t> latest(Predicate wanted) const {
    for (size_t i = groups.size(); i-- > firstOpen;)
      if (wanted(groups[i]))
        return isRead(i) ? std::nullopt : std::optional(i);
    return std::nullopt;
  }

  /// `group`, when neither a later group reads it nor `op` needs a later group.
  std::optional<size_t> ifFree(std::optional<size_t> group, Operation *op) const {
    std::optional<size_t> producer = latestProducer(op);
    if (!group || *group < firstOpen || isRead(*group) || (producer && *producer > *group))
      return std::nullopt;
    return group;
  }

  std::optional<size_t> latestProducer(Operation *op) const {
    std::optional<size_t> result;
    for (Value operand : op->getOperands())
      if (auto found = groupOf.find(operand.getDefiningOp()); found != groupOf.end())
        result = std::max(result.value_or(0), found->second);
    return result;
  }

  /// Whether a group after `index` reads one of its values: then the group must stay before that one.
  bool isRead(size_t index) const {
    return llvm::any_of(ArrayRef(groups).drop_front(index + 1), [&](const Group &later) {
      return llvm::any_of(later.ops, [&](Operation *op) {
        return llvm::any_of(op->getOperands(), [&](Value operand) {
          auto found = groupOf.find(operand.getDefiningOp());
          return found != groupOf.end() && found->second == index;
        });
      });
    });
  }

  bool separate;
  size_t firstOpen = 0;
  SmallVector<Group> groups;
  DenseMap<Operation *, size_t> groupOf;
};

/// Moves a group's operations into a kernel that stands at the last of them.
void formKernel(const Group &group) {
  DenseSet<Operation *> inside(group.ops.begin(), group.ops.end());
  SmallVector<Value> yielded;
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !inside.contains(user); }))
        yielded.push_back(result);

  OpBuilder builder(group.ops.back());
  Location loc = builder.getFusedLoc(llvm::map_to_vector(group.ops, [](Operation *op) { return op->getLoc(); }));
  rewrote(loc, "form-kernels") << remark::metric("operations", group.ops.size());
  auto kernel = KernelOp::create(builder, loc, TypeRange(ValueRange(yielded)), ValueRange());
  Block &body = kernel.getBody().emplaceBlock();
  for (auto [value, result] : llvm::zip(yielded, kernel.getResults()))
    value.replaceUsesWithIf(result, [&](OpOperand &use) { return !inside.contains(use.getOwner()); });
  for (Operation *op : group.ops)
    op->moveBefore(&body, body.end());
  builder.setInsertionPointToEnd(&body);
  YieldOp::create(builder, loc, yielded);
}

/// Moves each linear behind the one before it that reads the same input, so that what reads the first (a rotary
/// embedding, an activation) does not stand between them.
void gatherLinears(Block &block) {
  DenseMap<Value, LinearOp> latest;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto linear = dyn_cast<LinearOp>(op);
    if (!linear)
      continue;
    LinearOp &previous = latest[linear.getInput()];
    Operation *weight = linear.getWeight().getDefiningOp();
    if (previous && (!weight || weight->getBlock() != &block || weight->isBeforeInBlock(previous)))
      linear->moveAfter(previous);
    previous = linear;
  }
}

/// Whether `op` computes on tokens; constants and handles stay outside of kernels.
bool isOnTokens(Operation *op) {
  if (isa<tensor::SplatOp, arith::ConstantOp, func::CallOp, func::ReturnOp, KernelOp>(op))
    return false;
  auto isData = [](Type type) { return isa<RankedTensorType, ActivationType>(type); };
  return llvm::any_of(op->getOperandTypes(), isData) || llvm::any_of(op->getResultTypes(), isData);
}

class FormKernelsPass : public halftone::impl::FormKernelsBase<FormKernelsPass> {
public:
  using FormKernelsBase::FormKernelsBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    gatherLinears(getOperation().getBody().front());
    Grouping grouping(separate);
    for (Operation &op : getOperation().getBody().front())
      if (isa<func::CallOp>(op))
        grouping.fence();
      else if (isOnTokens(&op))
        grouping.add(&op);
    for (const Group &group : grouping.get())
      formKernel(group);
  }
};

} // namespace
