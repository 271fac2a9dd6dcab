// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A processor as a record: what kernels need to know of it, and the instructions it may have.
#pragma once

#include "dialects/kernel/Kernel.h"
#include "lib/io/Result.h"

namespace halftone::targets {

/// What one step of a dot product adds up: vectors of levels, and for each the activations of as many columns.
struct DotStep {
  mlir::Value accumulator;
  mlir::ValueRange levels, activations;
  /// No level is larger; 0 for plain elements.
  int64_t highest;
};

/// A way to multiply lanes of levels by broadcast activations.
struct DotInstruction {
  /// How the IR names it: `by "..."`.
  llvm::StringLiteral name;
  /// LLVM features it needs, comma separated; empty when every processor has it.
  llvm::StringLiteral features;
  /// The width in bits of the vectors it takes, wider ones in pieces; 0 means any.
  int64_t vector;
  /// The plain element it takes; none: unsigned levels of codes up to `highest`, and int8 activations.
  std::optional<formats::Scalar> plain;
  int64_t highest;
  /// What every level is stored less than it is: 128 when the instruction takes signed bytes and levels up to 255.
  int64_t less;
  /// Consecutive columns that one lane takes in at once.
  int64_t group;
  /// Vectors of levels that a step should have where registers are scarce: 1, unless it adds several up in narrow
  /// lanes.
  int64_t vectors;
  /// Adds the products of a step to its accumulator.
  mlir::Value (*step)(mlir::OpBuilder &builder, mlir::Location loc, const DotStep &step);
};

/// An instruction of LLVM that looks bytes up in a table of 16, which each 16 bytes of the vector repeat.
struct LookupInstruction {
  llvm::StringLiteral intrinsic, features;
  /// The width in bits of its vectors, wider ones in pieces.
  int64_t vector;
};

/// Vectors that kernels are written in for processors which have `features`.
struct VectorWidth {
  llvm::StringLiteral features;
  /// Their width, which may be that of several registers.
  int64_t bits;
  /// How many of them the registers hold.
  int64_t registers;
};

/// A name for all processors that have a feature.
struct Level {
  llvm::StringLiteral name, feature;
};

/// One family of processors.
struct Architecture {
  /// LLVM's name of Linux on it, and of its plainest processor; none where the instructions are every family's.
  llvm::StringLiteral triple = "", cpu = "";
  /// Widest first; the last one needs nothing.
  llvm::ArrayRef<VectorWidth> widths = {};
  /// Processors by what they are at least ("armv8.2-a"), as features of the plainest one.
  llvm::ArrayRef<Level> levels = {};
  /// What a processor has that multiplies and adds with one rounding.
  llvm::StringLiteral fuses = "";
  /// Activations are loaded so many bytes at once, of which instructions take groups of 32 bits by number; 4: each
  /// group is loaded into all lanes by itself.
  int64_t activationBytes = 4;
  /// How far ahead of their use weights that are read once are asked for, in bytes; 0: left to the processor.
  int64_t prefetch = 0;
  /// Its instructions, best first.
  llvm::ArrayRef<DotInstruction> dots = {};
  llvm::ArrayRef<LookupInstruction> lookups = {};
};

/// The family of `target`, and its name as in a triple: "x86_64".
const Architecture &architectureOf(kernel::TargetAttr target);
std::string familyName(kernel::TargetAttr target);

/// The dot instruction of that name, or null.
const DotInstruction *findDot(llvm::StringRef name);

/// Whether `target` has all of the comma separated LLVM features.
bool hasFeatures(kernel::TargetAttr target, llvm::StringRef features);

/// Whether `target` multiplies and adds with one rounding.
bool canFuse(kernel::TargetAttr target);

/// Whether `target` can run `instruction`.
bool supports(kernel::TargetAttr target, const DotInstruction &instruction);

/// The best instruction of `target` for weights of `format`.
const DotInstruction &chooseDot(kernel::TargetAttr target, const formats::Format &format);

/// Why `target` computes with weights of `format` by portable arithmetic, "for want of avx512bf16", where other
/// processors of its family have an instruction; empty when it has one, or none has.
std::string portableBecause(kernel::TargetAttr target, const formats::Format &format);

/// A register tile: sums of `tiles` tiles of a weight, each one vector of a kernel's lanes, with `tokens` tokens.
struct RegisterTile {
  int64_t tiles, tokens;
};

/// The register tile that loads least for each product, in vectors of `lanes` lanes of 32 bits, when each sum takes
/// `vectors` vectors.
RegisterTile chooseRegisterTile(kernel::TargetAttr target, int64_t lanes, int64_t vectors);

/// The best lookup of `target` for vectors of `bits` bits, or null when it has none.
const LookupInstruction *chooseLookup(kernel::TargetAttr target, int64_t bits);

/// Part number `piece` of `pieces` equal ones of a vector, and the vector made of parts: for instructions of narrower
/// vectors than the kernel's.
mlir::Value pieceOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value vector, int64_t piece, int64_t pieces);
mlir::Value joinPieces(mlir::OpBuilder &builder, mlir::Location loc, mlir::VectorType type,
                       llvm::ArrayRef<mlir::Value> pieces);

/// The target that `text` names: `native`, an LLVM CPU name or a level (x86-64-v3), then features:
/// `x86-64-v4+avx512vnni,-fma`. The name says the family. Errors name the part that LLVM does not know.
Expected<kernel::TargetAttr> parseTarget(mlir::MLIRContext &context, llvm::StringRef text);

/// Several of one family, best first: what stands behind a comma is a feature when it has a sign, else the next target.
Expected<llvm::SmallVector<kernel::TargetAttr>> parseTargets(mlir::MLIRContext &context, llvm::StringRef text);

/// The target of the function or module around `op`, or when neither names one the plainest processor of the family
/// that the module names several of, or of x86.
kernel::TargetAttr targetOf(mlir::Operation *op);

/// The targets of a module: one, or several that share its weights, best first. Says at the module when its list holds
/// something else or nothing.
mlir::FailureOr<llvm::SmallVector<kernel::TargetAttr>> targetsOf(mlir::ModuleOp module);

} // namespace halftone::targets
