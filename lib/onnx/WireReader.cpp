// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The wire format: tags, numbers, lengths, and what is wrong with them.
#include "lib/onnx/WireReader.h"

namespace halftone::onnx::wire {

const Field *findField(const Message &message, uint32_t number) {
  for (const Field &field : message.fields)
    if (field.number == number)
      return &field;
  return nullptr;
}

std::string Part::describe() const {
  if (field == 0)
    return "a field's tag";
  const Field *known = findField(message, field);
  const std::string number = std::to_string(field);
  return known ? std::string("field ") + known->name + " (" + number + ")" : "field " + number;
}

Error Reader::damagedAt(uint64_t offset, const std::string &what) const {
  return {file.path() + ": damaged, or no ONNX model: at byte " + std::to_string(offset) + ": " + what};
}

/// The end of the file cuts a field off, or the end of the message around it does.
Error Reader::cutOff(Range rest, const std::string &what) const {
  if (rest.end != file.size())
    return damagedAt(rest.begin, what + " are left in the message around it");
  return {file.path() + ": truncated at byte " + std::to_string(rest.begin) + ": " + what + " are left"};
}

Expected<uint64_t> Reader::varint(Part part, Range &rest) const {
  const uint64_t start = rest.begin;
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (rest.size() == 0)
      return cutOff(rest, part.describe() + " wants more bytes, 0");
    const auto byte = static_cast<uint64_t>(bytes[rest.begin++]);
    value |= shift < 64 ? (byte & 0x7f) << shift : 0;
    if (byte < 0x80)
      return value;
  }
  return damagedAt(start, part.describe() + " is a number of more than 10 bytes");
}

Expected<Range> Reader::value(Part part, WireType type, Range &rest) const {
  const uint64_t start = rest.begin;
  uint64_t size = type == WireType::fixed64 ? 8 : 4;
  if (type == WireType::varint || type == WireType::bytes) {
    Expected<uint64_t> number = varint(part, rest);
    if (!number)
      return number.error();
    if (type == WireType::varint)
      return Range{start, rest.begin};
    size = *number;
  }
  if (size > rest.size())
    return cutOff(rest, part.describe() + " wants " + std::to_string(size) + " bytes, " + std::to_string(rest.size()));
  const Range content = {rest.begin, rest.begin + size};
  rest.begin = content.end;
  return content;
}

Expected<Piece> Reader::next(const Message &message, Range &rest) const {
  const uint64_t start = rest.begin;
  Expected<uint64_t> tag = varint({message}, rest);
  if (!tag)
    return tag.error();
  const uint64_t number = *tag >> 3;
  const auto type = static_cast<WireType>(*tag & 7);
  if (number == 0 || number >= 1u << 29)
    return damagedAt(start, "there is no field " + std::to_string(number));
  const Part part = {message, static_cast<uint32_t>(number)};
  if (type != WireType::varint && type != WireType::fixed64 && type != WireType::bytes && type != WireType::fixed32)
    return damagedAt(start, part.describe() + " has wire type " + std::to_string(*tag & 7) + ", known are 0, 1, 2, 5");
  Expected<Range> content = value(part, type, rest);
  if (!content)
    return content.error();
  return Piece{part.field, type, start, *content};
}

void appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void appendHeader(std::string &out, uint32_t field, uint64_t size) {
  appendVarint(out, uint64_t(field) << 3 | static_cast<uint64_t>(WireType::bytes));
  appendVarint(out, size);
}

void appendBytes(std::string &out, uint32_t field, std::string_view bytes) {
  appendHeader(out, field, bytes.size());
  out += bytes;
}

} // namespace halftone::onnx::wire
