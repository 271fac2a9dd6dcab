// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each tile of the result is one piece of work: it takes all samples in turn.
#include "lib/matrix/Cross.h"
#include "lib/matrix/Product.h"
#include "lib/matrix/Tiles.h"

#include <cassert>
#include <memory>

namespace halftone::matrix {

static constexpr int64_t tileWidth = 256, chunk = 512;

void addCross(MatrixView<const float> first, MatrixView<const float> second, MatrixView<double> sum,
              const ParallelFor &parallelFor) {
  assert(first.rows == second.rows && sum.rows == first.columns && sum.columns == second.columns);
  const Tiles rows{sum.rows, tileWidth}, columns{sum.columns, tileWidth}, chunks{first.rows, chunk};
  parallelFor(rows.count() * columns.count(), [&](int64_t index) {
    const int64_t i = index / columns.count(), j = index % columns.count();
    const int64_t height = rows.length(i), width = columns.length(j);
    const auto scratch = std::make_unique_for_overwrite<float[]>(height * width);
    const MatrixView<float> product(scratch.get(), height, width);
    const MatrixView<double> tile = sum.block(rows.start(i), columns.start(j), height, width);
    for (int64_t c = 0; c < chunks.count(); ++c) {
      const MatrixView<const float> left = first.block(chunks.start(c), rows.start(i), chunks.length(c), height);
      const MatrixView<const float> right = second.block(chunks.start(c), columns.start(j), chunks.length(c), width);
      setProduct(product, transposed(left), right);
      for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column)
          tile(row, column) += product(row, column);
    }
  });
}

} // namespace halftone::matrix
