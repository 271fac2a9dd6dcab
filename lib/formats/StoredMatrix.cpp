// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading a matrix from a mapped file.
#include "lib/formats/StoredMatrix.h"

#include "lib/formats/Packing.h"
#include "lib/formats/Scalar.h"

namespace halftone::formats {

std::optional<int64_t> storedBytes(const StoredShape &shape) {
  // A row counts at most 32 bits of codes and, for blocks of one, 32 of scales and 8 of zeros a column: 128 are more.
  int64_t bound, bytes;
  if (shape.rows < 0 || shape.columns < 0 || __builtin_mul_overflow(shape.columns, 128, &bound) ||
      __builtin_mul_overflow(rowBytes(shape.format, shape.columns), shape.rows, &bytes))
    return std::nullopt;
  return bytes;
}

Expected<StoredMatrix> StoredMatrix::open(std::shared_ptr<const io::MappedFile> file, uint64_t offset,
                                          const StoredShape &shape) {
  const std::optional<int64_t> bytes = storedBytes(shape);
  if (!bytes)
    return Error{file->path() + ": a matrix of " + std::to_string(shape.rows) + " rows and " +
                 std::to_string(shape.columns) + " columns at " + std::to_string(offset) + " is wanted, the file has " +
                 std::to_string(file->size()) + " bytes"};
  Expected<std::span<const std::byte>> content = file->slice(offset, *bytes);
  if (!content)
    return content.error();
  StoredMatrix matrix;
  matrix.file = std::move(file);
  matrix.offset = offset;
  matrix.content = *content;
  matrix.form = shape;
  return matrix;
}

std::span<const std::byte> StoredMatrix::storedRow(int64_t row) const {
  assert(!form.transposed && row >= 0 && row < form.rows);
  const int64_t bytes = rowBytes(form.format, form.columns);
  return content.subspan(row * bytes, bytes);
}

void StoredMatrix::readRows(int64_t first, std::span<const EncodedRow> rows) const {
  if (!form.transposed) {
    for (size_t i = 0; i < rows.size(); ++i)
      unpackRow(form.format, form.columns, storedRow(first + static_cast<int64_t>(i)), rows[i]);
    return;
  }
  switch (form.format.code.scalar) {
  case Scalar::F32:
    return readColumns<Scalar::F32>(first, rows);
  case Scalar::F16:
    return readColumns<Scalar::F16>(first, rows);
  case Scalar::BF16:
    return readColumns<Scalar::BF16>(first, rows);
  }
}

template <Scalar scalar> void StoredMatrix::readColumns(int64_t first, std::span<const EncodedRow> rows) const {
  constexpr int64_t size = scalarBytes(scalar);
  for (int64_t column = 0; column < form.columns; ++column) {
    const std::byte *from = content.data() + (column * form.rows + first) * size;
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i].values[column] = loadScalar(scalar, from + i * size);
  }
}

void StoredMatrix::release(int64_t first, int64_t count) const {
  if (form.transposed)
    return;
  const int64_t bytes = rowBytes(form.format, form.columns);
  file->release(offset + first * bytes, count * bytes);
}

} // namespace halftone::formats
