// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors come in three forms: raw bytes, external data, or repeated numbers; the last are turned into
// raw bytes here.
#include "lib/onnx/ReadTensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace halftone::onnx {

/// Bytes of one number of int32_data and its like: types under 8 bits come packed, a byte's worth to a number.
static uint64_t unitBytes(ElementType type) { return std::max(bitWidth(type) / 8, 1u); }

static bool isSigned(ElementType type) {
  return type == ElementType::int8 || type == ElementType::int16 || type == ElementType::int32;
}

/// Writes the low bytes of each number; a number that they cannot hold is an error. int4 and int2 are packed bits here,
/// and floats of 16 or 8 bits are their bits: unsigned both.
static Expected<std::string> packIntegers(const google::protobuf::RepeatedField<int32_t> &numbers, ElementType type,
                                          const std::string &where) {
  const uint64_t unit = unitBytes(type);
  const int64_t high = (int64_t(1) << (8 * unit - isSigned(type))) - 1;
  const int64_t low = isSigned(type) ? -high - 1 : 0;
  std::string bytes;
  for (int i = 0; i < numbers.size(); ++i) {
    const int32_t number = numbers[i];
    if (number < low || number > high)
      return Error{where + ": element " + std::to_string(i) + " is " + std::to_string(number) + ", outside " +
                   std::string(name(type))};
    bytes.append(reinterpret_cast<const char *>(&number), unit);
  }
  return bytes;
}

static Expected<std::string> packUnsigned(const google::protobuf::RepeatedField<uint64_t> &numbers, ElementType type,
                                          const std::string &where) {
  std::string bytes;
  for (int i = 0; i < numbers.size(); ++i) {
    if (type == ElementType::uint32 && numbers[i] > UINT32_MAX)
      return Error{where + ": element " + std::to_string(i) + " is " + std::to_string(numbers[i]) + ", outside uint32"};
    bytes.append(reinterpret_cast<const char *>(&numbers[i]), unitBytes(type));
  }
  return bytes;
}

template <class T> static std::string packAll(const google::protobuf::RepeatedField<T> &numbers) {
  return {reinterpret_cast<const char *>(numbers.data()), static_cast<size_t>(numbers.size()) * sizeof(T)};
}

/// The elements as raw bytes, from the field that onnx-ml.proto names for the type.
static Expected<std::string> packNumbers(const ::onnx::TensorProto &proto, ElementType type, const std::string &where) {
  switch (type) {
  case ElementType::float32:
  case ElementType::complex64:
    return packAll(proto.float_data());
  case ElementType::float64:
  case ElementType::complex128:
    return packAll(proto.double_data());
  case ElementType::int64:
    return packAll(proto.int64_data());
  case ElementType::uint32:
  case ElementType::uint64:
    return packUnsigned(proto.uint64_data(), type, where);
  default:
    return packIntegers(proto.int32_data(), type, where);
  }
}

static Error wrongSize(const Tensor &tensor, const std::string &where, uint64_t wanted, uint64_t found,
                       const char *unit) {
  return {where + " (" + describe(tensor.type, tensor.shape) + ") wants " + std::to_string(wanted) + " " + unit +
          ", has " + std::to_string(found)};
}

/// Name, type and shape; the size in bytes that they want.
static Expected<uint64_t> readHeader(const ::onnx::TensorProto &proto, const std::string &where, Tensor &tensor) {
  tensor.name = proto.name();
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  const std::optional<ElementType> type = elementType(proto.data_type());
  if (!type)
    return Error{where + ": element type " + std::to_string(proto.data_type()) + " is not known"};
  tensor.type = *type;
  if (proto.has_segment())
    return Error{where + ": tensors in segments are not supported"};
  const std::optional<uint64_t> bytes = byteSize(*type, tensor.shape);
  if (!bytes)
    return Error{where + ": no tensor can be " + describe(*type, tensor.shape)};
  return *bytes;
}

static Status readStrings(const ::onnx::TensorProto &proto, const std::string &where, Tensor &tensor) {
  const uint64_t wanted = *elementCount(tensor.shape);
  const auto found = static_cast<uint64_t>(proto.string_data_size());
  if (wanted != found)
    return wrongSize(tensor, where, wanted, found, "strings");
  tensor.strings.assign(proto.string_data().begin(), proto.string_data().end());
  return {};
}

static ExternalEntries externalEntries(const ::onnx::TensorProto &proto) {
  ExternalEntries entries;
  for (const ::onnx::StringStringEntryProto &entry : proto.external_data())
    entries[entry.key()] = entry.value();
  return entries;
}

/// Raw bytes in the model file or in another; nothing when the elements are numbers of the message.
static Expected<std::optional<Location>> findLocation(const ::onnx::TensorProto &proto, const TensorSources &sources,
                                                      uint64_t wanted, const std::string &where) {
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL) {
    Expected<Location> found = sources.external.locate(externalEntries(proto), wanted, where);
    if (!found)
      return found.error();
    return std::optional(*found);
  }
  if (!proto.has_doc_string()) // see WeightIndex::stripped
    return std::optional<Location>();
  return std::optional(sources.index.locations[std::strtoull(proto.doc_string().c_str(), nullptr, 10)]);
}

Expected<Tensor> readTensor(const ::onnx::TensorProto &proto, const TensorSources &sources, const std::string &where) {
  Tensor tensor;
  const Expected<uint64_t> wanted = readHeader(proto, where, tensor);
  if (!wanted)
    return wanted.error();
  if (tensor.type == ElementType::string) {
    if (Status read = readStrings(proto, where, tensor); !read)
      return read.error();
    return tensor;
  }
  Expected<std::optional<Location>> location = findLocation(proto, sources, *wanted, where);
  if (!location)
    return location.error();
  tensor.location = *location;
  if (!tensor.location) {
    Expected<std::string> bytes = packNumbers(proto, tensor.type, where);
    if (!bytes)
      return bytes.error();
    tensor.bytes = std::move(*bytes);
  } else if (tensor.location->bytes > 0 && tensor.location->bytes <= sources.inlineLimit) {
    const auto *start = reinterpret_cast<const char *>(sources.files[tensor.location->file]->bytes().data());
    tensor.bytes.assign(start + tensor.location->offset, tensor.location->bytes);
  }
  const uint64_t found = tensor.location ? tensor.location->bytes : tensor.bytes.size();
  if (found != *wanted)
    return wrongSize(tensor, where, *wanted, found, "bytes");
  return tensor;
}

} // namespace halftone::onnx
