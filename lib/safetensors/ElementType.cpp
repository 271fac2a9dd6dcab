// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table, and sizes that may not overflow.
#include "lib/safetensors/ElementType.h"

namespace halftone::safetensors {

namespace {

struct TypeRow {
  ElementType type;
  std::string_view name;
  uint64_t bytes;
};
constexpr TypeRow types[] = {
    {ElementType::i64, "I64", 8},      {ElementType::f64, "F64", 8},   {ElementType::f32, "F32", 4},
    {ElementType::i32, "I32", 4},      {ElementType::bf16, "BF16", 2}, {ElementType::f16, "F16", 2},
    {ElementType::i16, "I16", 2},      {ElementType::i8, "I8", 1},     {ElementType::u8, "U8", 1},
    {ElementType::boolean, "BOOL", 1},
};

} // namespace

static const TypeRow &row(ElementType type) { return types[static_cast<size_t>(type)]; }

std::string_view name(ElementType type) { return row(type).name; }

std::optional<ElementType> findElementType(std::string_view name) {
  for (const TypeRow &row : types)
    if (row.name == name)
      return row.type;
  return std::nullopt;
}

std::string knownElementTypes() {
  std::string known;
  for (const TypeRow &row : types)
    known += (known.empty() ? "" : " ") + std::string(row.name);
  return known;
}

uint64_t byteSize(ElementType type) { return row(type).bytes; }

std::optional<uint64_t> byteSize(ElementType type, std::span<const uint64_t> shape) {
  uint64_t bytes = byteSize(type);
  for (const uint64_t size : shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      return std::nullopt;
  return bytes;
}

std::string describe(ElementType type, std::span<const uint64_t> shape) {
  std::string sizes;
  for (const uint64_t size : shape)
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return std::string(name(type)) + " [" + sizes + "]";
}

} // namespace halftone::safetensors
