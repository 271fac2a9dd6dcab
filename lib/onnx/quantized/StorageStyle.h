// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a linear with a quantized matrix is written in ONNX: one table, a file each. For the .cpp files of this folder:
// it names protobuf's classes.
#pragma once

#include "lib/formats/FlatLayout.h"
#include "lib/onnx/edit/Edits.h"
#include "lib/onnx/quantized/Linears.h"

namespace halftone::onnx {

/// A version of an operator set that a model must import at least.
struct OpsetNeed {
  std::string domain;
  int64_t version;
};

/// What the tensors of a quantized matrix are.
struct StoredForm {
  formats::FlatLayout layout;
  ElementType codeType, scaleType; ///< zeros are of the type of the codes
  std::vector<int64_t> codes, scales, zeros;
  OpsetNeed needs;
};

/// The names of a matrix's tensors, without zeros `zeros` is empty, and of the matrix itself where it is a value.
struct StoredNames {
  std::string codes, scales, zeros, values;
};

class StorageStyle {
public:
  virtual ~StorageStyle() = default;

  /// The tensors of `weight` in `format`, for linears that read it as [rows, columns] or not. Fails, naming the format
  /// and what is allowed.
  virtual Expected<StoredForm> form(const formats::Format &format, const LinearWeight &weight,
                                    bool readsRows) const = 0;
  /// Why this linear cannot be written, or "".
  virtual std::string refuses(const Node &linear) const = 0;
  /// Nodes that stand in front of all linears with the matrix.
  virtual std::vector<::onnx::NodeProto> front(const StoredForm &form, const StoredNames &names) const = 0;
  /// The linear with the quantized matrix. \param between a name for a value between two nodes.
  virtual NodeRewrite rewrite(const formats::Format &format, const LinearWeight &weight, const StoredForm &form,
                              const StoredNames &names, const std::string &between) const = 0;
};

const StorageStyle &matMulNBits();
const StorageStyle &quantizeDequantize();

/// The integer codes among the formats' that have one of these widths: "int8, int4".
std::string codesOf(std::span<const int> bits);

/// The type in which a format's scales are stored for linears that compute in `type`, which is the type that operators
/// want. Fails when it does not hold them exactly.
Expected<formats::Scalar> storedScale(const formats::Format &format, ElementType type);

} // namespace halftone::onnx
