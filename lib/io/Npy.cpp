// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing the header of .npy files and checking it against the data.
#include "lib/io/Npy.h"

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

namespace halftone::io {

namespace {

/// `descr` without its byte order: one letter for the kind, then the bytes of an element.
struct TypeRow {
  NpyType type;
  std::string_view name, descr;
  size_t bytes;
};
constexpr TypeRow types[] = {
    {NpyType::boolean, "bool", "b1", 1},    {NpyType::int8, "int8", "i1", 1},
    {NpyType::int16, "int16", "i2", 2},     {NpyType::int32, "int32", "i4", 4},
    {NpyType::int64, "int64", "i8", 8},     {NpyType::uint8, "uint8", "u1", 1},
    {NpyType::uint16, "uint16", "u2", 2},   {NpyType::uint32, "uint32", "u4", 4},
    {NpyType::uint64, "uint64", "u8", 8},   {NpyType::float16, "float16", "f2", 2},
    {NpyType::float32, "float32", "f4", 4}, {NpyType::float64, "float64", "f8", 8},
};
static const TypeRow &row(NpyType type) { return types[static_cast<size_t>(type)]; }

constexpr std::string_view magic = "\x93NUMPY";

/// A Python dictionary literal, as far as numpy writes one: strings, True and False, tuples of integers.
class HeaderReader {
public:
  explicit HeaderReader(std::string_view text) : rest(text) {}

  bool take(char wanted) {
    skipSpace();
    if (rest.empty() || rest.front() != wanted)
      return false;
    rest.remove_prefix(1);
    return true;
  }

  bool takeWord(std::string_view word) {
    skipSpace();
    if (!rest.starts_with(word))
      return false;
    rest.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string_view> string() {
    const char quote = take('\'') ? '\'' : take('"') ? '"' : 0;
    const size_t end = quote ? rest.find(quote) : std::string_view::npos;
    if (end == std::string_view::npos)
      return std::nullopt;
    const std::string_view value = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return value;
  }

  std::optional<bool> boolean() {
    if (takeWord("True"))
      return true;
    return takeWord("False") ? std::optional(false) : std::nullopt;
  }

  std::optional<std::vector<uint64_t>> tuple() {
    if (!take('('))
      return std::nullopt;
    std::vector<uint64_t> values;
    while (!take(')')) {
      skipSpace();
      uint64_t value = 0;
      const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
      if (failed != std::errc())
        return std::nullopt;
      rest.remove_prefix(static_cast<size_t>(end - rest.data()));
      values.push_back(value);
      if (!take(',') && !rest.starts_with(')'))
        return std::nullopt;
    }
    return values;
  }

private:
  void skipSpace() { rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size())); }

  std::string_view rest;
};

/// Where the header's text starts and how long it is.
struct HeaderPlace {
  uint64_t offset, bytes;
};

struct Header {
  std::optional<std::string_view> descr;
  std::optional<bool> fortranOrder;
  std::optional<std::vector<uint64_t>> shape;
};

} // namespace

static bool readEntry(HeaderReader &reader, std::string_view key, Header &header) {
  if (key == "descr")
    return (header.descr = reader.string()).has_value();
  if (key == "fortran_order")
    return (header.fortranOrder = reader.boolean()).has_value();
  return key == "shape" && (header.shape = reader.tuple()).has_value();
}

/// Nothing when the text is no such dictionary; missing keys stay empty.
static std::optional<Header> parseHeader(std::string_view text) {
  HeaderReader reader(text);
  Header header;
  if (!reader.take('{'))
    return std::nullopt;
  while (!reader.take('}')) {
    const std::optional<std::string_view> key = reader.string();
    if (!key || !reader.take(':') || !readEntry(reader, *key, header))
      return std::nullopt;
    reader.take(',');
  }
  return header;
}

static std::string print(const std::vector<uint64_t> &shape) {
  std::string text = "[";
  for (const uint64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::string describe(NpyType type, const std::vector<uint64_t> &shape) {
  return std::string(name(type)) + " " + print(shape);
}

/// Nothing when the product overflows.
static std::optional<uint64_t> dataBytes(NpyType type, const std::vector<uint64_t> &shape) {
  uint64_t bytes = byteSize(type);
  for (const uint64_t size : shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      return std::nullopt;
  return bytes;
}

static Expected<NpyType> findType(const std::string &path, std::string_view descr) {
  const bool ordered = !descr.empty() && std::string_view("<>=|").find(descr[0]) != std::string_view::npos;
  const std::string_view code = descr.substr(ordered ? 1 : 0);
  for (const TypeRow &row : types)
    if (row.descr == code) {
      if (descr[0] == '>' && row.bytes > 1)
        return Error{path + ": elements are big endian ('" + std::string(descr) + "'), little endian is wanted"};
      return row.type;
    }
  std::string known;
  for (const TypeRow &row : types)
    known += " " + std::string(row.name);
  return Error{path + ": unknown element type '" + std::string(descr) + "'; known are" + known};
}

static Expected<HeaderPlace> findHeader(const std::string &what, std::span<const std::byte> content) {
  const auto *bytes = reinterpret_cast<const unsigned char *>(content.data());
  if (content.size() < 10 || std::memcmp(bytes, magic.data(), magic.size()) != 0)
    return Error{what + ": not an .npy file: it does not start with \\x93NUMPY"};
  const unsigned version = bytes[6];
  if (version < 1 || version > 3)
    return Error{what + ": version " + std::to_string(version) + " of the .npy format, 1 to 3 are known"};
  if (version == 1)
    return HeaderPlace{10, bytes[8] | uint64_t(bytes[9]) << 8};
  if (content.size() < 12)
    return Error{what + ": truncated in the header, at byte " + std::to_string(content.size())};
  return HeaderPlace{12, bytes[8] | uint64_t(bytes[9]) << 8 | uint64_t(bytes[10]) << 16 | uint64_t(bytes[11]) << 24};
}

static Expected<Header> readHeader(const std::string &what, std::span<const std::byte> content, HeaderPlace place) {
  if (place.bytes > content.size() - place.offset)
    return Error{what + ": truncated: the header wants " + std::to_string(place.bytes) + " bytes at " +
                 std::to_string(place.offset) + ", the file has " + std::to_string(content.size())};
  const auto *text = reinterpret_cast<const char *>(content.data()) + place.offset;
  const std::optional<Header> header = parseHeader({text, place.bytes});
  if (!header || !header->descr || !header->fortranOrder || !header->shape)
    return Error{what + ": the header at byte " + std::to_string(place.offset) +
                 " is not a dictionary of descr, fortran_order and shape"};
  if (*header->fortranOrder && header->shape->size() > 1)
    return Error{what + ": the array " + print(*header->shape) + " is in Fortran order, C order is wanted"};
  return *header;
}

std::string npyHeader(NpyType type, const std::vector<uint64_t> &shape) {
  std::string sizes;
  for (const uint64_t size : shape)
    sizes += std::to_string(size) + ", ";
  if (shape.size() > 1)
    sizes.resize(sizes.size() - 2);
  else if (shape.size() == 1)
    sizes.pop_back();
  const std::string text = std::string("{'descr': '") + (byteSize(type) > 1 ? '<' : '|') +
                           std::string(row(type).descr) + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  const size_t total = (magic.size() + 4 + text.size() + 1 + 63) / 64 * 64;
  const size_t length = total - magic.size() - 4;
  std::string header(magic);
  header += {1, 0, static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  header += text;
  header.resize(total - 1, ' ');
  return header + '\n';
}

size_t byteSize(NpyType type) { return row(type).bytes; }
std::string_view name(NpyType type) { return row(type).name; }

Expected<NpyContent> parseNpy(const std::string &what, std::span<const std::byte> bytes) {
  const Expected<HeaderPlace> place = findHeader(what, bytes);
  if (!place)
    return place.error();
  const Expected<Header> header = readHeader(what, bytes, *place);
  if (!header)
    return header.error();
  const Expected<NpyType> type = findType(what, *header->descr);
  if (!type)
    return type.error();
  NpyContent content = {*type, *header->shape, bytes.subspan(place->offset + place->bytes)};
  const std::optional<uint64_t> wanted = dataBytes(*type, content.shape);
  if (!wanted || *wanted != content.data.size())
    return Error{what + ": " + describe(*type, content.shape) + " wants " +
                 (wanted ? std::to_string(*wanted) : "more than 2^64") + " bytes of data, the file has " +
                 std::to_string(content.data.size())};
  return content;
}

Expected<NpyArray> NpyArray::open(std::string path) {
  Expected<MappedFile> mapped = MappedFile::open(std::move(path));
  if (!mapped)
    return mapped.error();
  Expected<NpyContent> content = parseNpy(mapped->path(), mapped->bytes());
  if (!content)
    return content.error();
  return NpyArray(std::move(*mapped), std::move(*content));
}

/// Element `index` of an array of T: the data may lie unaligned.
template <class T> static T load(std::span<const std::byte> data, uint64_t index) {
  T value;
  std::memcpy(&value, data.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <class T, class Out> static std::vector<Out> convert(std::span<const std::byte> data) {
  std::vector<Out> values(data.size() / sizeof(T));
  for (uint64_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<Out>(load<T>(data, i));
  return values;
}

Expected<std::vector<int64_t>> integers(const std::string &what, NpyType type, std::span<const std::byte> data) {
  switch (type) {
  case NpyType::boolean:
  case NpyType::uint8:
    return convert<uint8_t, int64_t>(data);
  case NpyType::int8:
    return convert<int8_t, int64_t>(data);
  case NpyType::int16:
    return convert<int16_t, int64_t>(data);
  case NpyType::int32:
    return convert<int32_t, int64_t>(data);
  case NpyType::int64:
    return convert<int64_t, int64_t>(data);
  case NpyType::uint16:
    return convert<uint16_t, int64_t>(data);
  case NpyType::uint32:
    return convert<uint32_t, int64_t>(data);
  case NpyType::uint64: {
    std::vector<int64_t> values = convert<uint64_t, int64_t>(data);
    for (uint64_t i = 0; i < values.size(); ++i)
      if (values[i] < 0)
        return Error{what + ": element " + std::to_string(i) + " is " + std::to_string(load<uint64_t>(data, i)) +
                     ", above " + std::to_string(std::numeric_limits<int64_t>::max())};
    return values;
  }
  default:
    return Error{what + ": elements are " + std::string(name(type)) + ", integers are wanted"};
  }
}

Expected<std::vector<float>> NpyArray::floats() const {
  if (type() == NpyType::float32)
    return convert<float, float>(data());
  if (type() == NpyType::float64)
    return convert<double, float>(data());
  return Error{path() + ": elements are " + std::string(name(type())) + ", float32 or float64 are wanted"};
}

Expected<NpyWriter> NpyWriter::create(std::string path, NpyType type, std::vector<uint64_t> shape,
                                      const AtomicFileOptions &options) {
  const std::optional<uint64_t> bytes = dataBytes(type, shape);
  const std::string header = npyHeader(type, shape);
  if (!bytes || *bytes > std::numeric_limits<int64_t>::max() - header.size() || shape.size() > 32)
    return Error{path + ": " + describe(type, shape) + " is too large for an .npy file"};
  Expected<AtomicFile> file = AtomicFile::create(std::move(path), options);
  if (!file)
    return file.error();
  if (Status written = file->write(header.data(), header.size()); !written)
    return written.error();
  return NpyWriter(std::move(*file), header.size() + *bytes);
}

Status NpyWriter::write(const void *elements, size_t bytes) {
  if (bytes > dataEnd - file.position())
    return Error{file.path() + ": " + std::to_string(bytes) + " bytes at " + std::to_string(file.position()) +
                 " go past the array's end at " + std::to_string(dataEnd)};
  return file.write(elements, bytes);
}

Status NpyWriter::commit() {
  if (file.position() != dataEnd)
    return Error{file.path() + ": the array ends at " + std::to_string(file.position()) + ", its shape wants " +
                 std::to_string(dataEnd) + " bytes"};
  return file.commit();
}

Status writeNpy(std::string path, NpyType type, std::vector<uint64_t> shape, const void *elements) {
  const std::optional<uint64_t> bytes = dataBytes(type, shape);
  Expected<NpyWriter> writer = NpyWriter::create(std::move(path), type, std::move(shape));
  if (!writer)
    return writer.error();
  if (Status written = writer->write(elements, *bytes); !written)
    return written;
  return writer->commit();
}

} // namespace halftone::io
