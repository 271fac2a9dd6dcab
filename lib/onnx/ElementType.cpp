// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of element types.
#include "lib/onnx/ElementType.h"

#include <limits>

namespace halftone::onnx {

namespace {
struct TypeRow {
  std::string_view name;
  unsigned bits;
};
/// Row i is TensorProto.DataType i.
constexpr TypeRow types[] = {
    {"undefined", 0},      {"float32", 32},  {"uint8", 8},        {"int8", 8},           {"uint16", 16},
    {"int16", 16},         {"int32", 32},    {"int64", 64},       {"string", 0},         {"bool", 8},
    {"float16", 16},       {"float64", 64},  {"uint32", 32},      {"uint64", 64},        {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16}, {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},     {"int4", 4},         {"float4e2m1", 4},     {"float8e8m0", 8},
    {"uint2", 2},          {"int2", 2},
};
static_assert(std::size(types) == static_cast<size_t>(ElementType::int2) + 1);
} // namespace

std::optional<ElementType> elementType(int64_t number) {
  if (number <= 0 || number >= static_cast<int64_t>(std::size(types)))
    return std::nullopt;
  return static_cast<ElementType>(number);
}

std::string_view name(ElementType type) { return types[static_cast<size_t>(type)].name; }

unsigned bitWidth(ElementType type) { return types[static_cast<size_t>(type)].bits; }

std::optional<uint64_t> elementCount(std::span<const int64_t> shape) {
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    empty |= size == 0;
  }
  for (const int64_t size : shape)
    if (!empty && __builtin_mul_overflow(count, size, &count))
      return std::nullopt;
  return empty ? 0 : static_cast<uint64_t>(count);
}

std::optional<uint64_t> byteSize(ElementType type, std::span<const int64_t> shape) {
  const std::optional<uint64_t> count = elementCount(shape);
  uint64_t bits = 0;
  if (!count || __builtin_mul_overflow(*count, bitWidth(type), &bits))
    return std::nullopt;
  return bits / 8 + (bits % 8 != 0);
}

std::string describe(ElementType type, std::span<const int64_t> shape) {
  std::string text = std::string(name(type)) + " [";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace halftone::onnx
