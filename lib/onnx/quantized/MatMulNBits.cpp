// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// com.microsoft.MatMulNBits: codes [N, blocks, bytes of a block], scales [N, blocks], zeros packed by row; all blocks
// are whole, a power of two from 16 on. Source: ONNX Runtime, docs/ContribOperators.md.
#include "lib/formats/Packing.h"
#include "lib/onnx/edit/MakeNode.h"
#include "lib/onnx/quantized/StorageStyle.h"

#include <algorithm>
#include <bit>

namespace halftone::onnx {

using ::onnx::NodeProto;

namespace {

constexpr int widths[] = {2, 4, 8};
constexpr int64_t leastBlock = 16;
/// The longest block that ONNX Runtime's kernels know; 2 bits it takes in no longer one at all.
constexpr int64_t fastestBlock = 256;

/// The longest stored block that tells all blocks of a format apart: one that divides them, repeating scales, or one as
/// long as a row that is a block; nothing when there is none.
std::optional<int64_t> storedBlock(const formats::Format &format, int64_t columns) {
  const int64_t block = format.block == 0 ? columns : format.block;
  const auto divisor = static_cast<int64_t>(1) << std::min(std::countr_zero(static_cast<uint64_t>(block)),
                                                           std::countr_zero(static_cast<uint64_t>(fastestBlock)));
  if (divisor >= leastBlock)
    return divisor;
  const auto whole = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max(columns, leastBlock))));
  const int64_t most = format.code.bits == 2 ? fastestBlock : formats::maxBlock;
  return block >= columns && whole <= most ? std::optional(whole) : std::nullopt;
}

class MatMulNBits : public StorageStyle {
  Expected<StoredForm> form(const formats::Format &format, const LinearWeight &weight, bool) const override {
    const int bits = format.code.bits;
    const bool hasBits =
        format.code.kind == formats::Code::Kind::Integer && std::ranges::find(widths, bits) != std::end(widths);
    const std::optional<int64_t> block = hasBits ? storedBlock(format, weight.columns) : std::nullopt;
    if (!block)
      return Error{"MatMulNBits cannot store '" + formats::name(format) + "' in rows of " +
                   std::to_string(weight.columns) + " weights; allowed are " + codesOf(widths) +
                   ", with or without zero points, in blocks that 16 divides or that are a whole row"};
    const Expected<formats::Scalar> scale = storedScale(format, weight.type);
    if (!scale)
      return scale.error();
    const formats::FlatLayout layout = {.block = *block, .isPadded = true, .scale = *scale};
    const int64_t blocks = formats::divideUp(weight.columns, *block);
    return StoredForm{layout,
                      ElementType::uint8,
                      weight.type,
                      {weight.rows, blocks, *block * bits / 8},
                      {weight.rows, blocks},
                      {weight.rows, formats::divideUp(blocks * bits, 8)},
                      {"com.microsoft", 1}};
  }

  std::string refuses(const Node &linear) const override {
    if (linear.opType != "Gemm")
      return "";
    for (const char *factor : {"alpha", "beta"})
      if (const auto *value = linear.get<float>(factor); value && *value != 1)
        return "Gemm with " + std::string(factor) + " " + std::to_string(*value);
    const auto *transposed = linear.get<int64_t>("transA");
    return transposed && *transposed != 0 ? "Gemm with transA" : "";
  }

  std::vector<NodeProto> front(const StoredForm &, const StoredNames &) const override { return {}; }

  NodeRewrite rewrite(const formats::Format &format, const LinearWeight &weight, const StoredForm &form,
                      const StoredNames &names, const std::string &between) const override {
    return [=, rows = weight.rows, columns = weight.columns, bits = format.code.bits](NodeProto node) {
      const std::string bias = node.input_size() > 2 ? node.input(2) : "", input = node.input(0);
      const std::string output = node.output(0);
      node.set_op_type("MatMulNBits");
      node.set_domain(form.needs.domain);
      node.clear_input();
      node.clear_attribute();
      for (const std::string *name : {&input, &names.codes, &names.scales, &names.zeros})
        if (!name->empty())
          node.add_input(*name);
      setAttribute(node, "K", columns);
      setAttribute(node, "N", rows);
      setAttribute(node, "bits", bits);
      setAttribute(node, "block_size", form.layout.block);
      std::vector<NodeProto> nodes = {std::move(node)};
      if (!bias.empty()) {
        nodes.front().set_output(0, between);
        nodes.push_back(makeNode("Add", {between, bias}, output, between + ".bias"));
      }
      return nodes;
    };
  }
};

} // namespace

const StorageStyle &matMulNBits() {
  static const MatMulNBits style;
  return style;
}

} // namespace halftone::onnx
