// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decoding weights when they are needed.
#include "passes/calibrate/BlockWeights.h"

#include "dialects/lowbit/OriginalWeight.h"
#include "dialects/lowbit/StreamRows.h"
#include "lib/formats/Codec.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;
using namespace halftone::lowbit;

BlockWeights::BlockWeights(ModuleOp module, bool original)
    : names(ModuleOp::create(module.getLoc())), source(std::make_unique<StoredWeights>()) {
  OpBuilder builder = OpBuilder::atBlockBegin(names->getBody());
  for (WeightOp weight : module.getOps<WeightOp>()) {
    auto copy = cast<WeightOp>(builder.clone(*weight));
    if (original)
      restoreOriginal(copy);
    operations[weight.getSymName().str()] = copy;
  }
}

/// Decodes the rows of a matrix of codes.
static void decode(const formats::StoredMatrix &matrix, function_ref<std::span<float>(int64_t)> rowOf) {
  const formats::StoredShape &shape = matrix.shape();
  formats::RowBuffer encoded(shape.format, shape.columns);
  for (int64_t row = 0; row < shape.rows; ++row) {
    const formats::EncodedRow parts[] = {encoded.row()};
    matrix.readRows(row, parts);
    formats::decodeRow(shape.format, encoded.view(), rowOf(row));
  }
}

Status BlockWeights::load(const std::string &name) {
  if (loaded.contains(name))
    return {};
  WeightOp weight = operations.at(name);
  if (cast<WeightType>(weight.getType()).getFormat().getValue().isPlain()) {
    Expected<std::vector<float>> values = readAll(*source, weight);
    if (!values)
      return values.error();
    loaded[name] = std::move(*values);
    return {};
  }
  Expected<formats::StoredMatrix> matrix = source->open(weight);
  if (!matrix)
    return matrix.error();
  const formats::StoredShape &shape = matrix->shape();
  std::vector<float> &values = loaded[name];
  values.resize(shape.rows * shape.columns);
  decode(*matrix, [&](int64_t row) { return std::span(values).subspan(row * shape.columns, shape.columns); });
  source->release(weight);
  return {};
}

void BlockWeights::replace(const std::string &name, std::span<const float> values, bool atOnce) {
  isReplaced = true;
  (atOnce ? loaded : waiting)[name].assign(values.begin(), values.end());
}

void BlockWeights::takeReplaced() {
  for (auto &[name, values] : waiting)
    loaded[name] = std::move(values);
  waiting.clear();
}

void BlockWeights::clear() {
  loaded.clear();
  isReplaced = false;
}
