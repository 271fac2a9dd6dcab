// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table.
#include "lib/onnx/quantized/StorageStyle.h"

#include "lib/formats/Table.h"
#include "lib/onnx/quantized/QuantizedModel.h"

#include <algorithm>

namespace halftone::onnx {

namespace {
struct Row {
  std::string_view name;
  const StorageStyle &(*style)();
};
constexpr Row table[] = {
    {"matmulnbits", matMulNBits},
    {"qdq", quantizeDequantize},
};
} // namespace

const StorageStyle *findStorageStyle(std::string_view name) {
  const auto *row = std::ranges::find(table, name, &Row::name);
  return row == std::end(table) ? nullptr : &row->style();
}

std::vector<std::string_view> storageStyleNames() {
  std::vector<std::string_view> names;
  for (const Row &row : table)
    names.push_back(row.name);
  return names;
}

std::string codesOf(std::span<const int> bits) {
  std::string names;
  for (const formats::Element &element : formats::elements())
    if (element.code.kind == formats::Code::Kind::Integer && std::ranges::find(bits, element.code.bits) != bits.end())
      names += (names.empty() ? "" : ", ") + formats::name(element.code);
  return names;
}

Expected<formats::Scalar> storedScale(const formats::Format &format, ElementType type) {
  using formats::Scalar;
  const Scalar scalar = type == ElementType::float16    ? Scalar::F16
                        : type == ElementType::bfloat16 ? Scalar::BF16
                                                        : Scalar::F32;
  if (scalar == Scalar::F32 || scalar == format.scale)
    return scalar;
  return Error{"a linear in " + std::string(name(type)) + " has scales of that type, which does not hold those of '" +
               formats::name(format) + "' exactly; allowed there are scales in " +
               std::string(formats::scalarName(scalar))};
}

} // namespace halftone::onnx
