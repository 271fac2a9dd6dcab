// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model with quantized matrices in the place of those that its linears read. All else in it stays as it is.
#pragma once

#include "lib/formats/StoredMatrix.h"
#include "lib/onnx/edit/ExternalFile.h"
#include "lib/onnx/quantized/Linears.h"

namespace halftone::onnx {

/// How quantized linears are written.
class StorageStyle;

/// The style of that name, or null.
const StorageStyle *findStorageStyle(std::string_view name);
/// All names, the default first.
std::vector<std::string_view> storageStyleNames();

/// The codes of a weight: its rows in the format that they are stored in.
struct QuantizedWeight {
  const LinearWeight *weight;
  formats::StoredMatrix matrix;
  /// By which its columns were multiplied: the inputs of its linears are divided by it. Null: by 1.
  std::shared_ptr<const std::vector<float>> scale = nullptr;
};

/// What a file, or two, will hold.
struct ModelFiles {
  io::Rope model;
  std::optional<ExternalFile> external;
  /// For each weight who still reads it, so that it stays beside its codes; "" when it is gone.
  std::vector<std::string> otherReaders;
};

/// Why linears that read `weight` cannot have it in `format`: an error when the style cannot hold the format, the
/// reason when one of the linears cannot be written with any, "" when nothing speaks against it.
Expected<std::string> checkStyle(const StorageStyle &style, const formats::Format &format, const LinearWeight &weight);

/// Bits that a weight takes in the style, with scales, zeros and what fills up blocks. \p format as checkStyle took it.
double storedBits(const StorageStyle &style, const formats::Format &format, const LinearWeight &weight);

/// The files of `model` with `weights`, each in a format that checkStyle took. What nothing reads any more is left out.
/// The operator set and the IR version are raised as far as the style needs. Fails, naming the node, where that cannot
/// be.
/// \param externalName what a file of external data beside the model is called. There is one when `model` has external
/// data, or is too large for protobuf without.
Expected<ModelFiles> describeFiles(const Model &model, const Values &values, std::span<const QuantizedWeight> weights,
                                   const StorageStyle &style, const std::string &externalName);

} // namespace halftone::onnx
