// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What assign-formats decided about a weight, read where the weight is used.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::quantize {

/// On a linear: the element that its activations are to be quantized to. Gone once contract-activations has done so.
inline constexpr llvm::StringLiteral activationsAttrName = "activations";

/// The format that the operation of `use` wants its weight in, and the method; null when `use` is no weight of a linear
/// or embedding, or nothing was decided.
struct Decision {
  lowbit::FormatAttr format;
  mlir::StringAttr method;
};
Decision decisionOf(mlir::OpOperand &use);

/// The format that readers of one weight want.
class WantedFormat {
public:
  /// Takes the decision of the operation of `use`, when it is one.
  void add(mlir::OpOperand &use);

  /// What those who decided want; null when none did.
  lowbit::FormatAttr get() const { return format; }
  bool hasConflict() const { return second; }
  /// Reports at `weight` that it is wanted in two formats, with a note at each reader.
  mlir::LogicalResult report(lowbit::WeightOp weight) const;

private:
  lowbit::FormatAttr format;
  mlir::Operation *first = nullptr, *second = nullptr;
};
/// What those of `uses` want.
WantedFormat wantedFormat(llvm::ArrayRef<mlir::OpOperand *> uses);

} // namespace halftone::quantize
