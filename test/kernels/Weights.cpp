// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/kernels/Weights.h"

#include "lib/formats/Codec.h"

#include <cmath>
#include <gtest/gtest.h>

namespace halftone::test {

std::string attribute(const formats::Format &format) {
  std::string text = "#lowbit.format<" + formats::name(format.code);
  if (!format.isPlain()) {
    text += format.block == 0 ? ", row" : ", block " + std::to_string(format.block);
    text += ", scale " + std::string(formats::scalarName(format.scale));
    text += format.zeroPoint ? ", zero_point" : "";
  }
  return text + ">";
}

std::string Weight::type(bool isVector) const {
  return "!lowbit.weight<" + (isVector ? "" : std::to_string(rows) + "x") + std::to_string(columns) + ", " +
         attribute(format) + ">";
}

std::vector<float> Weight::decoded(int64_t r) const {
  std::vector<float> values(columns);
  formats::decodeRow(format, row(r), values);
  return values;
}

Weight plainWeight(int64_t rows, int64_t columns, std::vector<float> values) {
  Weight weight{formats::Format::plain(formats::Scalar::F32), rows, columns, {}};
  for (int64_t r = 0; r < rows; ++r) {
    weight.content.emplace_back(weight.format, columns);
    std::copy_n(values.begin() + r * columns, columns, weight.content.back().row().values.begin());
  }
  return weight;
}

static void fillExactly(const formats::Format &format, formats::EncodedRow row, Random &random) {
  const int lowest = format.code.isBalanced() && !format.zeroPoint ? 1 : 0; // -128 is no symmetric 8-bit code
  for (uint8_t &code : row.codes)
    code = random.integer(lowest, format.code.maxCode());
  for (float &scale : row.scales)
    scale = std::ldexp(random.integer(0, 1) || format.zeroPoint ? 1.0f : -1.0f, random.integer(-9, 2));
  for (uint8_t &zero : row.zeros)
    zero = random.integer(0, format.code.maxCode());
}

Weight randomWeight(const formats::Format &format, int64_t rows, int64_t columns, Random &random) {
  Weight weight{format, rows, columns, {}};
  for (int64_t r = 0; r < rows; ++r) {
    weight.content.emplace_back(format, columns);
    if (hasExactScales(r) && !format.isPlain()) {
      fillExactly(format, weight.content.back().row(), random);
      continue;
    }
    const Status encoded = formats::encodeRow(format, random.values(columns, 0.1f), weight.content.back().row());
    if (!encoded)
      ADD_FAILURE() << encoded.error().message;
  }
  return weight;
}

std::string WeightFile::declare(const std::string &name, const Weight &weight, bool isVector) {
  const size_t offset = content.size(), bytes = formats::rowBytes(weight.format, weight.columns);
  for (int64_t r = 0; r < weight.rows; ++r) {
    std::vector<std::byte> row(bytes);
    formats::packRow(weight.format, weight.columns, weight.row(r), row);
    content.append(reinterpret_cast<const char *>(row.data()), row.size());
  }
  return "lowbit.weight @" + name + " : " + weight.type(isVector) + " in \"" + path + "\" at " +
         std::to_string(offset) + "\n";
}

} // namespace halftone::test
