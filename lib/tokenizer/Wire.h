// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The wire format of protocol buffers, just enough to walk a message field by field without a schema.
// Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include "lib/io/Result.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace halftone::tokenizer {

enum class WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One field of a message. `scalar` holds the value of the three numeric wire types, `bytes` that of the fourth.
struct Field {
  uint32_t number = 0;
  WireType type = WireType::varint;
  uint64_t scalar = 0;
  std::string_view bytes;
  /// Where the field's tag and the content of `bytes` stand, counted from the first byte of the file.
  size_t offset = 0;
  size_t bytesOffset = 0;
};

/// Walks the fields of one message in the order they are written.
class WireReader {
public:
  /// \param offset where `message` begins in the file, for error messages.
  explicit WireReader(std::string_view message, size_t offset = 0) : message(message), base(offset) {}

  bool atEnd() const { return position == message.size(); }

  /// The next field, or at which byte of the file the message breaks off. Not to be called at the end.
  Expected<Field> next();

private:
  Expected<uint64_t> readVarint();
  Expected<uint64_t> readFixed(size_t size);
  Error breaksOff(const char *what) const;

  std::string_view message;
  size_t base;
  size_t position = 0;
};

/// An error unless `field` has the wire type its schema gives it.
Status expectType(const Field &field, WireType type, const char *name);

} // namespace halftone::tokenizer
