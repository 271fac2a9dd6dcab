// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A row-major matrix in memory that someone else owns.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

namespace halftone::matrix {

template <class T> struct MatrixView {
  T *data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  /// Elements from the start of one row to the start of the next, at least `columns`.
  int64_t stride = 0;

  MatrixView() = default;
  MatrixView(T *data, int64_t rows, int64_t columns) : MatrixView(data, rows, columns, columns) {}
  MatrixView(T *data, int64_t rows, int64_t columns, int64_t stride)
      : data(data), rows(rows), columns(columns), stride(stride) {}

  T &operator()(int64_t row, int64_t column) const { return data[row * stride + column]; }
  std::span<T> row(int64_t row) const { return {data + row * stride, static_cast<size_t>(columns)}; }

  /// The part of `height` rows and `width` columns from (row, column) on.
  MatrixView block(int64_t row, int64_t column, int64_t height, int64_t width) const {
    return {data + row * stride + column, height, width, stride};
  }

  operator MatrixView<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, rows, columns, stride};
  }
};

} // namespace halftone::matrix
