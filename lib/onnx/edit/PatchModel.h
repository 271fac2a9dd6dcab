// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model file with changes, as a rope: unchanged messages are pieces of the file, and only the lengths around a change
// are new. Any size; what the reader knows nothing about is kept.
#pragma once

#include "lib/onnx/edit/Edits.h"
#include "lib/onnx/edit/ExternalFile.h"

namespace halftone::onnx {

/// Tensors above this many bytes go to the file of external data when there is one. The same limit as ONNX's own tools.
inline constexpr uint64_t externalLimit = 1024;

/// The bytes of `model`'s file after `edits`.
/// \param external where large initializers go, old and new; null: each tensor stays inside, of a model that has no
/// external data.
Expected<io::Rope> patchModel(const Model &model, const ModelEdits &edits, ExternalFile *external);

} // namespace halftone::onnx
