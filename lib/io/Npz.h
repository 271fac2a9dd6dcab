// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy's .npz files: a zip archive of .npy files. Reads stored and deflated members, writes stored ones; more than 4
// GB needs zip64, which both know. Format: PKWARE's APPNOTE.TXT 6.3.
#pragma once

#include "lib/io/Npy.h"

#include <string>
#include <string_view>
#include <vector>

namespace halftone::io {

/// A named array, in memory or in the file it was read from.
struct NamedArray {
  std::string name;
  NpyType type = NpyType::float32;
  std::vector<uint64_t> shape;
  /// The elements, C order; not necessarily aligned.
  std::span<const std::byte> data;
};

class NpzFile {
public:
  /// Reads all members of `path`. Fails, naming the file and the member, when it is no zip archive, is encrypted or cut
  /// off, holds a member in another compression than these two, one whose checksum is wrong, or one that is no .npy
  /// file. With `single`, a file named .npy is an archive of one array of that name.
  static Expected<NpzFile> open(std::string path, const std::string &single = "");

  const std::vector<NamedArray> &arrays() const { return list; }
  /// The array of that name, or null.
  const NamedArray *find(std::string_view name) const;
  const std::string &path() const { return file.path(); }

private:
  explicit NpzFile(MappedFile file) : file(std::move(file)) {}

  MappedFile file;
  std::vector<std::vector<std::byte>> inflated; // what the deflated members hold
  std::vector<NamedArray> list;
};

/// Writes the arrays as one archive, whole or not at all. The same arrays give the same bytes.
Status writeNpz(std::string path, std::span<const NamedArray> arrays, const AtomicFileOptions &options = {});

} // namespace halftone::io
