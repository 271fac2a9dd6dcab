// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bytes that are put together before they are written: texts, pieces of mapped files, and what is only computed when it
// is its turn. Its size is known at once, so that a header can hold it, and nothing large is ever in memory.
#pragma once

#include "lib/io/AtomicFile.h"
#include "lib/io/MappedFile.h"

#include <functional>
#include <memory>
#include <variant>

namespace halftone::io {

class Rope {
public:
  /// Takes bytes, in order.
  using Sink = std::function<Status(std::span<const std::byte> bytes)>;
  /// Gives its bytes to the sink, as many as were promised; may be asked several times.
  using Source = std::function<Status(const Sink &sink)>;

  Rope() = default;
  Rope(std::string text) { append(std::move(text)); }

  void append(std::string text);
  /// `bytes` bytes of `file` from `offset` on, which must lie inside it.
  void append(std::shared_ptr<const MappedFile> file, uint64_t offset, uint64_t bytes);
  void append(uint64_t bytes, Source source);
  void append(const Rope &other);

  uint64_t size() const { return total; }

  /// Gives all bytes to the sink, in blocks; pages of files are given back once they were read.
  Status read(const Sink &sink) const;
  /// Appends all bytes to `file`.
  Status write(AtomicFile &file) const;

private:
  struct Slice {
    std::shared_ptr<const MappedFile> file;
    uint64_t offset, bytes;
  };
  struct Promise {
    uint64_t bytes;
    Source source;
  };
  using Strand = std::variant<std::string, Slice, Promise>;

  static Status read(const std::string &text, const Sink &sink);
  static Status read(const Slice &slice, const Sink &sink);
  static Status read(const Promise &promise, const Sink &sink);

  std::vector<Strand> strands;
  uint64_t total = 0;
};

} // namespace halftone::io
