// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The central directory of a zip archive names its members; each has a header of its own in front of its bytes.
#include "lib/io/Npz.h"

#include <cstring>
#include <limits>
#include <optional>
#include <zlib.h>

namespace halftone::io {

namespace {

constexpr uint32_t localSignature = 0x04034b50, centralSignature = 0x02014b50, endSignature = 0x06054b50,
                   end64Signature = 0x06064b50, locator64Signature = 0x07064b50;
constexpr uint64_t localBytes = 30, centralBytes = 46, endBytes = 22, end64Bytes = 56, locator64Bytes = 20;
/// A size or an offset that a zip64 record has instead.
constexpr uint32_t elsewhere = 0xffffffff;
/// The extra field with zip64's sizes.
constexpr uint16_t zip64Field = 1;
enum Method : uint16_t { stored = 0, deflated = 8 };

/// Little endian numbers of a record, read or written one after another.
class Record {
public:
  explicit Record(std::span<const std::byte> bytes) : bytes(bytes) {}

  template <class T> T take() {
    T value = 0;
    if (bytes.size() < sizeof(T)) {
      bytes = {};
      return 0;
    }
    std::memcpy(&value, bytes.data(), sizeof(T));
    bytes = bytes.subspan(sizeof(T));
    return value;
  }
  void skip(size_t count) { bytes = bytes.subspan(std::min(count, bytes.size())); }
  bool isEmpty() const { return bytes.empty(); }
  std::span<const std::byte> rest() const { return bytes; }

private:
  std::span<const std::byte> bytes;
};

class RecordBuilder {
public:
  template <class T> RecordBuilder &put(T value) {
    text.append(reinterpret_cast<const char *>(&value), sizeof(T));
    return *this;
  }
  RecordBuilder &put(std::string_view bytes) {
    text.append(bytes);
    return *this;
  }
  const std::string &bytes() const { return text; }

private:
  std::string text;
};

struct Member {
  std::string name;
  uint16_t flags = 0, method = stored;
  uint32_t checksum = 0;
  uint64_t packed = 0, unpacked = 0, offset = 0;
};

} // namespace

//===-- Reading ---------------------------------------------------------------------------------------------------===//

/// Where the directory is: the record stands at the end, before a comment of at most 64 KiB.
static std::optional<uint64_t> findEnd(std::span<const std::byte> bytes) {
  if (bytes.size() < endBytes)
    return std::nullopt;
  const uint64_t last = bytes.size() - endBytes, first = last > 0xffff ? last - 0xffff : 0;
  for (uint64_t at = last + 1; at-- > first;)
    if (Record(bytes.subspan(at)).take<uint32_t>() == endSignature)
      return at;
  return std::nullopt;
}

/// Puts the large sizes of a zip64 field in the place of those marked.
static void readExtra(Record extra, Member &member) {
  while (!extra.isEmpty()) {
    const auto id = extra.take<uint16_t>();
    const auto size = extra.take<uint16_t>();
    if (id != zip64Field) {
      extra.skip(size);
      continue;
    }
    for (uint64_t *value : {&member.unpacked, &member.packed, &member.offset})
      if (*value == elsewhere)
        *value = extra.take<uint64_t>();
    return;
  }
}

static Expected<Member> readEntry(const MappedFile &file, uint64_t &at) {
  const auto fixed = file.slice(at, centralBytes);
  if (!fixed)
    return fixed.error();
  Record record(*fixed);
  if (record.take<uint32_t>() != centralSignature)
    return Error{file.path() + ": no entry of the archive's directory at byte " + std::to_string(at)};
  Member member;
  record.skip(4); // versions
  member.flags = record.take<uint16_t>();
  member.method = record.take<uint16_t>();
  record.skip(4); // time
  member.checksum = record.take<uint32_t>();
  member.packed = record.take<uint32_t>();
  member.unpacked = record.take<uint32_t>();
  const auto nameBytes = record.take<uint16_t>(), extraBytes = record.take<uint16_t>(),
             commentBytes = record.take<uint16_t>();
  record.skip(8); // disk and attributes
  member.offset = record.take<uint32_t>();
  const auto variable = file.slice(at + centralBytes, uint64_t{nameBytes} + extraBytes + commentBytes);
  if (!variable)
    return variable.error();
  member.name.assign(reinterpret_cast<const char *>(variable->data()), nameBytes);
  readExtra(Record(variable->subspan(nameBytes, extraBytes)), member);
  at += centralBytes + variable->size();
  return member;
}

static Expected<std::vector<Member>> readDirectory(const MappedFile &file) {
  const std::optional<uint64_t> end = findEnd(file.bytes());
  if (!end)
    return Error{file.path() + ": not an .npz file: no zip archive ends here"};
  Record record(file.bytes().subspan(*end + 10));
  uint64_t count = record.take<uint16_t>();
  record.skip(4);
  uint64_t at = record.take<uint32_t>();
  if (*end >= locator64Bytes) {
    Record locator(file.bytes().subspan(*end - locator64Bytes));
    if (locator.take<uint32_t>() == locator64Signature) {
      locator.skip(4);
      const auto large = file.slice(locator.take<uint64_t>(), end64Bytes);
      if (!large)
        return large.error();
      Record sizes(large->subspan(32));
      count = sizes.take<uint64_t>();
      sizes.skip(8);
      at = sizes.take<uint64_t>();
    }
  }
  std::vector<Member> members;
  for (uint64_t i = 0; i < count; ++i) {
    Expected<Member> member = readEntry(file, at);
    if (!member)
      return member.error();
    members.push_back(std::move(*member));
  }
  return members;
}

/// The member's bytes as they lie in the file.
static Expected<std::span<const std::byte>> packedBytes(const MappedFile &file, const Member &member) {
  const auto header = file.slice(member.offset, localBytes);
  if (!header)
    return header.error();
  Record record(*header);
  if (record.take<uint32_t>() != localSignature)
    return Error{file.path() + ": no member '" + member.name + "' at byte " + std::to_string(member.offset)};
  record.skip(22);
  const auto nameBytes = record.take<uint16_t>(), extraBytes = record.take<uint16_t>();
  return file.slice(member.offset + localBytes + nameBytes + extraBytes, member.packed);
}

/// zlib counts in 32 bits: larger pieces go in and come out in turns.
static constexpr uint64_t largestPiece = uint64_t{1} << 30;

static Expected<std::vector<std::byte>> inflate(const std::string &what, std::span<const std::byte> packed,
                                                uint64_t size) {
  // No deflated byte gives more than 1032 [zlib, "Maximum Compression Factor"]: a larger promise is a lie.
  if (size / 1032 > packed.size())
    return Error{what + ": " + std::to_string(packed.size()) + " bytes do not unpack to " + std::to_string(size)};
  std::vector<std::byte> bytes(size);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return Error{what + ": no memory to unpack it"};
  uint64_t read = 0, written = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<std::byte *>(packed.data() + read));
    stream.avail_in = static_cast<uInt>(std::min(largestPiece, packed.size() - read));
    stream.next_out = reinterpret_cast<Bytef *>(bytes.data() + written);
    stream.avail_out = static_cast<uInt>(std::min(largestPiece, size - written));
    const uInt inBefore = stream.avail_in, outBefore = stream.avail_out;
    state = ::inflate(&stream, Z_NO_FLUSH);
    read += inBefore - stream.avail_in;
    written += outBefore - stream.avail_out;
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || written != size)
    return Error{what + ": damaged: " + std::to_string(written) + " of " + std::to_string(size) + " bytes unpack"};
  return bytes;
}

static uint32_t checksumOf(std::span<const std::byte> bytes) {
  uLong sum = crc32(0, nullptr, 0);
  for (uint64_t done = 0; done < bytes.size();) {
    const uint64_t count = std::min(largestPiece, bytes.size() - done);
    sum = crc32(sum, reinterpret_cast<const Bytef *>(bytes.data() + done), static_cast<uInt>(count));
    done += count;
  }
  return static_cast<uint32_t>(sum);
}

static Expected<NamedArray> parseMember(const std::string &what, const Member &member,
                                        std::span<const std::byte> bytes) {
  if (bytes.size() != member.unpacked || checksumOf(bytes) != member.checksum)
    return Error{what + ": damaged: its checksum is not the one that the archive states"};
  const Expected<NpyContent> content = parseNpy(what, bytes);
  if (!content)
    return content.error();
  std::string name = member.name;
  if (name.ends_with(".npy"))
    name.resize(name.size() - 4);
  return NamedArray{name, content->type, content->shape, content->data};
}

Expected<NpzFile> NpzFile::open(std::string path, const std::string &single) {
  Expected<MappedFile> mapped = MappedFile::open(std::move(path));
  if (!mapped)
    return mapped.error();
  NpzFile result(std::move(*mapped));
  if (!single.empty() && result.path().ends_with(".npy")) {
    const Expected<NpyContent> content = parseNpy(result.path(), result.file.bytes());
    if (!content)
      return content.error();
    result.list.push_back({single, content->type, content->shape, content->data});
    return result;
  }
  const Expected<std::vector<Member>> members = readDirectory(result.file);
  if (!members)
    return members.error();
  for (const Member &member : *members) {
    const std::string what = result.path() + ": member '" + member.name + "'";
    if ((member.flags & 1) || (member.method != stored && member.method != deflated))
      return Error{what + (member.flags & 1 ? " is encrypted"
                                            : ": compression " + std::to_string(member.method) +
                                                  " is not known; known are 0 (stored) and 8 (deflated)")};
    auto bytes = packedBytes(result.file, member);
    if (!bytes)
      return bytes.error();
    if (member.method == deflated) {
      auto unpacked = inflate(what, *bytes, member.unpacked);
      if (!unpacked)
        return unpacked.error();
      bytes = std::span<const std::byte>(result.inflated.emplace_back(std::move(*unpacked)));
    }
    Expected<NamedArray> array = parseMember(what, member, *bytes);
    if (!array)
      return array.error();
    result.list.push_back(std::move(*array));
  }
  return result;
}

const NamedArray *NpzFile::find(std::string_view name) const {
  for (const NamedArray &array : list)
    if (array.name == name)
      return &array;
  return nullptr;
}

//===-- Writing ---------------------------------------------------------------------------------------------------===//

/// 1980-01-01 00:00, the first time that the format knows: archives do not depend on when they are made.
static constexpr uint16_t noTime = 0, noDate = 1 << 5 | 1;
/// Version 4.5, the first with zip64; numpy writes every member that way.
static constexpr uint16_t version = 45;

/// What local header and directory say alike: from the version on to the extra field's size.
static void putCommon(RecordBuilder &record, const Member &member, uint16_t extraBytes) {
  record.put(version).put(uint16_t{0}).put(uint16_t{stored}).put(noTime).put(noDate);
  record.put(member.checksum).put(elsewhere).put(elsewhere);
  record.put(static_cast<uint16_t>(member.name.size())).put(extraBytes);
}

static std::string localHeader(const Member &member) {
  RecordBuilder record;
  record.put(localSignature);
  putCommon(record, member, 20);
  record.put(std::string_view(member.name)).put(zip64Field).put(uint16_t{16});
  return record.put(member.unpacked).put(member.packed).bytes();
}

static std::string directoryEntry(const Member &member) {
  RecordBuilder record;
  record.put(centralSignature).put(version);
  putCommon(record, member, 28);
  record.put(uint16_t{0}).put(uint16_t{0}).put(uint16_t{0}).put(uint32_t{0}).put(elsewhere);
  record.put(std::string_view(member.name)).put(zip64Field).put(uint16_t{24});
  return record.put(member.unpacked).put(member.packed).put(member.offset).bytes();
}

static std::string endRecords(uint64_t count, uint64_t start, uint64_t bytes) {
  RecordBuilder record;
  record.put(end64Signature).put(uint64_t{end64Bytes - 12}).put(version).put(version).put(uint32_t{0}).put(uint32_t{0});
  record.put(count).put(count).put(bytes).put(start);
  record.put(locator64Signature).put(uint32_t{0}).put(start + bytes).put(uint32_t{1});
  record.put(endSignature).put(uint16_t{0}).put(uint16_t{0}).put(uint16_t{0xffff}).put(uint16_t{0xffff});
  return record.put(elsewhere).put(elsewhere).put(uint16_t{0}).bytes();
}

static Status append(AtomicFile &file, const std::string &bytes) { return file.write(bytes.data(), bytes.size()); }

static Expected<Member> writeMember(AtomicFile &file, const NamedArray &array) {
  const std::string header = npyHeader(array.type, array.shape);
  Member member;
  member.name = array.name + ".npy";
  member.offset = file.position();
  member.packed = member.unpacked = header.size() + array.data.size();
  member.checksum = static_cast<uint32_t>(crc32_combine(
      checksumOf(std::as_bytes(std::span(header))), checksumOf(array.data), static_cast<z_off_t>(array.data.size())));
  if (Status written = append(file, localHeader(member)); !written)
    return written.error();
  if (Status written = append(file, header); !written)
    return written.error();
  if (Status written = file.write(array.data.data(), array.data.size()); !written)
    return written.error();
  return member;
}

Status writeNpz(std::string path, std::span<const NamedArray> arrays, const AtomicFileOptions &options) {
  Expected<AtomicFile> file = AtomicFile::create(std::move(path), options);
  if (!file)
    return file.error();
  std::string directory;
  for (const NamedArray &array : arrays) {
    if (array.name.size() + 4 > std::numeric_limits<uint16_t>::max())
      return Error{file->path() + ": the name of an array has " + std::to_string(array.name.size()) + " bytes"};
    const Expected<Member> member = writeMember(*file, array);
    if (!member)
      return member.error();
    directory += directoryEntry(*member);
  }
  const uint64_t start = file->position();
  if (Status written = append(*file, directory + endRecords(arrays.size(), start, directory.size())); !written)
    return written;
  return file->commit();
}

} // namespace halftone::io
