// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights kept in files beside the model: found, bounded, and never outside the folders that the user
// allowed.
#pragma once

#include "lib/onnx/Model.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace halftone::onnx {

/// TensorProto.external_data as the file spells it. Source: onnx/docs/ExternalData.md.
using ExternalEntries = std::map<std::string, std::string>;

/// Opens each file of external data once. A location is taken relative to the model's folder, then to the external data
/// root; what it resolves to, symbolic links followed, must lie in one of the two.
class ExternalData {
public:
  /// \param files Model::files: files are appended and stay mapped.
  ExternalData(const std::string &modelPath, const std::string &root,
               std::vector<std::shared_ptr<const io::MappedFile>> &files);

  /// Where a tensor of `wanted` bytes lies. Errors begin with `where` ("stories.onnx: initializer 'w'"): a missing
  /// file, a location that leaves the folders, a length other than `wanted`, an end past the end of the file.
  Expected<Location> locate(const ExternalEntries &entries, uint64_t wanted, const std::string &where);

private:
  Expected<uint32_t> openFile(const std::string &location, const std::string &where);
  Expected<std::string> resolve(const std::string &location, const std::string &where) const;
  bool isAllowed(const std::string &resolved) const;

  std::vector<std::string> folders; ///< the model's, then the root
  std::vector<std::shared_ptr<const io::MappedFile>> &files;
  std::map<std::string, uint32_t> opened; ///< by location
};

} // namespace halftone::onnx
