// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bytes in order, whatever they are made of; one size; errors of sources and sinks.
#include "lib/io/Rope.h"

#include "test/io/TemporaryFolder.h"

#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::io;
using namespace halftone::test;

static std::shared_ptr<const MappedFile> mapped(const TemporaryFolder &folder, std::string_view content) {
  return std::make_shared<const MappedFile>(std::move(*MappedFile::open(folder.write("in", content))));
}

/// A source of `count` times `c`, in two calls.
static Rope::Source repeat(char c, uint64_t count) {
  return [=](const Rope::Sink &sink) -> Status {
    const std::string first(count / 2, c), second(count - count / 2, c);
    if (Status taken = sink(std::as_bytes(std::span(first))); !taken)
      return taken;
    return sink(std::as_bytes(std::span(second)));
  };
}

static std::string written(const TemporaryFolder &folder, const Rope &rope) {
  AtomicFile file = std::move(*AtomicFile::create(folder / "out"));
  EXPECT_TRUE(rope.write(file));
  EXPECT_TRUE(file.commit());
  return folder.read("out");
}

TEST(Rope, KeepsItsOrder) {
  TemporaryFolder folder;
  const auto file = mapped(folder, "0123456789");
  Rope inner("(");
  inner.append(file, 2, 3);
  inner.append(file, 5, 1);
  inner.append(std::string(")"));
  Rope rope("a");
  rope.append(std::string());
  rope.append(3, repeat('x', 3));
  rope.append(inner);
  rope.append(inner);
  rope.append(file, 10, 0);
  EXPECT_EQ(rope.size(), 16u);
  EXPECT_EQ(written(folder, rope), "axxx(2345)(2345)");
  EXPECT_EQ(written(folder, rope), "axxx(2345)(2345)");
  EXPECT_EQ(written(folder, Rope()), "");
}

TEST(Rope, MoreThanABlock) {
  TemporaryFolder folder;
  const std::string large(11 << 20, 'f'), text(5 << 20, 't');
  Rope rope(text);
  rope.append(mapped(folder, large), 0, large.size());
  rope.append(uint64_t(9 << 20), repeat('r', 9 << 20));
  rope.append(std::string("end"));
  EXPECT_EQ(written(folder, rope), text + large + std::string(9 << 20, 'r') + "end");
}

TEST(Rope, ASourceGivesWhatItPromised) {
  Rope rope;
  rope.append(7, repeat('x', 6));
  const Status done = rope.read([](std::span<const std::byte>) { return Status(); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "a source gave 6 bytes, 7 were promised");
}

TEST(Rope, ErrorsEndIt) {
  Rope rope("text");
  rope.append(1, [](const Rope::Sink &) -> Status { return Error{"row 3 is nan"}; });
  const auto take = [](std::span<const std::byte>) { return Status(); };
  EXPECT_EQ(rope.read(take).error().message, "row 3 is nan");
  EXPECT_EQ(Rope("text").read([](auto) -> Status { return Error{"full"}; }).error().message, "full");
}
