// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A TensorProto of the stripped model as a Tensor. For the .cpp files of this folder: it names
// protobuf's classes.
#pragma once

#include "lib/onnx/ExternalData.h"
#include "lib/onnx/WeightIndex.h"

#include "onnx-ml.pb.h"

namespace halftone::onnx {

/// What reading a tensor needs beside its message.
struct TensorSources {
  const WeightIndex &index;
  ExternalData &external;
  const std::vector<std::shared_ptr<const io::MappedFile>> &files;
  uint64_t inlineLimit;
};

/// Reads and checks a tensor: a known element type, and as many bytes or numbers as its shape wants. Errors begin with
/// `where` ("stories.onnx: initializer 'w'").
Expected<Tensor> readTensor(const ::onnx::TensorProto &proto, const TensorSources &sources, const std::string &where);

} // namespace halftone::onnx
