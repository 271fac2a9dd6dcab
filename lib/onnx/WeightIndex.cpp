// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One pass over the wire format: each field is read where it lies in the mapped file, and copied,
// descended into or left out.
#include "lib/onnx/WeightIndex.h"

#include "lib/onnx/WireSchema.h"

#include <optional>

namespace halftone::onnx {

using wire::WireType;

static const wire::Field *findField(const wire::Message &message, uint32_t number) {
  for (const wire::Field &field : message.fields)
    if (field.number == number)
      return &field;
  return nullptr;
}

namespace {

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

/// protobuf gives up at 100 nested messages.
constexpr unsigned depthLimit = 90;

/// What a number of the file is part of, for errors: a field's tag while `field` is 0, else that field.
struct Part {
  const wire::Message &message;
  uint32_t field = 0;

  /// "field graph (7)", or "field 26" for one that the reader leaves out.
  std::string describe() const {
    if (field == 0)
      return "a field's tag";
    const wire::Field *known = findField(message, field);
    const std::string number = std::to_string(field);
    return known ? std::string("field ") + known->name + " (" + number + ")" : "field " + number;
  }
};

} // namespace

static void appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

static void appendBytes(std::string &out, uint32_t field, std::string_view bytes) {
  appendVarint(out, uint64_t(field) << 3 | static_cast<uint64_t>(WireType::bytes));
  appendVarint(out, bytes.size());
  out += bytes;
}

namespace {
class Walker {
public:
  Walker(const io::MappedFile &file, uint64_t inlineLimit, WeightIndex &index)
      : file(file), bytes(file.bytes()), inlineLimit(inlineLimit), index(index) {}

  /// Appends a copy of the message in `range` to `out`.
  Status copyMessage(const wire::Message &message, Range range, unsigned depth, std::string &out);

private:
  Status copyPiece(const wire::Message &message, const wire::Field &field, const Piece &piece, unsigned depth,
                   std::string &out);
  Expected<std::optional<Piece>> findRawData(Range tensor) const;
  Expected<Piece> readPiece(const wire::Message &message, Range &rest) const;
  Expected<Range> readValue(Part part, WireType type, Range &rest) const;
  Expected<uint64_t> readVarint(Part part, Range &rest) const;

  std::string_view text(Range range) const {
    return {reinterpret_cast<const char *>(bytes.data()) + range.begin, range.size()};
  }
  Error damagedAt(uint64_t offset, const std::string &what) const {
    return {file.path() + ": damaged, or no ONNX model: at byte " + std::to_string(offset) + ": " + what};
  }
  /// The end of the file cuts a field off, or the end of the message around it does.
  Error cutOff(Range rest, const std::string &what) const {
    if (rest.end != file.size())
      return damagedAt(rest.begin, what + " are left in the message around it");
    return {file.path() + ": truncated at byte " + std::to_string(rest.begin) + ": " + what + " are left"};
  }

  const io::MappedFile &file;
  std::span<const std::byte> bytes;
  uint64_t inlineLimit;
  WeightIndex &index;
};

} // namespace

Expected<uint64_t> Walker::readVarint(Part part, Range &rest) const {
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

Expected<Range> Walker::readValue(Part part, WireType type, Range &rest) const {
  const uint64_t start = rest.begin;
  uint64_t size = type == WireType::fixed64 ? 8 : 4;
  if (type == WireType::varint || type == WireType::bytes) {
    Expected<uint64_t> value = readVarint(part, rest);
    if (!value)
      return value.error();
    if (type == WireType::varint)
      return Range{start, rest.begin};
    size = *value;
  }
  if (size > rest.size())
    return cutOff(rest, part.describe() + " wants " + std::to_string(size) + " bytes, " + std::to_string(rest.size()));
  const Range value = {rest.begin, rest.begin + size};
  rest.begin = value.end;
  return value;
}

/// The next field of `message`, taken off `rest`.
Expected<Piece> Walker::readPiece(const wire::Message &message, Range &rest) const {
  const uint64_t start = rest.begin;
  Expected<uint64_t> tag = readVarint({message}, rest);
  if (!tag)
    return tag.error();
  const uint64_t number = *tag >> 3;
  const auto type = static_cast<WireType>(*tag & 7);
  if (number == 0 || number >= 1u << 29)
    return damagedAt(start, "there is no field " + std::to_string(number));
  const Part part = {message, static_cast<uint32_t>(number)};
  if (type != WireType::varint && type != WireType::fixed64 && type != WireType::bytes && type != WireType::fixed32)
    return damagedAt(start, part.describe() + " has wire type " + std::to_string(*tag & 7) + ", known are 0, 1, 2, 5");
  Expected<Range> value = readValue(part, type, rest);
  if (!value)
    return value.error();
  return Piece{part.field, type, start, *value};
}

/// Numbers of a fixed size that come packed lie in the file as raw_data would: little endian, nothing between them.
Expected<std::optional<Piece>> Walker::findRawData(Range tensor) const {
  std::optional<Piece> raw, floats, doubles;
  unsigned floatPieces = 0, doublePieces = 0;
  uint64_t type = 0;
  while (tensor.size() > 0) {
    const Expected<Piece> piece = readPiece(wire::tensor, tensor);
    if (!piece)
      return piece.error();
    if (piece->number == wire::tensorField::dataType && piece->type == WireType::varint) {
      Range value = piece->value;
      type = *readVarint({wire::tensor}, value);
    } else if (piece->number == wire::tensorField::rawData && piece->type == WireType::bytes) {
      raw = *piece;
    } else if (piece->number == wire::tensorField::floatData && ++floatPieces) {
      floats = *piece;
    } else if (piece->number == wire::tensorField::doubleData && ++doublePieces) {
      doubles = *piece;
    }
  }
  if (raw)
    return raw;
  if (type == static_cast<uint64_t>(ElementType::float32) && floatPieces == 1 && floats->type == WireType::bytes)
    return floats;
  if (type == static_cast<uint64_t>(ElementType::float64) && doublePieces == 1 && doubles->type == WireType::bytes)
    return doubles;
  return std::optional<Piece>();
}

Status Walker::copyPiece(const wire::Message &message, const wire::Field &field, const Piece &piece, unsigned depth,
                         std::string &out) {
  const bool packed =
      field.count == wire::Field::Count::repeated && field.type != WireType::bytes && piece.type == WireType::bytes;
  if (piece.type != field.type && !packed)
    return damagedAt(piece.tag, Part{message, field.number}.describe() + " has wire type " +
                                    std::to_string(static_cast<int>(piece.type)) + ", wanted is " +
                                    std::to_string(static_cast<int>(field.type)));
  if (!field.message) {
    out += text({piece.tag, piece.value.end});
    return {};
  }
  std::string nested;
  if (Status copied = copyMessage(*field.message, piece.value, depth + 1, nested); !copied)
    return copied;
  appendBytes(out, field.number, nested);
  return {};
}

Status Walker::copyMessage(const wire::Message &message, Range range, unsigned depth, std::string &out) {
  if (depth > depthLimit)
    return damagedAt(range.begin, "messages are nested deeper than " + std::to_string(depthLimit));
  std::optional<Piece> raw;
  if (&message == &wire::tensor) {
    Expected<std::optional<Piece>> found = findRawData(range);
    if (!found)
      return found.error();
    raw = *found;
  }
  uint64_t seen = 0;
  while (range.size() > 0) {
    const Expected<Piece> piece = readPiece(message, range);
    if (!piece)
      return piece.error();
    const wire::Field *field = findField(message, piece->number);
    if (!field)
      continue;
    if (field->count == wire::Field::Count::once && (seen & 1ull << field->number))
      return damagedAt(piece->tag, Part{message, field->number}.describe() + " is there twice");
    seen |= 1ull << field->number;
    if (raw && raw->tag == piece->tag && raw->value.size() > inlineLimit)
      continue;
    if (Status copied = copyPiece(message, *field, *piece, depth, out); !copied)
      return copied;
  }
  if (raw) {
    appendBytes(out, wire::tensorField::docString, std::to_string(index.locations.size()));
    index.locations.push_back({0, raw->value.begin, raw->value.size()});
  }
  return {};
}

Expected<WeightIndex> indexWeights(const io::MappedFile &file, uint64_t inlineLimit) {
  if (file.size() == 0)
    return Error{file.path() + ": empty, an ONNX model is wanted"};
  WeightIndex index;
  if (Status walked = Walker(file, inlineLimit, index).copyMessage(wire::model, {0, file.size()}, 0, index.stripped);
      !walked)
    return walked.error();
  return index;
}

} // namespace halftone::onnx
