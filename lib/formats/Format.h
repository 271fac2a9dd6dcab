// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A number format as data: the element code, the block, the type of the scale and the offset. Sizes, names, encoder,
// decoder and kernels all follow from this one description; nothing names formats one by one.
#pragma once

#include "lib/formats/Scalar.h"
#include "lib/io/Result.h"

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace halftone::formats {

/// The values a code may stand for when they are not evenly spaced: levels[code] * unit, times the scale of the block.
struct Codebook {
  std::string_view name;
  /// 2^bits levels in the order of their codes: integers, so that dot products of codes are exact.
  std::span<const int8_t> levels;
  /// What a level of 1 is worth: 0.5 when the levels are halves.
  float unit = 1;

  constexpr int lowest() const { return std::ranges::min(levels); }
  constexpr int highest() const { return std::ranges::max(levels); }
};

/// How one weight is written.
struct Code {
  enum class Kind : uint8_t {
    Float,    ///< the value itself, as `scalar`; no block, no scale
    Integer,  ///< (code - zero) * scale
    Codebook, ///< codebook->levels[code] * codebook->unit * scale
  };
  Kind kind = Kind::Float;
  uint8_t bits = 32;
  Scalar scalar = Scalar::F32;
  const Codebook *codebook = nullptr;

  static constexpr Code floating(Scalar scalar) {
    return {Kind::Float, static_cast<uint8_t>(scalarBits(scalar)), scalar, nullptr};
  }
  static constexpr Code integer(int bits) { return {Kind::Integer, static_cast<uint8_t>(bits), Scalar::F32, nullptr}; }
  static constexpr Code levelsOf(const Codebook &book) {
    return {Kind::Codebook, static_cast<uint8_t>(std::bit_width(book.levels.size() - 1)), Scalar::F32, &book};
  }

  /// Codes are stored unsigned, 0..maxCode().
  constexpr int maxCode() const { return (1 << bits) - 1; }

  /// What kernels multiply for a code: an unsigned integer, 0..highestLevel(). A codebook's levels are shifted up until
  /// none is negative; other codes are their own level.
  constexpr int level(int code) const {
    return kind == Kind::Codebook ? codebook->levels[code] - std::min(codebook->lowest(), 0) : code;
  }
  constexpr int highestLevel() const {
    return kind == Kind::Codebook ? codebook->highest() - std::min(codebook->lowest(), 0) : maxCode();
  }
  /// The level that means 0 in blocks that store no zero: 2^(bits-1) of integers.
  constexpr int zeroLevel() const {
    return kind == Kind::Codebook ? -std::min(codebook->lowest(), 0) : kind == Kind::Integer ? 1 << (bits - 1) : 0;
  }

  /// 8-bit symmetric codes stand for -127..127 and use absmax / 127 as scale: with 255 steps the 128th on one side is
  /// not worth a grid that is not its own mirror image, which sign tricks in kernels rely on.
  constexpr bool isBalanced() const { return kind == Kind::Integer && bits == 8; }

  constexpr bool operator==(const Code &) const = default;
};

/// A number format. Two formats are equal exactly when they describe the same bytes.
struct Format {
  Code code;
  /// Consecutive weights of a row that share a scale; 0 means the whole row. The last block of a row may be short.
  int64_t block = 0;
  /// The type in which scales are stored.
  Scalar scale = Scalar::F16;
  /// Whether each block stores the code that means 0; otherwise code.zeroLevel() means 0 everywhere.
  bool zeroPoint = false;

  static constexpr Format plain(Scalar scalar) { return {.code = Code::floating(scalar)}; }
  static constexpr Format integer(int bits, int64_t block, Scalar scale = Scalar::F16, bool zeroPoint = false) {
    return {Code::integer(bits), block, scale, zeroPoint};
  }

  /// A plain format stores values, no codes: it has no scales, and counts as one block as long as the row.
  constexpr bool isPlain() const { return code.kind == Code::Kind::Float; }

  /// What one level is worth in a block whose stored scale is `scaleOfBlock`: value = (level - zero) * step.
  constexpr float step(float scaleOfBlock) const {
    return code.kind == Code::Kind::Codebook ? code.codebook->unit * scaleOfBlock : scaleOfBlock;
  }

  /// How many blocks a row of `columns` weights has.
  constexpr int64_t blockCount(int64_t columns) const {
    return block == 0 ? columns > 0 : (columns + block - 1) / block;
  }
  /// The first column of block `b`.
  constexpr int64_t blockStart(int64_t b) const { return b * block; }
  /// How many weights block `b` of a row holds: `block`, less in the last one of a row that it does not divide.
  constexpr int64_t blockLength(int64_t columns, int64_t b) const {
    const int64_t rest = columns - blockStart(b);
    return block == 0 || rest < block ? rest : block;
  }

  /// What one block costs beside its codes: the scale and the stored zero.
  constexpr int64_t bitsPerBlock() const { return isPlain() ? 0 : scalarBits(scale) + (zeroPoint ? code.bits : 0); }
  /// Bits of codes, scales and zeros over the weights of one row; padding is not counted. 4.5 for int4-g32.
  constexpr double bitsPerWeight(int64_t columns) const {
    return code.bits + static_cast<double>(blockCount(columns) * bitsPerBlock()) / static_cast<double>(columns);
  }

  constexpr bool operator==(const Format &) const = default;
};

/// The largest block a name may give.
inline constexpr int64_t maxBlock = 65536;

/// The name of an element code: `f32`, `int4`, or the codebook's name.
std::string name(const Code &code);

/// The name of a format: the element, `-g<block>` or `-row`, `-asym` with a stored zero, and the type of the scale
/// unless it is f16: `f32`, `int4-g32`, `int3-g64-asym`, `int4-g32-bf16`, `int8-row`. Inverse of parse.
std::string name(const Format &format);

/// Reads a name. Each format has exactly one. The error says what is wrong and lists, from the table, what is allowed.
Expected<Format> parse(std::string_view text);

/// Whether the table allows this format; the error names what it does not allow. For formats not made by parse.
Status check(const Format &format);

/// Depends on the values only, not on addresses. Spelled as LLVM's hashing finds it.
size_t hash_value(const Format &format);

static_assert(Format::integer(4, 32).bitsPerWeight(288) == 4.5);
static_assert(Format::integer(8, 32).bitsPerWeight(288) == 8.5);
static_assert(Format::integer(4, 32, Scalar::F16, true).bitsPerWeight(288) == 4.625);
static_assert(Format::integer(4, 128).blockCount(288) == 3 && Format::integer(4, 128).blockLength(288, 2) == 32);

} // namespace halftone::formats

template <> struct std::hash<halftone::formats::Format> {
  size_t operator()(const halftone::formats::Format &format) const { return hash_value(format); }
};
