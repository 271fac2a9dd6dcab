// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields of protobuf messages, read where they lie in a mapped file, and the bytes that a field begins with. Source:
// protobuf.dev/programming-guides/encoding.
#pragma once

#include "lib/io/MappedFile.h"
#include "lib/onnx/WireSchema.h"

#include <string>
#include <string_view>

namespace halftone::onnx::wire {

/// Bytes of the file.
struct Range {
  uint64_t begin, end;
  uint64_t size() const { return end - begin; }
};

/// A field as it lies in the file: its tag's offset and its value, for bytes without the length.
struct Piece {
  uint32_t number;
  WireType type;
  uint64_t tag;
  Range value;
};

/// What a number of the file is part of, for errors: a field's tag while `field` is 0, else that field.
struct Part {
  const Message &message;
  uint32_t field = 0;

  /// "field graph (7)", or "field 26" for one that the schema does not have.
  std::string describe() const;
};

/// The row of the message's field `number`, or null.
const Field *findField(const Message &message, uint32_t number);

class Reader {
public:
  explicit Reader(const io::MappedFile &file) : file(file), bytes(file.bytes()) {}

  /// The next field of `message`, taken off `rest`. Fails, naming the byte, when the file is damaged or cut off there.
  Expected<Piece> next(const Message &message, Range &rest) const;
  /// The number at the start of `rest`, which it is taken off.
  Expected<uint64_t> varint(Part part, Range &rest) const;

  std::string_view text(Range range) const {
    return {reinterpret_cast<const char *>(bytes.data()) + range.begin, range.size()};
  }
  Error damagedAt(uint64_t offset, const std::string &what) const;

private:
  Expected<Range> value(Part part, WireType type, Range &rest) const;
  Error cutOff(Range rest, const std::string &what) const;

  const io::MappedFile &file;
  std::span<const std::byte> bytes;
};

/// Appends a number, the start of a field of `size` bytes, or such a field.
void appendVarint(std::string &out, uint64_t value);
void appendHeader(std::string &out, uint32_t field, uint64_t size);
void appendBytes(std::string &out, uint32_t field, std::string_view bytes);

} // namespace halftone::onnx::wire
