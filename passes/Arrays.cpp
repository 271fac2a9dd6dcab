// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of types that both sides have.
#include "passes/Arrays.h"

#include <algorithm>

namespace halftone {

static constexpr struct {
  io::NpyType array;
  onnx::ElementType tensor;
} types[] = {
    {io::NpyType::boolean, onnx::ElementType::boolean}, {io::NpyType::int8, onnx::ElementType::int8},
    {io::NpyType::int16, onnx::ElementType::int16},     {io::NpyType::int32, onnx::ElementType::int32},
    {io::NpyType::int64, onnx::ElementType::int64},     {io::NpyType::uint8, onnx::ElementType::uint8},
    {io::NpyType::uint16, onnx::ElementType::uint16},   {io::NpyType::uint32, onnx::ElementType::uint32},
    {io::NpyType::uint64, onnx::ElementType::uint64},   {io::NpyType::float16, onnx::ElementType::float16},
    {io::NpyType::float32, onnx::ElementType::float32}, {io::NpyType::float64, onnx::ElementType::float64},
};

onnx::ElementType elementTypeOf(io::NpyType type) {
  return std::ranges::find_if(types, [&](auto &row) { return row.array == type; })->tensor;
}

std::optional<io::NpyType> arrayTypeOf(onnx::ElementType type) {
  const auto *row = std::ranges::find_if(types, [&](auto &row) { return row.tensor == type; });
  return row == std::end(types) ? std::nullopt : std::optional(row->array);
}

} // namespace halftone
