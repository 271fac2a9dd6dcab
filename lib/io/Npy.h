// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy's .npy files, versions 1 to 3, C order, little endian. Also linked into the emitted binary:
// POSIX calls only. Format: numpy.lib.format, "Format Version 1.0".
#pragma once

#include "lib/io/AtomicFile.h"
#include "lib/io/MappedFile.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace halftone::io {

enum class NpyType : uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  float32,
  float64
};

/// Bytes of one element.
size_t byteSize(NpyType type);
/// NumPy's word for it: "float32".
std::string_view name(NpyType type);

/// What the bytes of an .npy file hold; `data` lies in them.
struct NpyContent {
  NpyType type = NpyType::float32;
  std::vector<uint64_t> shape;
  std::span<const std::byte> data;
};

/// Reads the header of an .npy file that is in memory; errors start with `what` and are those of NpyArray::open.
Expected<NpyContent> parseNpy(const std::string &what, std::span<const std::byte> bytes);

/// All elements of an array of integers or booleans; an error, which starts with `what`, for other types, and for
/// values above int64's range.
Expected<std::vector<int64_t>> integers(const std::string &what, NpyType type, std::span<const std::byte> data);

/// "int32 [2, 3]", for errors.
std::string describe(NpyType type, const std::vector<uint64_t> &shape);

/// The header of a new file, padded so that the data starts at a multiple of 64 as numpy does.
std::string npyHeader(NpyType type, const std::vector<uint64_t> &shape);

/// An array in a mapped .npy file.
class NpyArray {
public:
  /// Reads the header of `path`. Fails, naming the file and what is wrong: not an .npy file, a type not in NpyType, big
  /// endian, Fortran order, fewer or more data bytes than the shape wants.
  static Expected<NpyArray> open(std::string path);

  NpyType type() const { return content.type; }
  /// Outermost dimension first; empty for a scalar.
  const std::vector<uint64_t> &shape() const { return content.shape; }
  uint64_t elements() const { return data().size() / byteSize(type()); }
  /// The elements as they lie in the file: not necessarily aligned.
  std::span<const std::byte> data() const { return content.data; }
  const std::string &path() const { return file.path(); }

  Expected<std::vector<int64_t>> integers() const { return io::integers(path(), type(), data()); }
  /// All elements of an array of float32 or float64 (rounded); an error for other types.
  Expected<std::vector<float>> floats() const;

private:
  NpyArray(MappedFile file, NpyContent content) : file(std::move(file)), content(std::move(content)) {}

  MappedFile file;
  NpyContent content;
};

/// Writes an array piece by piece: the header first, then elements in C order. Logits of [tokens, vocabulary] never
/// have to be in memory whole.
class NpyWriter {
public:
  static Expected<NpyWriter> create(std::string path, NpyType type, std::vector<uint64_t> shape,
                                    const AtomicFileOptions &options = {});

  /// Appends elements; fails when `bytes` go past what the shape wants, or when the disk refuses.
  Status write(const void *elements, size_t bytes);
  /// Puts the file in place; fails when fewer bytes were written than the shape wants.
  Status commit();

private:
  NpyWriter(AtomicFile file, uint64_t dataEnd) : file(std::move(file)), dataEnd(dataEnd) {}

  AtomicFile file;
  uint64_t dataEnd; // file size once complete
};

/// Writes a whole array at once; `elements` are those of `shape`, in C order.
Status writeNpy(std::string path, NpyType type, std::vector<uint64_t> shape, const void *elements);

} // namespace halftone::io
