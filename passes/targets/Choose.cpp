// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Choosing among a family's instructions, and using wide vectors in pieces.
#include "passes/targets/Families.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::targets;

/// The first dot instruction that `wanted` takes: those of `families`, best first, then those of every family.
static const DotInstruction *firstDot(ArrayRef<const Architecture *> families,
                                      function_ref<bool(const DotInstruction &)> wanted) {
  for (const Architecture *family : families)
    for (const DotInstruction &dot : family->dots)
      if (wanted(dot))
        return &dot;
  const DotInstruction *dot = llvm::find_if(portable.dots, wanted);
  return dot == portable.dots.end() ? nullptr : dot;
}

static const DotInstruction *firstDot(kernel::TargetAttr target, function_ref<bool(const DotInstruction &)> wanted) {
  return firstDot(&architectureOf(target), wanted);
}

const DotInstruction *targets::findDot(StringRef name) {
  return firstDot(families(), [&](const DotInstruction &dot) { return dot.name == name; });
}

/// Whether a family has the very row.
static bool has(const Architecture &family, const DotInstruction &dot) {
  return &dot >= family.dots.begin() && &dot < family.dots.end();
}

bool targets::supports(kernel::TargetAttr target, const DotInstruction &dot) {
  return dot.vector <= target.getVector() && (has(portable, dot) || has(architectureOf(target), dot)) &&
         hasFeatures(target, dot.features);
}

/// Whether `dot` multiplies weights of `format`.
static bool takes(const DotInstruction &dot, const formats::Format &format) {
  return format.isPlain() ? dot.plain == format.code.scalar : !dot.plain && format.code.highestLevel() <= dot.highest;
}

const DotInstruction &targets::chooseDot(kernel::TargetAttr target, const formats::Format &format) {
  const DotInstruction *dot =
      firstDot(target, [&](const DotInstruction &dot) { return takes(dot, format) && supports(target, dot); });
  assert(dot && "the portable instructions take every format");
  return *dot;
}

std::string targets::portableBecause(kernel::TargetAttr target, const formats::Format &format) {
  const DotInstruction &chosen = chooseDot(target, format);
  const DotInstruction *best = firstDot(target, [&](const DotInstruction &dot) { return takes(dot, format); });
  return chosen.features.empty() && best != &chosen ? "for want of " + best->features.str() : "";
}

targets::RegisterTile targets::chooseRegisterTile(kernel::TargetAttr target, int64_t lanes, int64_t vectors) {
  const int64_t pieces = std::max<int64_t>(lanes * 32 / target.getVector(), 1), registers = widthOf(target).registers;
  RegisterTile best = {1, 1};
  double fewest = 2;
  // Beside the sums there are the levels of one step, the activations of a token, and one for what is between.
  for (int64_t tiles = 1; tiles <= 4; ++tiles)
    for (int64_t tokens = 1; tokens <= 8; tokens *= 2) {
      const int64_t wide = tiles * pieces;
      const double loads = static_cast<double>(wide + tokens) / static_cast<double>(wide * tokens);
      if (vectors * wide * tokens + wide + 2 > registers || loads >= fewest)
        continue;
      best = {tiles, tokens};
      fewest = loads;
    }
  return best;
}

const LookupInstruction *targets::chooseLookup(kernel::TargetAttr target, int64_t bits) {
  for (const LookupInstruction &lookup : architectureOf(target).lookups)
    if (lookup.vector <= bits && lookup.vector <= target.getVector() && hasFeatures(target, lookup.features))
      return &lookup;
  return nullptr;
}

Value targets::pieceOf(OpBuilder &builder, Location loc, Value vector, int64_t piece, int64_t pieces) {
  if (pieces == 1)
    return vector;
  const int64_t size = cast<VectorType>(vector.getType()).getNumElements() / pieces;
  return vector::ExtractStridedSliceOp::create(builder, loc, vector, {piece * size}, {size}, {1});
}

Value targets::joinPieces(OpBuilder &builder, Location loc, VectorType type, ArrayRef<Value> pieces) {
  if (pieces.size() == 1)
    return pieces.front();
  Value whole = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  const int64_t size = type.getNumElements() / static_cast<int64_t>(pieces.size());
  for (auto [i, piece] : llvm::enumerate(pieces))
    whole = vector::InsertStridedSliceOp::create(builder, loc, piece, whole, {static_cast<int64_t>(i) * size}, {1});
  return whole;
}
