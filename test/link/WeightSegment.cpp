// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/link/WeightSegment.h"

#include "test/link/Program.h"

#include <csignal>
#include <cstring>
#include <elf.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace halftone {
namespace {

using testing::HasSubstr;

std::span<const std::byte> bytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Links the test program, gives it `parts` as its segment, and gives the executable's path.
std::string package(const test::TemporaryFolder &folder, std::span<const link::SegmentPart> parts) {
  const auto program = io::MappedFile::open(test::linkProgram(folder, "linked"));
  auto output = io::AtomicFile::create(folder / "program", {.mode = 0777});
  EXPECT_TRUE(program && output);
  EXPECT_TRUE(link::writeExecutable(*program, parts, *output));
  EXPECT_TRUE(output->commit());
  return folder / "program";
}

std::string segmentBytes(const std::string &program, uint64_t offset, uint64_t count) {
  const auto outcome = test::run({program, std::to_string(offset), std::to_string(count)});
  EXPECT_EQ(outcome->status, 0);
  return outcome->output;
}

TEST(WeightSegment, PartsStartAtMultiplesOf64) {
  const uint64_t sizes[] = {100, 0, 64, 1};
  EXPECT_THAT(link::partOffsets(sizes), testing::ElementsAre(0, 128, 128, 192, 193));
  EXPECT_THAT(link::partOffsets({}), testing::ElementsAre(0));
}

TEST(WeightSegment, TheProgramFindsEveryPart) {
  const test::TemporaryFolder folder;
  const std::string weights(100000, 'w'), tokenizer(77, 't'), info = "{\"name\": \"stories\"}";
  const auto file = io::MappedFile::open(folder.write("weights", weights));
  const link::SegmentPart parts[] = {*file, bytesOf(tokenizer), bytesOf(info)};
  const std::string program = package(folder, parts);
  const uint64_t sizes[] = {weights.size(), tokenizer.size(), info.size()};
  const std::vector<uint64_t> offsets = link::partOffsets(sizes);
  EXPECT_EQ(test::run({program})->output, std::to_string(offsets[3]) + " 0\n");
  EXPECT_EQ(segmentBytes(program, 0, weights.size()), weights);
  EXPECT_EQ(segmentBytes(program, offsets[1], tokenizer.size()), tokenizer);
  EXPECT_EQ(segmentBytes(program, offsets[2], info.size()), info);
}

TEST(WeightSegment, IsReadOnly) {
  const test::TemporaryFolder folder;
  const link::SegmentPart parts[] = {bytesOf("weights")};
  const auto outcome = test::run({package(folder, parts), "write"});
  EXPECT_TRUE(WIFSIGNALED(outcome->status) && WTERMSIG(outcome->status) == SIGSEGV);
}

TEST(WeightSegment, RunsInAnEmptyRoot) {
  const test::TemporaryFolder folder;
  const link::SegmentPart parts[] = {bytesOf("weights")};
  const std::string program = package(folder, parts);
  std::filesystem::create_directory(folder / "root");
  std::filesystem::rename(program, folder / "root/program");
  const auto outcome = test::run({folder / "root/program", "0", "7"}, /*alone=*/true);
  if (!outcome)
    GTEST_SKIP() << "changing the root is not permitted here";
  EXPECT_EQ(outcome->status, 0);
  EXPECT_EQ(outcome->output, "weights");
}

TEST(WeightSegment, IsTheLastLoadedAndTheTableStaysInTheFirst) {
  const test::TemporaryFolder folder;
  const link::SegmentPart parts[] = {bytesOf("weights")};
  package(folder, parts);
  const std::string bytes = folder.read("program");
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  std::vector<Elf64_Phdr> table(header.e_phnum);
  std::memcpy(table.data(), bytes.data() + header.e_phoff, table.size() * sizeof(Elf64_Phdr));
  std::erase_if(table, [](const Elf64_Phdr &entry) { return entry.p_type != PT_LOAD; });
  // Linux before 5.18 takes the table's address from the first segment.
  EXPECT_LE(table.front().p_offset, header.e_phoff);
  EXPECT_GE(table.front().p_offset + table.front().p_filesz, header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr));
  for (size_t i = 1; i < table.size(); ++i)
    EXPECT_GE(table[i].p_vaddr, table[i - 1].p_vaddr + table[i - 1].p_memsz);
  EXPECT_EQ(table.back().p_flags, uint32_t{PF_R});
  EXPECT_EQ(table.back().p_offset % 65536, table.back().p_vaddr % 65536);
  EXPECT_EQ(bytes.substr(table.back().p_offset, table.back().p_filesz), "weights");
}

TEST(WeightSegment, SurvivesStrip) {
  const test::TemporaryFolder folder;
  const std::string weights(100000, 'w');
  const link::SegmentPart parts[] = {bytesOf(weights)};
  const std::string program = package(folder, parts);
  const auto size = std::filesystem::file_size(program);
  ASSERT_EQ(test::run({STRIP_TOOL, program})->status, 0);
  EXPECT_LT(std::filesystem::file_size(program), size);
  EXPECT_EQ(segmentBytes(program, 0, weights.size()), weights);
}

TEST(WeightSegment, ZerosAtBothEndsAreThere) {
  const test::TemporaryFolder folder;
  const std::string weights(10000, '\0'), tail(100, '\0');
  const link::SegmentPart parts[] = {bytesOf(weights), bytesOf(tail)};
  const std::string program = package(folder, parts);
  EXPECT_EQ(test::run({program})->output, "10148 0\n");
  EXPECT_EQ(segmentBytes(program, 0, 10148), std::string(10148, '\0'));
}

TEST(WeightSegment, MayBeEmpty) {
  const test::TemporaryFolder folder;
  const std::string program = package(folder, {});
  EXPECT_EQ(test::run({program})->output, "0 0\n");
}

TEST(WeightSegment, MayBeLargerThanFourGigabytes) {
  const test::TemporaryFolder folder;
  const uint64_t size = (uint64_t{4} << 30) + 300 * 1024 * 1024 + 5;
  const uint64_t marks[] = {0, (uint64_t{4} << 30) - 3, size - 6}; // where "marked" stands
  // Zeros of the system, which take no memory, but for the pages of the marks.
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  madvise(memory, size, MADV_HUGEPAGE);
  for (const uint64_t mark : marks)
    std::memcpy(static_cast<char *>(memory) + mark, "marked", 6);
  const link::SegmentPart parts[] = {std::span(static_cast<const std::byte *>(memory), size), bytesOf("tokenizer")};
  const std::string program = package(folder, parts);
  for (const uint64_t mark : marks)
    EXPECT_EQ(segmentBytes(program, mark, 6), "marked");
  EXPECT_EQ(segmentBytes(program, size / 2, 3), std::string(3, '\0'));
  EXPECT_EQ(segmentBytes(program, (size + 63) / 64 * 64, 9), "tokenizer");
  struct stat status;
  ASSERT_EQ(stat(program.c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 64 * 1024 * 1024) << "zeros are holes";
  munmap(memory, size);
}

TEST(WeightSegment, TellsItsProgress) {
  const test::TemporaryFolder folder;
  const auto program = io::MappedFile::open(test::linkProgram(folder, "linked"));
  auto output = io::AtomicFile::create(folder / "program");
  const std::string weights(5 * 1024 * 1024, 'w');
  const link::SegmentPart parts[] = {bytesOf(weights), bytesOf("info")};
  std::vector<uint64_t> written;
  ASSERT_TRUE(link::writeExecutable(*program, parts, *output, [&](uint64_t bytes) { written.push_back(bytes); }));
  EXPECT_THAT(written, testing::ElementsAre(4 * 1024 * 1024, 5 * 1024 * 1024, 5 * 1024 * 1024 + 4));
}

/// What writeExecutable says of a program with these bytes.
std::string refusal(std::string_view bytes) {
  const test::TemporaryFolder folder;
  const auto program = io::MappedFile::open(folder.write("linked", bytes));
  auto output = io::AtomicFile::create(folder / "program");
  const Status written = link::writeExecutable(*program, {}, *output);
  return written ? "" : written.error().message;
}

TEST(WeightSegment, RefusesWhatIsNoExecutable) {
  EXPECT_THAT(refusal(""), HasSubstr("linked: 64 bytes at 0 are wanted, the file has 0"));
  EXPECT_THAT(refusal(std::string(1000, 'x')),
              HasSubstr("linked: not a linked 64-bit little endian executable at a fixed address"));
  const test::TemporaryFolder folder;
  test::linkProgram(folder);
  const std::string whole = folder.read("program");
  EXPECT_THAT(refusal(whole.substr(0, 100)), HasSubstr("linked"));
}

} // namespace
} // namespace halftone
