// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing safetensors files tensor by tensor or in pieces, whole or not at all.
#pragma once

#include "lib/io/AtomicFile.h"
#include "lib/safetensors/ElementType.h"
#include "lib/safetensors/Format.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::safetensors {

/// A tensor that a file will hold.
struct Declaration {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<uint64_t> shape;
};

/// The header comes first, so tensors are declared before any of them is written. They lie in the order of their types,
/// then by name, as the Python package does it: the same tensors give the same bytes, in whatever order they are
/// declared and written.
class Writer {
public:
  /// Fails when two tensors have one name, when a name is no UTF-8 or kept for metadata, when it would be too large.
  static Expected<Writer> create(std::string path, std::vector<Declaration> declarations, const Metadata &metadata = {},
                                 const io::AtomicFileOptions &options = {});

  const std::string &path() const { return file.path(); }

  /// Appends `bytes` to the tensor; pieces of different tensors may alternate. Fails when there is no such tensor or
  /// its shape wants fewer bytes, or when the disk refuses.
  Status write(std::string_view name, std::span<const std::byte> bytes);
  /// Puts the file in place; fails naming the first tensor that is not complete.
  Status commit();

private:
  struct Place {
    Declaration declaration;
    uint64_t offset = 0; ///< from the end of the header
    uint64_t bytes = 0;
    uint64_t written = 0;

    const std::string &name() const { return declaration.name; }
  };

  Writer(io::AtomicFile file, std::vector<Place> places) : file(std::move(file)), places(std::move(places)) {}
  Place *findPlace(std::string_view name);

  io::AtomicFile file;       ///< its position stays at the end of the header
  std::vector<Place> places; ///< sorted by name
};

} // namespace halftone::safetensors
