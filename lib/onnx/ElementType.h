// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The element types of ONNX tensors: one table of names and sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace halftone::onnx {

/// Values are those of TensorProto.DataType.
enum class ElementType : uint8_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
  float8e8m0 = 24,
  uint2 = 25,
  int2 = 26,
};

/// The type with TensorProto.DataType's number; nothing when the table has none.
std::optional<ElementType> elementType(int64_t number);
/// "float32"; "undefined" where the file says nothing.
std::string_view name(ElementType type);
/// Bits of one element as stored; 0 for string and undefined. Types under 8 bits lie packed, lowest bits first.
unsigned bitWidth(ElementType type);
/// Bytes that a tensor of `shape` takes; nothing when a dimension is negative or the product overflows.
std::optional<uint64_t> byteSize(ElementType type, std::span<const int64_t> shape);
/// The number of elements; nothing when a dimension is negative or the product overflows int64.
std::optional<uint64_t> elementCount(std::span<const int64_t> shape);
/// "float32 [288, 768]", for errors.
std::string describe(ElementType type, std::span<const int64_t> shape);

} // namespace halftone::onnx
