// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a tensor's elements to storage rows.
#include "passes/model/WeightCoder.h"

#include "lib/formats/Packing.h"
#include "passes/quantize/RoundRows.h"

#include "mlir/IR/Threading.h"

#include <cmath>

namespace halftone {

matrix::ParallelFor parallelOn(mlir::MLIRContext &context) {
  return [&context](int64_t count, const std::function<void(int64_t)> &body) {
    mlir::parallelFor(&context, 0, count, [&](size_t i) { body(static_cast<int64_t>(i)); });
  };
}

formats::Scalar scalarOf(onnx::ElementType type) {
  return type == onnx::ElementType::float16    ? formats::Scalar::F16
         : type == onnx::ElementType::bfloat16 ? formats::Scalar::BF16
                                               : formats::Scalar::F32;
}

Expected<WeightCoder> WeightCoder::create(const onnx::Model &model, const io::WorkFolder &work,
                                          mlir::MLIRContext &context) {
  auto file = lowbit::WorkFile::create(work / "codes", std::vector<std::string>());
  if (!file)
    return file.error();
  return WeightCoder(model, work, context, std::move(*file));
}

/// The weight's elements, a row per output, where they lie; those that are spelled as numbers go to a file first.
Expected<formats::StoredMatrix> WeightCoder::source(const onnx::LinearWeight &weight) const {
  const formats::StoredShape shape = {weight.rows, weight.columns,
                                      formats::Format::plain(scalarOf(weight.tensor->type)), weight.isTransposed};
  if (const auto &location = weight.tensor->location)
    return formats::StoredMatrix::open(model.files[location->file], location->offset, shape);
  const std::string path = work / "numbers";
  if (Status spelled = io::writeFile(path, std::as_bytes(std::span(weight.tensor->bytes))); !spelled)
    return spelled.error();
  Expected<io::MappedFile> numbers = io::MappedFile::open(path);
  if (!numbers)
    return numbers.error();
  return formats::StoredMatrix::open(std::make_shared<const io::MappedFile>(std::move(*numbers)), 0, shape);
}

Expected<CodedWeight> WeightCoder::round(const onnx::LinearWeight &weight, const formats::Format &format) {
  const Expected<formats::StoredMatrix> matrix = source(weight);
  if (!matrix)
    return matrix.error();
  const int64_t rowBytes = formats::rowBytes(format, weight.columns);
  const uint64_t offset = file->reserve(weight.rows * rowBytes);
  const auto write = [&](int64_t row, std::span<const std::byte> bytes) {
    return file->writeAt(offset + row * rowBytes, bytes);
  };
  const Expected<quantize::RowStatistics> lost =
      quantize::roundRows(&context, *matrix, format, weight.describe(model), write);
  if (!lost)
    return lost.error();
  return CodedWeight{&weight, format, offset, {.error = lost->error(), .vanishedBlocks = lost->vanishedBlocks}};
}

//===-- Other methods ---------------------------------------------------------------------------------------------===//

/// Rows that are in memory as f32 at once; they do not depend on each other.
static constexpr int64_t partRows = 4096;

static std::vector<float> readRows(const formats::StoredMatrix &matrix, int64_t first, int64_t count) {
  const int64_t columns = matrix.shape().columns;
  std::vector<float> values(count * columns);
  std::vector<formats::EncodedRow> rows(count);
  for (int64_t i = 0; i < count; ++i)
    rows[i].values = std::span(values).subspan(i * columns, columns);
  matrix.readRows(first, rows);
  matrix.release(first, count);
  return values;
}

static void pack(const formats::EncodedMatrix &matrix, std::span<std::byte> bytes) {
  const int64_t rowBytes = formats::rowBytes(matrix.format(), matrix.columns());
  for (int64_t row = 0; row < matrix.rows(); ++row)
    formats::packRow(matrix.format(), matrix.columns(), matrix.row(row), bytes.subspan(row * rowBytes, rowBytes));
}

Expected<WeightCodes> WeightCoder::code(const onnx::LinearWeight &weight, const formats::Format &format,
                                        std::span<const float> scale, const CodeRows &codeRows) const {
  const Expected<formats::StoredMatrix> matrix = source(weight);
  if (!matrix)
    return matrix.error();
  const int64_t rowBytes = formats::rowBytes(format, weight.columns);
  WeightCodes codes;
  codes.bytes.resize(weight.rows * rowBytes);
  quantize::GptqLoss lost;
  for (int64_t first = 0; first < weight.rows; first += partRows) {
    const int64_t count = std::min(partRows, weight.rows - first);
    std::vector<float> values = readRows(*matrix, first, count);
    for (size_t i = 0; i < values.size() && !scale.empty(); ++i)
      values[i] *= scale[i % scale.size()];
    Expected<quantize::GptqResult> part = codeRows({values.data(), count, weight.columns});
    if (!part)
      return Error{weight.describe(model) + (first == 0 ? "" : ", of the rows from " + std::to_string(first) + " on") +
                   ", " + part.error().message};
    lost.add(part->loss);
    pack(part->matrix, std::span(codes.bytes).subspan(first * rowBytes));
  }
  codes.loss = {.error = lost.weights.error(), .vanishedBlocks = lost.weights.vanishedBlocks};
  if (lost.outputNorm != 0)
    codes.loss.outputError = std::sqrt(lost.outputError / lost.outputNorm);
  return codes;
}

Expected<CodedWeight> WeightCoder::write(const onnx::LinearWeight &weight, const formats::Format &format,
                                         const WeightCodes &codes) {
  const uint64_t offset = file->reserve(codes.bytes.size());
  if (Status stored = file->writeAt(offset, codes.bytes); !stored)
    return stored.error();
  return CodedWeight{&weight, format, offset, codes.loss};
}

Expected<std::vector<float>> WeightCoder::values(const onnx::LinearWeight &weight) const {
  const Expected<formats::StoredMatrix> matrix = source(weight);
  if (!matrix)
    return matrix.error();
  return readRows(*matrix, 0, weight.rows);
}

//===-- Reading ---------------------------------------------------------------------------------------------------===//

Status WeightCoder::finish() {
  if (Status committed = file->commit(); !committed)
    return committed;
  Expected<io::MappedFile> mapped = io::MappedFile::open(file->path());
  if (!mapped)
    return mapped.error();
  written = std::make_shared<const io::MappedFile>(std::move(*mapped));
  return {};
}

Expected<formats::StoredMatrix> WeightCoder::codes(const CodedWeight &coded) const {
  return formats::StoredMatrix::open(written, coded.offset,
                                     {coded.weight->rows, coded.weight->columns, coded.format, false});
}

} // namespace halftone
