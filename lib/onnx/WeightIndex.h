// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds where the weights lie in an ONNX file and copies the rest, so that protobuf parses kilobytes and
// not gigabytes.
#pragma once

#include "lib/io/MappedFile.h"
#include "lib/onnx/Model.h"

#include <string>
#include <vector>

namespace halftone::onnx {

/// An ONNX file in two parts.
struct WeightIndex {
  /// A ModelProto with the fields that the reader uses. A TensorProto whose elements lie raw in the file has as
  /// doc_string the number of its location (no other tensor has a doc_string); its raw_data, float_data or double_data
  /// are left out when larger than the inline limit.
  std::string stripped;
  /// Places in the model file (file 0).
  std::vector<Location> locations;
};

/// Walks the wire format of `file` along the schema, nested graphs included. Also for files of more than 2 GB, which
/// protobuf itself refuses. Fails when the file is no ModelProto or is cut off, with the byte where: "stories.onnx:
/// truncated at byte 1234: field graph (7) wants 5000 bytes, 100 are left". Source:
/// protobuf.dev/programming-guides/encoding.
Expected<WeightIndex> indexWeights(const io::MappedFile &file, uint64_t inlineLimit);

} // namespace halftone::onnx
