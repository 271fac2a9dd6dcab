// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights in a file, and what a test knows about them.
#pragma once

#include "lib/formats/Packing.h"
#include "test/io/TemporaryFolder.h"
#include "test/kernels/Random.h"

namespace halftone::test {

/// A matrix in a format; one row for a weight of one dimension.
struct Weight {
  formats::Format format;
  int64_t rows = 0, columns = 0;
  std::vector<formats::RowBuffer> content;

  formats::EncodedRowView row(int64_t r) const { return content[r].view(); }
  /// `!lowbit.weight<5x7, ...>`, or with one dimension.
  std::string type(bool isVector = false) const;
  /// The row as lib/formats decodes it.
  std::vector<float> decoded(int64_t r) const;
};

/// `#lowbit.format<...>`.
std::string attribute(const formats::Format &format);

/// A plain f32 matrix of these values, or a vector.
Weight plainWeight(int64_t rows, int64_t columns, std::vector<float> values);

/// Whether all scales of a row of randomWeight are powers of two.
constexpr bool hasExactScales(int64_t row) { return row % 2 == 0; }

/// Whether what a level is worth is a power of two, too, in all blocks of the row.
constexpr bool hasExactSteps(const formats::Format &format, int64_t row) {
  return hasExactScales(row) && (std::bit_cast<uint32_t>(format.step(1)) & 0x7fffff) == 0;
}

/// Even rows: any codes and zeros, scales that are powers of two. Odd rows: what the encoder makes of random values.
Weight randomWeight(const formats::Format &format, int64_t rows, int64_t columns, Random &random);

/// Collects weights into one file.
class WeightFile {
public:
  WeightFile() : path(folder / "weights") {}

  /// The line that names the weight in a module.
  std::string declare(const std::string &name, const Weight &weight, bool isVector = false);
  /// To be called before the module is compiled.
  void write() const { folder.write("weights", content); }

private:
  TemporaryFolder folder;
  std::string path, content;
};

} // namespace halftone::test
