// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A file of external data under construction: what tensors of the model will lie in it, and where.
#pragma once

#include "lib/io/Rope.h"

namespace halftone::onnx {

class ExternalFile {
public:
  /// \param location the file's name, as the model beside it spells it.
  explicit ExternalFile(std::string location) : name(std::move(location)) {}

  const std::string &location() const { return name; }
  const io::Rope &content() const { return rope; }

  /// Adds a tensor's bytes and gives their offset, a multiple of the page size so that readers can map them
  /// (onnx/docs/ExternalData.md).
  uint64_t add(const io::Rope &bytes) {
    constexpr uint64_t page = 4096;
    rope.append(std::string((page - rope.size() % page) % page, '\0'));
    const uint64_t offset = rope.size();
    rope.append(bytes);
    return offset;
  }

private:
  std::string name;
  io::Rope rope;
};

} // namespace halftone::onnx
