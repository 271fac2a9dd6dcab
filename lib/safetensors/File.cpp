// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The header says where each tensor is; all of it is checked before anything is believed.
#include "lib/safetensors/File.h"

#include "lib/json/Reader.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>

namespace halftone::safetensors {

namespace {

/// What the header says of one tensor. Offsets count from the end of the header.
struct Entry {
  std::optional<ElementType> type;
  std::optional<std::vector<uint64_t>> shape;
  std::optional<std::vector<uint64_t>> offsets;
};

} // namespace

static std::string quoted(const Tensor &tensor) { return "tensor '" + tensor.name + "'"; }

//===-- Parsing ---------------------------------------------------------------------------------------------------===//

static Expected<std::vector<uint64_t>> readIntegers(json::Reader &reader, size_t most) {
  std::vector<uint64_t> values;
  const Status read = reader.array([&]() -> Status {
    const Expected<uint64_t> value = reader.unsignedInteger();
    if (!value)
      return value.error();
    if (values.size() == most)
      return Error{"more than " + std::to_string(most) + " numbers in an array"};
    values.push_back(*value);
    return {};
  });
  if (!read)
    return read.error();
  return values;
}

static Expected<ElementType> readType(json::Reader &reader) {
  const Expected<std::string> name = reader.string();
  if (!name)
    return name.error();
  if (const std::optional<ElementType> type = findElementType(*name))
    return *type;
  return Error{"unknown dtype '" + *name + "'; known are " + knownElementTypes()};
}

/// Moves what was read to where it belongs, or gives its error.
template <class T> static Status keep(Expected<T> value, std::optional<T> &place) {
  if (!value)
    return value.error();
  place = std::move(*value);
  return {};
}

static Status readMember(json::Reader &reader, const std::string &key, Entry &entry) {
  if (key == "dtype")
    return keep(readType(reader), entry.type);
  if (key == "shape")
    return keep(readIntegers(reader, mostDimensions), entry.shape);
  if (key == "data_offsets")
    return keep(readIntegers(reader, 2), entry.offsets);
  return Error{"unknown key '" + key + "'; known are dtype, shape, data_offsets"};
}

/// The tensor called `name`, with its offset from the end of the header.
static Expected<Tensor> readTensor(json::Reader &reader, const std::string &name) {
  Entry entry;
  if (Status read = reader.object([&](const std::string &key) { return readMember(reader, key, entry); }); !read)
    return read.error();
  if (!entry.type || !entry.shape || !entry.offsets)
    return Error{std::string("has no ") + (!entry.type ? "dtype" : !entry.shape ? "shape" : "data_offsets")};
  if (entry.offsets->size() != 2)
    return Error{"data_offsets are two numbers, found " + std::to_string(entry.offsets->size())};
  const uint64_t begin = entry.offsets->front(), end = entry.offsets->back();
  if (end < begin)
    return Error{"ends at " + std::to_string(end) + ", before it begins at " + std::to_string(begin)};
  const std::optional<uint64_t> wanted = byteSize(*entry.type, *entry.shape);
  if (!wanted || *wanted != end - begin)
    return Error{describe(*entry.type, *entry.shape) + " takes " +
                 (wanted ? std::to_string(*wanted) : "more than 2^64") + " bytes, data_offsets " +
                 std::to_string(begin) + " to " + std::to_string(end) + " hold " + std::to_string(end - begin)};
  return Tensor{name, *entry.type, std::move(*entry.shape), begin, end - begin};
}

static Status readMetadata(json::Reader &reader, Metadata &strings) {
  return reader.object([&](const std::string &key) -> Status {
    Expected<std::string> value = reader.string();
    if (!value)
      return Error{"'" + key + "': " + value.error().message};
    strings.emplace(key, std::move(*value));
    return {};
  });
}

static Status readHeader(json::Reader &reader, std::vector<Tensor> &tensors, Metadata &strings) {
  const Status read = reader.object([&](const std::string &name) -> Status {
    if (name == metadataKey) {
      const Status metadata = readMetadata(reader, strings);
      return metadata ? Status() : Error{std::string(metadataKey) + ": " + metadata.error().message};
    }
    Expected<Tensor> tensor = readTensor(reader, name);
    if (!tensor)
      return Error{"tensor '" + name + "': " + tensor.error().message};
    tensors.push_back(std::move(*tensor));
    return {};
  });
  return read ? reader.end() : read;
}

//===-- Checking --------------------------------------------------------------------------------------------------===//

static Expected<std::string_view> findHeader(std::span<const std::byte> bytes) {
  const std::string size = std::to_string(bytes.size());
  uint64_t length = 0;
  if (bytes.size() < sizeof length)
    return Error{"not a safetensors file: it has " + size + " bytes, the length of the header alone takes 8"};
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > mostHeaderBytes)
    return Error{"not a safetensors file, or damaged: its header would have " + std::to_string(length) +
                 " bytes, allowed are " + std::to_string(mostHeaderBytes)};
  if (length > bytes.size() - sizeof length)
    return Error{"truncated: the header wants " + std::to_string(length) + " bytes at 8, the file has " + size};
  const std::string_view header(reinterpret_cast<const char *>(bytes.data()) + sizeof length, length);
  if (!header.starts_with('{'))
    return Error{"not a safetensors file: its header does not begin with '{'"};
  return header;
}

/// Checks that the tensors fill `dataBytes` bytes without a gap and without sharing any.
static Status checkPlaces(std::vector<Tensor> &tensors, uint64_t dataBytes) {
  std::ranges::sort(tensors, [](const Tensor &left, const Tensor &right) {
    return std::tie(left.offset, left.bytes, left.name) < std::tie(right.offset, right.bytes, right.name);
  });
  uint64_t end = 0;
  const Tensor *before = nullptr;
  for (const Tensor &tensor : tensors) {
    const std::string begin = std::to_string(tensor.offset), last = std::to_string(end);
    if (tensor.offset < end)
      return Error{quoted(tensor) + " begins at " + begin + " of the data, " + quoted(*before) + " ends at " + last};
    if (tensor.offset > end)
      return Error{"a gap before " + quoted(tensor) + ": it begins at " + begin +
                   " of the data, what is before it ends at " + last};
    end = tensor.offset + tensor.bytes;
    if (end > dataBytes)
      return Error{quoted(tensor) + " ends at " + std::to_string(end) + " of the data, which has " +
                   std::to_string(dataBytes) + " bytes"};
    before = &tensor;
  }
  if (end != dataBytes)
    return Error{"the tensors take " + std::to_string(end) + " bytes of data, the file has " +
                 std::to_string(dataBytes)};
  return {};
}

Expected<File> File::open(std::string path) {
  Expected<io::MappedFile> mapped = io::MappedFile::open(std::move(path));
  if (!mapped)
    return mapped.error();
  File result(std::move(*mapped));
  const auto fail = [&](const Error &error) { return Error{result.path() + ": " + error.message}; };
  const Expected<std::string_view> header = findHeader(result.file.bytes());
  if (!header)
    return fail(header.error());
  json::Reader reader(*header, sizeof(uint64_t));
  if (Status read = readHeader(reader, result.list, result.strings); !read)
    return fail(read.error());
  const uint64_t dataBegin = sizeof(uint64_t) + header->size();
  if (Status checked = checkPlaces(result.list, result.file.size() - dataBegin); !checked)
    return fail(checked.error());
  for (Tensor &tensor : result.list)
    tensor.offset += dataBegin;
  std::ranges::sort(result.list, {}, &Tensor::name);
  return result;
}

const Tensor *File::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(list, name, {}, &Tensor::name);
  return found != list.end() && found->name == name ? &*found : nullptr;
}

std::span<const std::byte> File::data(const Tensor &tensor) const {
  return file.bytes().subspan(tensor.offset, tensor.bytes);
}

} // namespace halftone::safetensors
