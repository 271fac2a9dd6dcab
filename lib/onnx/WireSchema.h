// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The part of ONNX's schema that the reader uses, as tables for walking the wire format. Field numbers:
// onnx-ml.proto.
#pragma once

#include <cstdint>
#include <span>

namespace halftone::onnx::wire {

enum class WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Message;

/// One field of a message. Fields without a row are left out of the copy: documentation, metadata, stack traces,
/// training.
struct Field {
  uint32_t number;
  const char *name;
  WireType type;
  /// Repeated numbers may come packed, as bytes; fields of which a message may have only one are an error when they
  /// come twice, where protobuf would merge them.
  enum class Count : uint8_t { last, once, repeated } count = Count::last;
  const Message *message = nullptr; ///< for a nested message: its fields
};

struct Message {
  std::span<const Field> fields;
};

extern const Message model, tensor;

namespace tensorField {
enum : uint32_t { dataType = 2, floatData = 4, rawData = 9, doubleData = 10, docString = 12 };
}

} // namespace halftone::onnx::wire
