// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a quantization method wants to know of the input of a linear: how its columns vary together (GPTQ), how large
// they are (AWQ, importance), between which bounds they lie (static ranges).
#pragma once

#include "lib/io/Result.h"
#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::calibrate {

/// What to gather; a set of bits.
enum class Gather : uint8_t { nothing = 0, hessian = 1, magnitude = 2, range = 4, everything = 7 };
constexpr Gather operator|(Gather left, Gather right) {
  return static_cast<Gather>(static_cast<uint8_t>(left) | static_cast<uint8_t>(right));
}
constexpr Gather operator&(Gather left, Gather right) {
  return static_cast<Gather>(static_cast<uint8_t>(left) & static_cast<uint8_t>(right));
}
constexpr bool has(Gather set, Gather part) { return (set & part) == part; }
/// "hessian", "range".
std::vector<std::string_view> names(Gather set);
/// "hessian, range", for errors; "nothing".
std::string describe(Gather set);

/// Of the inputs x, one vector of `columns` a token, that went into one linear. What was not gathered is empty. Without
/// a token everything is 0.
struct Statistics {
  int64_t columns = 0;
  int64_t tokens = 0;
  /// Tokens for which the column is not 0: what rarely occurs is known badly, what never occurs is dead. [columns]
  std::vector<int64_t> seen;

  /// Gather::hessian: 2 / tokens * sum of x x^T. [columns, columns], both triangles: symmetric to the bit.
  std::vector<double> hessian;

  /// Gather::magnitude: mean of |x| and of x^2. [columns]
  std::vector<float> meanAbs, meanSquare;

  /// Gather::range: the bounds of x. [columns]
  std::vector<float> lowest, highest;

  /// What of it there is.
  Gather gathered() const;
  /// The largest |x| of all columns, from the range.
  float largest() const;

  friend bool operator==(const Statistics &, const Statistics &) = default;
};

using matrix::ParallelFor;

/// Activations as they come: `tokens` rows of the accumulator's columns, `stride` values apart.
struct Chunk {
  const float *values = nullptr;
  int64_t tokens = 0;
  int64_t stride = 0;
  /// Which they are, for errors: tokens `firstToken` and following of this sequence.
  int64_t sequence = 0;
  int64_t firstToken = 0;
};

/// Gathers statistics of one linear's input. The tokens and their order decide the result to the bit; how they are cut
/// into chunks, and the number of threads, do not. Memory: one Hessian, and at most `panelTokens` tokens, f32.
class Accumulator {
public:
  /// \param parallelFor used during add() and finish().
  Accumulator(int64_t columns, Gather gather, ParallelFor parallelFor);

  /// Adds a chunk. Fails, adding nothing, when a value is NaN or infinite: "token 12 of sequence 3: column 45 is NaN".
  Status add(const Chunk &chunk);

  int64_t tokens() const { return result.tokens; }

  /// The statistics of all that was added, which the accumulator then has no more.
  Statistics finish();

private:
  /// Products of so many tokens, or of a multiple, are added up in one way however they come (lib/matrix/Gram.h).
  static constexpr int64_t panelTokens = 1024;

  using Rows = matrix::MatrixView<const float>;
  void addColumns(Rows tokens);
  void addToken(std::span<const float> token, int64_t begin, int64_t end);
  void finishMagnitude();

  void addToHessian(Rows tokens);
  int64_t fillPanel(Rows tokens);
  void addPanel();
  void addGram(Rows tokens);
  void finishHessian();

  Gather gather;
  ParallelFor parallelFor;
  Statistics result;
  std::vector<double> sumAbs, sumSquare; // [columns]
  std::vector<float> panel;              // tokens that wait until there are panelTokens, [.., columns]
};

} // namespace halftone::calibrate
