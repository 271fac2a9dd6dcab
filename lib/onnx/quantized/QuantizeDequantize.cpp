// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// DequantizeLinear in front of a linear that stays as it is: codes in the shape that the linear reads, scales and zeros
// a row (or column) of them a block. Source: onnx/docs/Operators.md, DequantizeLinear.
#include "lib/formats/Packing.h"
#include "lib/onnx/edit/MakeNode.h"
#include "lib/onnx/quantized/StorageStyle.h"

#include <algorithm>

namespace halftone::onnx {

using ::onnx::NodeProto;

namespace {

/// The types of codes, and the first operator sets whose DequantizeLinear takes them with a scale per row or per block.
struct CodeType {
  int bits;
  ElementType isSigned, isUnsigned;
  int64_t byRow, byBlock;
};
constexpr CodeType codeTypes[] = {
    {8, ElementType::int8, ElementType::uint8, 13, 21},
    {4, ElementType::int4, ElementType::uint4, 21, 21},
    {2, ElementType::int2, ElementType::uint2, 25, 25},
};
std::vector<int> widths() {
  std::vector<int> bits;
  for (const CodeType &type : codeTypes)
    bits.push_back(type.bits);
  return bits;
}

/// The first operator set whose DequantizeLinear gives other types than float32.
constexpr int64_t narrowResults = 19;

class QuantizeDequantize : public StorageStyle {
  Expected<StoredForm> form(const formats::Format &format, const LinearWeight &weight, bool readsRows) const override {
    const auto *type = std::ranges::find(codeTypes, format.code.bits, &CodeType::bits);
    if (format.code.kind != formats::Code::Kind::Integer || type == std::end(codeTypes))
      return Error{"DequantizeLinear cannot store '" + formats::name(format) + "'; allowed are " + codesOf(widths()) +
                   ", with or without zero points, in any blocks"};
    const Expected<formats::Scalar> scale = storedScale(format, weight.type);
    if (!scale)
      return scale.error();
    const int64_t blocks = format.blockCount(weight.columns);
    StoredForm form;
    form.layout = {.block = blocks == 1 ? weight.columns : format.block,
                   .isTransposed = !readsRows,
                   .isSigned = !format.zeroPoint,
                   .scale = *scale};
    form.codeType = format.zeroPoint ? type->isUnsigned : type->isSigned;
    form.scaleType = weight.type;
    form.codes = readsRows ? std::vector{weight.rows, weight.columns} : std::vector{weight.columns, weight.rows};
    form.scales = readsRows ? std::vector{weight.rows, blocks} : std::vector{blocks, weight.rows};
    if (blocks == 1)
      form.scales = {weight.rows};
    form.zeros = form.scales;
    form.needs = {"", blocks == 1 ? type->byRow : type->byBlock};
    if (*scale != formats::Scalar::F32)
      form.needs.version = std::max(form.needs.version, narrowResults);
    return form;
  }

  std::string refuses(const Node &) const override { return ""; }

  std::vector<NodeProto> front(const StoredForm &form, const StoredNames &names) const override {
    NodeProto node = makeNode("DequantizeLinear", {names.codes, names.scales}, names.values, names.values);
    if (!names.zeros.empty())
      node.add_input(names.zeros);
    const bool isBlocked = form.scales.size() > 1;
    // Along the columns blocks follow each other; rows have a scale each.
    setAttribute(node, "axis", isBlocked == form.layout.isTransposed ? 0 : 1);
    if (isBlocked)
      setAttribute(node, "block_size", form.layout.block);
    return {node};
  }

  NodeRewrite rewrite(const formats::Format &, const LinearWeight &, const StoredForm &, const StoredNames &names,
                      const std::string &) const override {
    return [values = names.values](NodeProto node) {
      node.set_input(1, values);
      return std::vector{std::move(node)};
    };
  }
};

} // namespace

const StorageStyle &quantizeDequantize() {
  static const QuantizeDequantize style;
  return style;
}

} // namespace halftone::onnx
