// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows by themselves, some a piece of work; their losses added up in order.
#include "lib/quantize/RoundOnGrids.h"
#include "lib/formats/Codec.h"
#include "lib/matrix/Tiles.h"

#include <vector>

namespace halftone::quantize {

/// Rows of a piece of work.
static constexpr int64_t pieceRows = 16;

namespace {

class Rounding {
public:
  Rounding(const formats::GridCodec &codec, std::span<const float> importance, const ChooseGrid &choose)
      : codec(codec), format(codec.format()), importance(importance), choose(choose) {}

  Status round(std::span<const float> weights, formats::EncodedRow out, GptqLoss &loss) const {
    if (Status status = formats::checkFinite(weights); !status)
      return status;
    const auto columns = static_cast<int64_t>(weights.size());
    std::vector<float> decoded(weights.size());
    for (int64_t b = 0; b < format.blockCount(columns); ++b) {
      const int64_t first = format.blockStart(b), length = format.blockLength(columns, b);
      const std::span<const float> block = weights.subspan(first, length);
      const formats::Grid grid = choose(block, first);
      codec.encode(grid, block, &out.codes[first]);
      codec.decode(grid, out.codes.subspan(first, length), &decoded[first]);
      out.scales[b] = grid.scale;
      if (format.zeroPoint)
        out.zeros[b] = grid.zero;
    }
    loss.weights = measureRow(format, weights, decoded, out.scales);
    for (size_t i = 0; i < importance.size(); ++i) {
      const double weight = weights[i], error = decoded[i] - weight;
      loss.outputError += importance[i] * error * error;
      loss.outputNorm += importance[i] * weight * weight;
    }
    return {};
  }

private:
  const formats::GridCodec &codec;
  const formats::Format &format;
  std::span<const float> importance;
  const ChooseGrid &choose;
};

} // namespace

Expected<GptqResult> roundOnGrids(const formats::GridCodec &codec, matrix::MatrixView<const float> weights,
                                  std::span<const float> importance, const ChooseGrid &choose,
                                  const matrix::ParallelFor &parallelFor) {
  GptqResult result{formats::EncodedMatrix(codec.format(), weights.rows, weights.columns), {}};
  const Rounding rounding(codec, importance, choose);
  std::vector<Status> statuses(weights.rows);
  std::vector<GptqLoss> losses(weights.rows);
  const matrix::Tiles pieces{weights.rows, pieceRows};
  parallelFor(pieces.count(), [&](int64_t piece) {
    for (int64_t row = pieces.start(piece); row < pieces.start(piece + 1); ++row)
      statuses[row] = rounding.round(weights.row(row), result.matrix.row(row), losses[row]);
  });
  for (int64_t row = 0; row < weights.rows; ++row) {
    if (!statuses[row])
      return Error{"row " + std::to_string(row) + ", " + statuses[row].error().message};
    result.loss.add(losses[row]);
  }
  return result;
}

} // namespace halftone::quantize
