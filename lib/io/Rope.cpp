// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strands, one after the other; texts and pieces that follow each other become one.
#include "lib/io/Rope.h"

#include <algorithm>
#include <cstring>

namespace halftone::io {

/// Bytes that are moved at once.
static constexpr uint64_t blockBytes = 4 << 20;

void Rope::append(std::string text) {
  total += text.size();
  if (auto *last = strands.empty() ? nullptr : std::get_if<std::string>(&strands.back()))
    *last += text;
  else if (!text.empty())
    strands.emplace_back(std::move(text));
}

void Rope::append(std::shared_ptr<const MappedFile> file, uint64_t offset, uint64_t bytes) {
  assert(offset <= file->size() && bytes <= file->size() - offset);
  total += bytes;
  auto *last = strands.empty() ? nullptr : std::get_if<Slice>(&strands.back());
  if (last && last->file == file && last->offset + last->bytes == offset)
    last->bytes += bytes;
  else if (bytes > 0)
    strands.emplace_back(Slice{std::move(file), offset, bytes});
}

void Rope::append(uint64_t bytes, Source source) {
  total += bytes;
  strands.emplace_back(Promise{bytes, std::move(source)});
}

void Rope::append(const Rope &other) {
  for (const Strand &strand : other.strands) {
    if (const auto *text = std::get_if<std::string>(&strand))
      append(*text);
    else if (const auto *slice = std::get_if<Slice>(&strand))
      append(slice->file, slice->offset, slice->bytes);
    else
      append(std::get<Promise>(strand).bytes, std::get<Promise>(strand).source);
  }
}

Status Rope::read(const std::string &text, const Sink &sink) { return sink(std::as_bytes(std::span(text))); }

Status Rope::read(const Slice &slice, const Sink &sink) {
  for (uint64_t done = 0; done < slice.bytes; done += blockBytes) {
    const uint64_t start = slice.offset + done, count = std::min(blockBytes, slice.bytes - done);
    if (Status taken = sink(slice.file->bytes().subspan(start, count)); !taken)
      return taken;
    slice.file->release(start, count);
  }
  return {};
}

Status Rope::read(const Promise &promise, const Sink &sink) {
  uint64_t given = 0;
  const auto counted = [&](std::span<const std::byte> bytes) {
    given += bytes.size();
    return sink(bytes);
  };
  if (Status read = promise.source(counted); !read)
    return read;
  return given == promise.bytes ? Status()
                                : Error{"a source gave " + std::to_string(given) + " bytes, " +
                                        std::to_string(promise.bytes) + " were promised"};
}

Status Rope::read(const Sink &sink) const {
  for (const Strand &strand : strands)
    if (Status done = std::visit([&](const auto &kind) { return read(kind, sink); }, strand); !done)
      return done;
  return {};
}

Status Rope::write(AtomicFile &file) const {
  std::vector<std::byte> block;
  const auto flush = [&]() -> Status {
    const Status written = file.write(block.data(), block.size());
    block.clear();
    return written;
  };
  const auto gather = [&](std::span<const std::byte> bytes) -> Status {
    if (block.size() + bytes.size() > blockBytes)
      if (Status flushed = flush(); !flushed)
        return flushed;
    if (bytes.size() >= blockBytes)
      return file.write(bytes.data(), bytes.size());
    block.insert(block.end(), bytes.begin(), bytes.end());
    return {};
  };
  if (Status done = read(gather); !done)
    return done;
  return flush();
}

} // namespace halftone::io
