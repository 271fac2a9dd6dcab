// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads rows, some at a time, and writes them in another order.
#include "passes/lower/WriteWeight.h"

#include "lib/formats/Packing.h"
#include "lib/formats/Unpacked.h"

#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Tiles that a thread packs and writes at once.
static constexpr int64_t tilesAtOnce = 8;

/// Packs tiles [first, last) of `matrix` one behind the other.
static std::vector<std::byte> packTiles(const formats::StoredMatrix &matrix, const formats::KernelLayout &layout,
                                        int64_t first, int64_t last) {
  const formats::StoredShape &shape = matrix.shape();
  std::vector<formats::RowBuffer> buffers;
  for (int64_t i = 0; i < layout.lanes; ++i)
    buffers.emplace_back(shape.format, shape.columns);
  const int64_t tileBytes = formats::tileBytes(shape.format, layout, shape.columns);
  std::vector<std::byte> tiles((last - first) * tileBytes);
  for (int64_t tile = first; tile < last; ++tile) {
    const int64_t row = tile * layout.lanes, count = std::min(layout.lanes, shape.rows - row);
    std::vector<formats::EncodedRow> rows;
    std::vector<formats::EncodedRowView> views;
    for (int64_t i = 0; i < count; ++i) {
      rows.push_back(buffers[i].row());
      views.push_back(buffers[i].view());
    }
    matrix.readRows(row, rows);
    formats::packTile(shape.format, layout, shape.columns, views,
                      std::span(tiles).subspan((tile - first) * tileBytes, tileBytes));
    matrix.release(row, count);
  }
  return tiles;
}

/// Writes `matrix` at `offset` in tiles of `layout`, on the threads of `context`.
static Status writeTiles(MLIRContext *context, const formats::StoredMatrix &matrix, const formats::KernelLayout &layout,
                         uint64_t offset, WorkFile &out) {
  const formats::StoredShape &shape = matrix.shape();
  const int64_t tiles = formats::divideUp(shape.rows, layout.lanes);
  const int64_t tileBytes = formats::tileBytes(shape.format, layout, shape.columns);
  std::vector<Status> results(formats::divideUp(tiles, tilesAtOnce));
  (void)failableParallelForEachN(context, 0, results.size(), [&](size_t index) {
    const int64_t first = static_cast<int64_t>(index) * tilesAtOnce, last = std::min(first + tilesAtOnce, tiles);
    results[index] = out.writeAt(offset + first * tileBytes, packTiles(matrix, layout, first, last));
    return success(static_cast<bool>(results[index]));
  });
  for (Status &result : results)
    if (!result)
      return std::move(result);
  return {};
}

template <class T> static Status writeArray(std::span<const T> values, uint64_t offset, WorkFile &out) {
  return out.writeAt(offset, std::as_bytes(values));
}

/// Writes `matrix` at `offset` as arrays: levels, then steps and zeros.
static Status writeUnpacked(const formats::StoredMatrix &matrix, uint64_t offset, WorkFile &out) {
  const auto &[rows, columns, format, transposed] = matrix.shape();
  formats::RowBuffer buffer(format, columns);
  const formats::EncodedRow row = buffer.row();
  std::vector<float> steps;
  std::vector<uint8_t> zeros;
  for (int64_t r = 0; r < rows; ++r) {
    matrix.readRows(r, {&row, 1});
    for (uint8_t &code : row.codes)
      code = static_cast<uint8_t>(format.code.level(code));
    if (Status status = format.isPlain() ? writeArray<float>(row.values, offset + r * row.values.size_bytes(), out)
                                         : writeArray<uint8_t>(row.codes, offset + r * columns, out);
        !status)
      return status;
    for (float scale : row.scales)
      steps.push_back(format.step(scale));
    zeros.insert(zeros.end(), row.zeros.begin(), row.zeros.end());
  }
  if (format.isPlain())
    return {};
  zeros.resize(steps.size(), format.code.zeroLevel()); // all of them where none is stored
  if (Status status = writeArray<float>(steps, offset + formats::unpackedStepsOffset(rows, columns), out); !status)
    return status;
  return writeArray<uint8_t>(zeros, offset + formats::unpackedZerosOffset(format, rows, columns), out);
}

/// Writes `matrix` at `offset` as it is, row by row.
static Status writeRows(const formats::StoredMatrix &matrix, uint64_t offset, WorkFile &out) {
  const formats::StoredShape &shape = matrix.shape();
  formats::RowBuffer buffer(shape.format, shape.columns);
  std::vector<std::byte> bytes(formats::rowBytes(shape.format, shape.columns));
  const formats::EncodedRow row = buffer.row();
  for (int64_t r = 0; r < shape.rows; ++r) {
    matrix.readRows(r, {&row, 1});
    formats::packRow(shape.format, shape.columns, row, bytes);
    if (Status status = out.writeAt(offset + r * bytes.size(), bytes); !status)
      return status;
  }
  return {};
}

Status halftone::writeWeight(MLIRContext *context, const formats::StoredMatrix &matrix, Attribute layout,
                             uint64_t offset, WorkFile &out) {
  if (auto tiles = dyn_cast_if_present<kernel::LayoutAttr>(layout))
    return writeTiles(context, matrix, tiles.get(), offset, out);
  return isa_and_present<kernel::UnpackedAttr>(layout) ? writeUnpacked(matrix, offset, out)
                                                       : writeRows(matrix, offset, out);
}
