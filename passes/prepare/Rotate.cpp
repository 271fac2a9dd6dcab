// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The residual stream, and the values of each head, are rotated; weights make up for it.
#include "passes/Remarks.h"
#include "passes/prepare/Passes.h"
#include "passes/prepare/RotationGroup.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_ROTATE
#include "passes/prepare/Passes.h.inc"

namespace {

/// A value from which a group is found, and what there is to rotate.
struct Seed {
  Value value;
  RotatedPart part;
  int64_t size;
};

class RotatePass : public impl::RotateBase<RotatePass> {
public:
  using RotateBase::RotateBase;

  void runOnOperation() override {
    const RotationGroups groups(getOperation());
    SmallVector<std::pair<RotationGroup, int64_t>> found; // nothing changes before all are found
    DenseSet<Value> seen;
    for (const Seed &seed : seeds()) {
      if (seen.contains(seed.value))
        continue;
      std::optional<RotationObstacle> obstacle;
      FailureOr<RotationGroup> group = groups.find(seed.value, seed.part, obstacle);
      if (failed(group)) {
        emitWarning(obstacle->where) << "keeps " << nameOf(seed.part) << " as they are: " << obstacle->why;
        continue;
      }
      seen.insert_range(group->values);
      found.emplace_back(std::move(*group), seed.size);
    }
    for (const auto &[group, size] : found)
      rotate(group, size);
  }

private:
  static StringRef nameOf(RotatedPart part) {
    return part == RotatedPart::Channels ? "the channels of embedded tokens" : "the channels of heads";
  }

  /// The stream begins with embeddings; the values of heads are what is put into caches.
  SmallVector<Seed> seeds() {
    SmallVector<Seed> all;
    getOperation().walk([&](EmbeddingOp embedding) {
      all.push_back({embedding.getResult(), RotatedPart::Channels, embedding.getResult().getType().getShape().back()});
    });
    getOperation().walk([&](AppendOp append) {
      all.push_back({append.getValues(), RotatedPart::Heads, append.getCache().getType().getSize()});
    });
    return all;
  }

  void rotate(const RotationGroup &group, int64_t size) {
    for (OpOperand *weight : group.columns)
      derive<RotateColumnsOp>(*weight, size);
    for (OpOperand *weight : group.rows)
      derive<RotateRowsOp>(*weight, size);
  }

  template <class Op> void derive(OpOperand &weight, int64_t size) {
    OpBuilder builder(weight.getOwner());
    const Location location = weight.getOwner()->getLoc();
    weight.set(Op::create(builder, location, weight.get().getType(), weight.get(), size, seed));
    rewrote(location, "rotate") << remark::metric("size", size);
  }
};

} // namespace
} // namespace halftone
