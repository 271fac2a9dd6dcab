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

namespace modelField {
enum : uint32_t { irVersion = 1, graph = 7, opsetImport = 8 };
}
namespace graphField {
enum : uint32_t { node = 1, initializer = 5, input = 11, valueInfo = 13 };
}
namespace nodeField {
enum : uint32_t { attribute = 5 };
}
namespace attributeField {
enum : uint32_t { graph = 6 };
}
namespace valueField {
enum : uint32_t { name = 1 };
}
namespace tensorField {
enum : uint32_t {
  dataType = 2,
  floatData = 4,
  name = 8,
  rawData = 9,
  doubleData = 10,
  docString = 12,
  externalData = 13,
  dataLocation = 14
};
}

} // namespace halftone::onnx::wire
