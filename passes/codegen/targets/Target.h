// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A processor as a record: what kernels need to know of it, and the dot instructions it may have.
#pragma once

#include "dialects/kernel/Kernel.h"
#include "lib/io/Result.h"

namespace halftone::targets {

/// A way to multiply lanes of codes by broadcast activations.
struct DotInstruction {
  /// How the IR names it: `by "..."`.
  llvm::StringLiteral name;
  /// LLVM features it needs, comma separated; empty when every processor has it.
  llvm::StringLiteral features;
  /// The width in bits of the vectors it takes; 0 means any.
  int64_t vector;
  /// Whether it takes plain elements; otherwise unsigned codes of up to `bits` bits and int8 activations.
  bool plain;
  int64_t bits;
  /// Consecutive columns that one lane takes in at once.
  int64_t group;
  /// Adds the products of one vector of codes and one group of activations to the accumulator.
  mlir::Value (*step)(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value accumulator, mlir::Value codes,
                      mlir::Value activations);
};

/// The instructions of all targets, best first.
llvm::ArrayRef<DotInstruction> dotInstructions();

/// The instruction of that name, or null.
const DotInstruction *findDot(llvm::StringRef name);

/// Whether `target` has all of the comma separated LLVM features.
bool hasFeatures(kernel::TargetAttr target, llvm::StringRef features);

/// Whether `target` can run `instruction`.
bool supports(kernel::TargetAttr target, const DotInstruction &instruction);

/// The best instruction of `target` for weights of `format`.
const DotInstruction &chooseDot(kernel::TargetAttr target, const formats::Format &format);

/// The target that `text` names: `native`, an LLVM CPU name or a level (x86-64-v3), then features: `x86-64-v4+avx512vnni,-fma`.
/// Errors name the part that LLVM does not know.
Expected<kernel::TargetAttr> parseTarget(mlir::MLIRContext &context, llvm::StringRef text);

/// The target of the module around `op`, or of the plainest processor when the module names none.
kernel::TargetAttr targetOf(mlir::Operation *op);

} // namespace halftone::targets
