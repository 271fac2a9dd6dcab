// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One more lossless layout: an encoded matrix as the flat tensors that operators of other runtimes read, one of codes,
// one of scales, one of zeros. Streamed from storage rows, turned round on the way where the operator wants columns
// first.
#pragma once

#include "lib/formats/StoredMatrix.h"

#include <functional>

namespace halftone::formats {

/// How the three tensors lie. Codes and zeros are packed from the low bits up, without gaps between rows.
struct FlatLayout {
  /// Columns that share a stored scale: the format's block, or a divisor of it, whose scales and zeros are then
  /// repeated.
  int64_t block = 0;
  /// The last block of a row is as long as the others, filled with what decodes to 0; the zeros of a row end at a byte.
  bool isPadded = false;
  /// The tensors are [columns, rows] and [blocks, rows]; not padded.
  bool isTransposed = false;
  /// Codes are two's complement, 0 meaning 0; otherwise as they are.
  bool isSigned = false;
  /// The type of the stored scales, which holds those of the format exactly.
  Scalar scale = Scalar::F32;
};

/// What a tensor holds.
enum class FlatPart : uint8_t { Codes, Scales, Zeros };

/// Elements of a matrix row in the tensor of `part`, those that fill it up included.
int64_t flatColumns(FlatPart part, const Format &format, const FlatLayout &layout, int64_t columns);

/// Bytes of the tensor.
int64_t flatBytes(FlatPart part, const StoredShape &shape, const FlatLayout &layout);

/// Gives the bytes of the tensor to `sink`, in order. \param matrix of a format with codes, not transposed.
Status writeFlat(FlatPart part, const StoredMatrix &matrix, const FlatLayout &layout,
                 const std::function<Status(std::span<const std::byte>)> &sink);

} // namespace halftone::formats
