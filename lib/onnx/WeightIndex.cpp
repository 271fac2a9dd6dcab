// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One pass over the wire format: each field is read where it lies in the mapped file, and copied,
// descended into or left out.
#include "lib/onnx/WeightIndex.h"

#include "lib/onnx/WireReader.h"

#include <optional>

namespace halftone::onnx {

using wire::Part;
using wire::Piece;
using wire::Range;
using wire::WireType;

/// protobuf gives up at 100 nested messages.
static constexpr unsigned depthLimit = 90;

namespace {
class Walker {
public:
  Walker(const io::MappedFile &file, uint64_t inlineLimit, WeightIndex &index)
      : reader(file), inlineLimit(inlineLimit), index(index) {}

  /// Appends a copy of the message in `range` to `out`.
  Status copyMessage(const wire::Message &message, Range range, unsigned depth, std::string &out);

private:
  Status copyPiece(const wire::Message &message, const wire::Field &field, const Piece &piece, unsigned depth,
                   std::string &out);
  Expected<std::optional<Piece>> findRawData(Range tensor) const;

  wire::Reader reader;
  uint64_t inlineLimit;
  WeightIndex &index;
};

} // namespace

/// Numbers of a fixed size that come packed lie in the file as raw_data would: little endian, nothing between them.
Expected<std::optional<Piece>> Walker::findRawData(Range tensor) const {
  std::optional<Piece> raw, floats, doubles;
  unsigned floatPieces = 0, doublePieces = 0;
  uint64_t type = 0;
  while (tensor.size() > 0) {
    const Expected<Piece> piece = reader.next(wire::tensor, tensor);
    if (!piece)
      return piece.error();
    if (piece->number == wire::tensorField::dataType && piece->type == WireType::varint) {
      Range value = piece->value;
      type = *reader.varint({wire::tensor}, value);
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
    return reader.damagedAt(piece.tag, Part{message, field.number}.describe() + " has wire type " +
                                           std::to_string(static_cast<int>(piece.type)) + ", wanted is " +
                                           std::to_string(static_cast<int>(field.type)));
  if (!field.message) {
    out += reader.text({piece.tag, piece.value.end});
    return {};
  }
  std::string nested;
  if (Status copied = copyMessage(*field.message, piece.value, depth + 1, nested); !copied)
    return copied;
  wire::appendBytes(out, field.number, nested);
  return {};
}

Status Walker::copyMessage(const wire::Message &message, Range range, unsigned depth, std::string &out) {
  if (depth > depthLimit)
    return reader.damagedAt(range.begin, "messages are nested deeper than " + std::to_string(depthLimit));
  std::optional<Piece> raw;
  if (&message == &wire::tensor) {
    Expected<std::optional<Piece>> found = findRawData(range);
    if (!found)
      return found.error();
    raw = *found;
  }
  uint64_t seen = 0;
  while (range.size() > 0) {
    const Expected<Piece> piece = reader.next(message, range);
    if (!piece)
      return piece.error();
    const wire::Field *field = wire::findField(message, piece->number);
    if (!field)
      continue;
    if (field->count == wire::Field::Count::once && (seen & 1ull << field->number))
      return reader.damagedAt(piece->tag, Part{message, field->number}.describe() + " is there twice");
    seen |= 1ull << field->number;
    if (raw && raw->tag == piece->tag && raw->value.size() > inlineLimit)
      continue;
    if (Status copied = copyPiece(message, *field, *piece, depth, out); !copied)
      return copied;
  }
  if (raw) {
    wire::appendBytes(out, wire::tensorField::docString, std::to_string(index.locations.size()));
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
