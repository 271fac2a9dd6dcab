// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads tags, variable-length integers, fixed-width numbers and length-delimited bytes, never beyond the message.
#include "lib/tokenizer/Wire.h"

namespace halftone::tokenizer {

Error WireReader::breaksOff(const char *what) const {
  return Error{"byte " + std::to_string(base + position) + ": " + what};
}

Expected<uint64_t> WireReader::readVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (atEnd())
      return breaksOff("the file ends within an integer");
    const uint64_t byte = static_cast<unsigned char>(message[position++]);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  return breaksOff("an integer has more than 10 bytes");
}

Expected<uint64_t> WireReader::readFixed(size_t size) {
  if (message.size() - position < size)
    return breaksOff("the file ends within a number");
  uint64_t value = 0;
  for (size_t index = 0; index < size; ++index)
    value |= uint64_t(static_cast<unsigned char>(message[position++])) << (8 * index);
  return value;
}

Expected<Field> WireReader::next() {
  Field field;
  field.offset = base + position;
  Expected<uint64_t> tag = readVarint();
  if (!tag)
    return tag.error();
  field.number = static_cast<uint32_t>(*tag >> 3);
  field.type = static_cast<WireType>(*tag & 7);
  if (*tag >> 32 || field.number == 0)
    return Error{"byte " + std::to_string(field.offset) + ": " + std::to_string(*tag >> 3) + " is no field number"};

  Expected<uint64_t> value = uint64_t(0);
  switch (field.type) {
  case WireType::varint:
  case WireType::bytes:
    value = readVarint();
    break;
  case WireType::fixed64:
    value = readFixed(8);
    break;
  case WireType::fixed32:
    value = readFixed(4);
    break;
  default:
    return Error{"byte " + std::to_string(field.offset) + ": wire type " + std::to_string(*tag & 7) + " of field " +
                 std::to_string(field.number) + " is unknown"};
  }
  if (!value)
    return value.error();
  field.scalar = *value;
  if (field.type != WireType::bytes)
    return field;

  const size_t left = message.size() - position;
  if (*value > left)
    return Error{"byte " + std::to_string(field.offset) + ": field " + std::to_string(field.number) + " has " +
                 std::to_string(*value) + " bytes, but only " + std::to_string(left) + " are left"};
  field.bytesOffset = base + position;
  field.bytes = message.substr(position, *value);
  position += *value;
  return field;
}

Status expectType(const Field &field, WireType type, const char *name) {
  if (field.type == type)
    return {};
  return Error{"byte " + std::to_string(field.offset) + ": " + name + " has wire type " +
               std::to_string(static_cast<int>(field.type)) + ", expected " + std::to_string(static_cast<int>(type))};
}

} // namespace halftone::tokenizer
