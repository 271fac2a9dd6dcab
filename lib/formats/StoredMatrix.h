// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A matrix in a mapped file, read some rows at a time: the one way from a weight's bytes to its rows.
#pragma once

#include "lib/formats/EncodedRow.h"
#include "lib/io/MappedFile.h"

#include <memory>
#include <optional>

namespace halftone::formats {

/// Where a matrix lies and how it is written.
struct StoredShape {
  int64_t rows = 0;
  int64_t columns = 0;
  Format format;
  /// The file holds [columns, rows] values; plain formats only.
  bool transposed = false;
};

/// Bytes of a matrix of `shape` in storage rows; nothing when they are more than an int64_t counts.
std::optional<int64_t> storedBytes(const StoredShape &shape);

class StoredMatrix {
public:
  /// A matrix of `shape` whose storage rows (lib/formats/Packing.h) begin at `offset` of `file`. Fails when it does not
  /// lie inside the file, naming file, offset and both sizes.
  static Expected<StoredMatrix> open(std::shared_ptr<const io::MappedFile> file, uint64_t offset,
                                     const StoredShape &shape);

  const StoredShape &shape() const { return form; }
  /// The storage row of row `row`; not for a transposed matrix.
  std::span<const std::byte> storedRow(int64_t row) const;

  /// Reads rows first .. first + rows.size() - 1 as they are stored. Reading several at once is what makes a
  /// transposed matrix fast: they lie side by side in the file.
  void readRows(int64_t first, std::span<const EncodedRow> rows) const;

  /// Gives the memory behind rows [first, first + count) back to the system; nothing is done for a transposed matrix.
  void release(int64_t first, int64_t count) const;

private:
  StoredMatrix() = default;
  /// Rows of a transposed matrix.
  template <Scalar scalar> void readColumns(int64_t first, std::span<const EncodedRow> rows) const;

  std::shared_ptr<const io::MappedFile> file;
  uint64_t offset = 0;
  std::span<const std::byte> content;
  StoredShape form;
};

} // namespace halftone::formats
