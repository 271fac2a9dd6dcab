// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations in memory and in a work file: the same values back, and every failure named.
#include "lib/calibrate/SpillFile.h"

#include "test/io/InChild.h"
#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>

#include <csignal>
#include <sys/resource.h>
#include <thread>

using namespace halftone;
using namespace halftone::calibrate;
using halftone::test::inChild;
using halftone::test::mountSmallDisk;
using halftone::test::TemporaryFolder;
using testing::IsEmpty;

static constexpr int64_t channels = 3;
static const std::vector<int64_t> tokens = {4, 1, 0, 7};

static SpillFile create(const std::string &path, uint64_t memory) {
  Expected<SpillFile> file = SpillFile::create(path, tokens, channels, memory);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    std::abort();
  }
  return std::move(*file);
}

static std::vector<float> valuesOf(int64_t sequence, float first = 0) {
  std::vector<float> values(tokens[sequence] * channels);
  for (float &value : values)
    value = first++ + 100.0f * static_cast<float>(sequence);
  return values;
}

static std::vector<float> read(const SpillFile &file, int64_t sequence) {
  std::vector<float> values(file.tokens(sequence) * file.channels());
  const Status done = file.read(sequence, values);
  EXPECT_TRUE(done) << done.error().message;
  return values;
}

TEST(SpillFile, KeepsTheFirstSequencesThatFit) {
  TemporaryFolder folder;
  struct {
    uint64_t memory, kept;
  } cases[] = {{0, 0}, {47, 0}, {48, 48}, {60, 60}, {143, 60}, {144, 144}, {1 << 20, 144}};
  for (const auto &[memory, kept] : cases) {
    const SpillFile file = create(folder / "a", memory);
    EXPECT_EQ(file.bytesInMemory(), kept) << memory;
    EXPECT_EQ(file.bytesInFile(), 144 - kept) << memory;
  }
}

TEST(SpillFile, GivesBackWhatWasWrittenLast) {
  TemporaryFolder folder;
  for (const uint64_t memory : {0, 50, 1000}) {
    SpillFile file = create(folder / "a", memory);
    EXPECT_EQ(file.sequences(), 4);
    EXPECT_EQ(file.channels(), channels);
    for (const int64_t sequence : {3, 0, 2, 1})
      ASSERT_TRUE(file.write(sequence, valuesOf(sequence, 7)));
    ASSERT_TRUE(file.write(1, valuesOf(1)));
    ASSERT_TRUE(file.write(3, valuesOf(3)));
    const SpillFile moved = std::move(file);
    EXPECT_EQ(read(moved, 0), valuesOf(0, 7));
    EXPECT_EQ(read(moved, 1), valuesOf(1));
    EXPECT_THAT(read(moved, 2), IsEmpty());
    EXPECT_EQ(read(moved, 3), valuesOf(3));
  }
}

TEST(SpillFile, HasNoName) {
  TemporaryFolder folder;
  folder.write("a", "left over by a program that was killed");
  const SpillFile file = create(folder / "a", 0);
  EXPECT_THAT(folder.list(), IsEmpty());
  const SpillFile inMemory = create(folder / "nowhere/b", 1000);
}

TEST(SpillFile, ThreadsMayUseDifferentSequences) {
  TemporaryFolder folder;
  const std::vector<int64_t> many(64, 50);
  Expected<SpillFile> file = SpillFile::create(folder / "a", many, 20, 30 * 4000);
  ASSERT_TRUE(file) << file.error().message;
  const auto run = [&](int64_t first) {
    for (int round = 0; round < 3; ++round)
      for (int64_t sequence = first; sequence < 64; sequence += 4) {
        std::vector<float> values(1000, static_cast<float>(sequence * 10 + round));
        ASSERT_TRUE(file->write(sequence, values));
        std::vector<float> back(1000);
        ASSERT_TRUE(file->read(sequence, back));
        ASSERT_EQ(back, values);
      }
  };
  std::vector<std::thread> threads;
  for (int64_t thread = 0; thread < 4; ++thread)
    threads.emplace_back(run, thread);
  for (std::thread &thread : threads)
    thread.join();
}

TEST(SpillFile, SaysWhyNot) {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  EXPECT_EQ(SpillFile::create(folder / "nowhere/a", tokens, channels, 0).error().message,
            folder / "nowhere/a" + ": cannot create: No such file or directory");
  SpillFile file = create(path, 50);
  for (const int64_t sequence : {0, 3}) { // in memory and in the file
    const std::string name = path + ": sequence " + std::to_string(sequence);
    std::vector<float> values = valuesOf(sequence);
    EXPECT_EQ(file.read(sequence, values).error().message, name + " is read before it was written");
    const std::string count = std::to_string(values.size());
    values.push_back(1);
    EXPECT_EQ(file.write(sequence, values).error().message,
              name + " has " + count + " values, " + std::to_string(values.size()) + " are given");
    EXPECT_EQ(file.read(sequence, std::span(values).first(1)).error().message,
              name + " has " + count + " values, 1 are given");
  }
}

TEST(SpillFile, AFullDiskIsAnErrorBeforeTheWork) {
  TemporaryFolder folder;
  const std::string message = inChild([&]() -> std::string {
    if (!mountSmallDisk(folder.path, "64k"))
      return "skip";
    const Expected<SpillFile> file = SpillFile::create(folder / "a", std::vector<int64_t>{1 << 20}, channels, 0);
    return file ? "no error" : file.error().message;
  });
  if (message == "skip")
    GTEST_SKIP() << "this system does not let the test mount a small disk";
  EXPECT_EQ(message, folder / "a" + ": cannot reserve 12582912 bytes: No space left on device");
}

/// From now on no file of this process may grow beyond `bytes`; the system says so instead of ending the program.
static void limitFileSize(rlim_t bytes) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {bytes, bytes};
  setrlimit(RLIMIT_FSIZE, &limit);
}

TEST(SpillFile, AFailingWriteNamesItsOffset) {
  TemporaryFolder folder;
  const std::string message = inChild([&]() -> std::string {
    SpillFile file = create(folder / "a", 0);
    limitFileSize(100);
    const Status first = file.write(0, valuesOf(0)), last = file.write(3, valuesOf(3));
    return !first ? first.error().message : last ? "no error" : last.error().message;
  });
  // Sequence 3 begins behind 4 + 1 + 0 tokens of 12 bytes: of its 84 bytes 40 fit.
  EXPECT_EQ(message, folder / "a" + ": cannot write 44 bytes at 100: File too large");
}
