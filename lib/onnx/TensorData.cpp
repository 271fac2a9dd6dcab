// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Converting stored elements, and comparing tensors where they lie.
#include "lib/onnx/TensorData.h"

#include "lib/formats/Scalar.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace halftone::onnx {

template <class T> static T load(const std::byte *bytes, uint64_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

/// Element `index` of integers packed `bits` to a number, lowest bits first (ONNX, TensorProto.DataType INT4).
static int64_t loadPacked(const std::byte *bytes, uint64_t index, unsigned bits, bool isSigned) {
  const uint64_t bit = index * bits;
  const unsigned code = static_cast<unsigned>(bytes[bit / 8]) >> (bit % 8) & ((1u << bits) - 1);
  const unsigned sign = 1u << (bits - 1);
  return isSigned ? static_cast<int64_t>(code ^ sign) - sign : code;
}

/// Calls `convert(load)` with what gives element i of an integer type; false for other types.
template <class Convert> static bool withIntegers(ElementType type, const std::byte *bytes, Convert convert) {
  const auto plain = [&]<class T>(T) { convert([=](uint64_t i) { return load<T>(bytes, i); }); };
  const auto packed = [&](unsigned bits, bool isSigned) {
    convert([=](uint64_t i) { return loadPacked(bytes, i, bits, isSigned); });
  };
  switch (type) {
  case ElementType::boolean:
    convert([=](uint64_t i) { return int64_t(bytes[i] != std::byte{0}); });
    return true;
  case ElementType::uint8:
    plain(uint8_t());
    return true;
  case ElementType::int8:
    plain(int8_t());
    return true;
  case ElementType::uint16:
    plain(uint16_t());
    return true;
  case ElementType::int16:
    plain(int16_t());
    return true;
  case ElementType::uint32:
    plain(uint32_t());
    return true;
  case ElementType::int32:
    plain(int32_t());
    return true;
  case ElementType::uint64:
    plain(uint64_t());
    return true;
  case ElementType::int64:
    plain(int64_t());
    return true;
  case ElementType::uint4:
    packed(4, false);
    return true;
  case ElementType::int4:
    packed(4, true);
    return true;
  case ElementType::uint2:
    packed(2, false);
    return true;
  case ElementType::int2:
    packed(2, true);
    return true;
  default:
    return false;
  }
}

static bool convertFloats(ElementType type, const std::byte *bytes, uint64_t first, std::span<float> out) {
  const auto fill = [&](auto element) {
    for (uint64_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<float>(element(first + i));
  };
  switch (type) {
  case ElementType::float32:
    std::memcpy(out.data(), bytes + 4 * first, out.size_bytes());
    return true;
  case ElementType::float64:
    fill([=](uint64_t i) { return load<double>(bytes, i); });
    return true;
  case ElementType::float16:
    fill([=](uint64_t i) { return formats::fromF16(load<uint16_t>(bytes, i)); });
    return true;
  case ElementType::bfloat16:
    fill([=](uint64_t i) { return formats::fromBf16(load<uint16_t>(bytes, i)); });
    return true;
  default:
    return withIntegers(type, bytes, fill);
  }
}

Error WeightReader::error(const std::string &what) const { return {label + ": " + what}; }

Expected<WeightReader> WeightReader::open(const Model &model, const Tensor &tensor) {
  const std::string name = model.path + ": tensor '" + tensor.name + "'";
  if (tensor.type == ElementType::string)
    return Error{name + ": elements are strings, numbers are wanted"};
  if (tensor.location)
    return open(model.files[tensor.location->file], tensor.location->offset, tensor.type, tensor.shape, name);
  WeightReader reader;
  reader.label = name;
  if (Status set = reader.setShape(tensor.type, tensor.shape); !set)
    return set.error();
  reader.content = std::as_bytes(std::span(tensor.bytes));
  return reader;
}

Status WeightReader::setShape(ElementType type, std::vector<int64_t> shape) {
  const size_t outer = shape.empty() ? 0 : shape.size() - 1;
  const std::optional<uint64_t> outerCount = elementCount(std::span(shape).first(outer));
  if (!outerCount || !byteSize(type, shape))
    return error("no tensor can be " + describe(type, shape));
  elementType = type;
  rowCount = *outerCount;
  columnCount = shape.empty() ? 1 : static_cast<uint64_t>(shape.back());
  dimensions = std::move(shape);
  return {};
}

Expected<WeightReader> WeightReader::open(std::shared_ptr<const io::MappedFile> file, uint64_t offset, ElementType type,
                                          std::vector<int64_t> shape, std::string name) {
  WeightReader reader;
  reader.label = std::move(name);
  if (Status set = reader.setShape(type, std::move(shape)); !set)
    return set.error();
  const Expected<std::span<const std::byte>> content = file->slice(offset, *byteSize(type, reader.dimensions));
  if (!content)
    return reader.error(content.error().message);
  reader.content = *content;
  reader.file = std::move(file);
  return reader;
}

Status WeightReader::checkRange(uint64_t first, uint64_t count) const {
  if (first <= elements() && count <= elements() - first)
    return {};
  return error(std::to_string(count) + " elements from " + std::to_string(first) + " are wanted, the tensor has " +
               std::to_string(elements()));
}

Status WeightReader::readFloats(uint64_t first, std::span<float> out) const {
  if (Status checked = checkRange(first, out.size()); !checked)
    return checked;
  if (out.empty() || convertFloats(elementType, content.data(), first, out))
    return {};
  return error("elements are " + std::string(onnx::name(elementType)) + ", which does not convert to float32");
}

Status WeightReader::readIntegers(uint64_t first, std::span<int64_t> out) const {
  if (Status checked = checkRange(first, out.size()); !checked)
    return checked;
  const bool known = out.empty() || withIntegers(elementType, content.data(), [&](auto element) {
                       for (uint64_t i = 0; i < out.size(); ++i)
                         out[i] = static_cast<int64_t>(element(first + i));
                     });
  if (!known)
    return error("elements are " + std::string(onnx::name(elementType)) + ", integers are wanted");
  if (elementType == ElementType::uint64)
    for (uint64_t i = 0; i < out.size(); ++i)
      if (out[i] < 0)
        return error("element " + std::to_string(first + i) + " is " + std::to_string(static_cast<uint64_t>(out[i])) +
                     ", above " + std::to_string(std::numeric_limits<int64_t>::max()));
  return {};
}

Expected<std::vector<float>> WeightReader::allFloats() const {
  std::vector<float> values(elements());
  if (Status read = readFloats(0, values); !read)
    return read.error();
  return values;
}

Expected<std::vector<int64_t>> WeightReader::allIntegers() const {
  std::vector<int64_t> values(elements());
  if (Status read = readIntegers(0, values); !read)
    return read.error();
  return values;
}

void WeightReader::release(uint64_t first, uint64_t count) const {
  if (!file || first >= rowCount)
    return;
  const uint64_t rowBits = columnCount * bitWidth(elementType);
  const uint64_t begin = first * rowBits / 8;
  const uint64_t end = std::min(count, rowCount - first) * rowBits / 8 + begin;
  file->release(static_cast<uint64_t>(content.data() - file->bytes().data()) + begin, end - begin);
}

/// Elements of T, `a` [rows, columns] against `b` [columns, rows], in tiles that keep both sides in the first-level
/// cache.
template <class T> static bool sameTransposed(const std::byte *a, const std::byte *b, uint64_t rows, uint64_t columns) {
  constexpr uint64_t tile = 32;
  for (uint64_t row = 0; row < rows; row += tile)
    for (uint64_t column = 0; column < columns; column += tile)
      for (uint64_t i = row; i < std::min(row + tile, rows); ++i)
        for (uint64_t j = column; j < std::min(column + tile, columns); ++j)
          if (load<T>(a, i * columns + j) != load<T>(b, j * rows + i))
            return false;
  return true;
}

static bool sameBytes(const WeightReader &a, const WeightReader &b) {
  // By rows, so that two large tensors do not stay in memory; the first difference, mostly in the first row, ends it.
  const uint64_t rowBytes = a.rows() > 0 ? a.bytes().size() / a.rows() : 0;
  const uint64_t step = std::max<uint64_t>(1, (4u << 20) / std::max<uint64_t>(1, rowBytes));
  if (rowBytes * a.rows() != a.bytes().size()) // packed rows that do not end at a byte
    return std::ranges::equal(a.bytes(), b.bytes());
  for (uint64_t row = 0; row < a.rows(); row += step) {
    const uint64_t count = std::min(step, a.rows() - row);
    const bool same =
        std::memcmp(a.bytes().data() + row * rowBytes, b.bytes().data() + row * rowBytes, count * rowBytes) == 0;
    a.release(row, count);
    b.release(row, count);
    if (!same)
      return false;
  }
  return true;
}

bool sameContent(const WeightReader &a, const WeightReader &b, bool transposed) {
  if (a.type() != b.type())
    return false;
  if (!transposed)
    return a.shape() == b.shape() && sameBytes(a, b);
  if (a.shape().size() != 2 || b.shape().size() != 2 || a.rows() != b.columns() || a.columns() != b.rows())
    return false;
  switch (bitWidth(a.type())) {
  case 8:
    return sameTransposed<uint8_t>(a.bytes().data(), b.bytes().data(), a.rows(), a.columns());
  case 16:
    return sameTransposed<uint16_t>(a.bytes().data(), b.bytes().data(), a.rows(), a.columns());
  case 32:
    return sameTransposed<uint32_t>(a.bytes().data(), b.bytes().data(), a.rows(), a.columns());
  case 64:
    return sameTransposed<uint64_t>(a.bytes().data(), b.bytes().data(), a.rows(), a.columns());
  default:
    return false;
  }
}

} // namespace halftone::onnx
