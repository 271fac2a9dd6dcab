// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/kernels/Expected.h"

#include "lib/formats/Activations.h"
#include "lib/formats/Table.h"

namespace halftone::test {

Result integerResult(const Weight &weight, int64_t row, std::span<const float> x) {
  const formats::Format &format = weight.format;
  const int64_t blocks = format.blockCount(weight.columns);
  std::vector<int8_t> codes(weight.columns);
  std::vector<float> scales(blocks);
  std::vector<int32_t> sums(blocks);
  formats::quantizeActivations(x, format.block, codes, scales, sums);
  const formats::EncodedRowView w = weight.row(row);
  Result result;
  for (int64_t b = 0; b < blocks; ++b) {
    int32_t dot = 0;
    const int zero = format.zeroPoint ? w.zeros[b] : format.code.zeroLevel();
    for (int64_t i = format.blockStart(b); i < format.blockStart(b) + format.blockLength(weight.columns, b); ++i)
      dot += (format.code.level(w.codes[i]) - zero) * codes[i];
    const float both = format.step(w.scales[b]) * scales[b];
    result.add(static_cast<float>(dot) * both, static_cast<double>(static_cast<float>(dot)) * both);
  }
  return result;
}

Result floatResult(const Weight &weight, int64_t row, std::span<const float> x) {
  const std::vector<float> w = weight.decoded(row);
  Result result;
  for (int64_t k = 0; k < weight.columns; ++k)
    result.add(x[k] * w[k], static_cast<double>(x[k]) * w[k]);
  return result;
}

bool roundsActivations(const formats::Format &format) {
  return format.isPlain() && formats::findElement(format.code)->activations == formats::Scalar::BF16;
}

Result pairResult(const Weight &weight, int64_t row, std::span<const float> x) {
  const std::vector<float> w = weight.decoded(row);
  const double columns = static_cast<double>(weight.columns);
  Result result;
  double total = 0, denormals = 0;
  for (int64_t k = 0; k < weight.columns; ++k) {
    const float rounded = formats::roundTo(formats::Scalar::BF16, x[k]);
    result.value += rounded * w[k];
    total += std::fabs(static_cast<double>(rounded) * w[k]);
    denormals += 0x1p-126 * (std::fabs(rounded) + std::fabs(w[k]) + 2);
  }
  result.bound = 1.01 * 2 * columns * roundoff * total + denormals;
  return result;
}

} // namespace halftone::test
