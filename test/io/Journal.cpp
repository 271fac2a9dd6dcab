// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Results are kept whole or not at all.
#include "lib/io/Journal.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace halftone;
using io::Journal;

namespace {

const std::string fingerprint(64, 'a'), other(64, 'b');

std::vector<std::byte> bytesOf(const std::string &text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

class JournalTest : public testing::Test {
protected:
  JournalTest() : folder(testing::TempDir() + "journal.work") { std::filesystem::remove_all(folder); }
  ~JournalTest() override { std::filesystem::remove_all(folder); }

  /// A journal with the results "one" and "two", closed again.
  void write() const {
    Expected<Journal> journal = Journal::open(folder, fingerprint);
    ASSERT_TRUE(journal) << journal.error().message;
    ASSERT_TRUE(journal->append("one", bytesOf("first")));
    ASSERT_TRUE(journal->append("two", bytesOf("second")));
  }

  size_t sizeWith(const std::string &fingerprint) const {
    Expected<Journal> journal = Journal::open(folder, fingerprint);
    return journal ? journal->size() : SIZE_MAX;
  }

  const std::string folder;
};

TEST_F(JournalTest, KeepsWhatWasAppended) {
  write();
  Expected<Journal> journal = Journal::open(folder, fingerprint);
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->size(), 2u);
  EXPECT_EQ(*journal->read("one"), bytesOf("first"));
  EXPECT_EQ(*journal->read("two"), bytesOf("second"));
  EXPECT_FALSE(journal->contains("three"));
  ASSERT_TRUE(journal->append("three", {}));
  EXPECT_TRUE(journal->read("three")->empty());
}

TEST_F(JournalTest, ForgetsTheResultsOfOtherWork) {
  write();
  EXPECT_EQ(sizeWith(other), 0u);
}

TEST_F(JournalTest, DropsARecordThatWasCutOffAnywhere) {
  constexpr uint64_t secondRecord = 16 + 3 + 6 + 64; // header, name, bytes, hash
  for (uint64_t missing = 1; missing <= secondRecord; ++missing) {
    std::filesystem::remove_all(folder);
    write();
    const std::string path = folder + "/journal";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - missing);
    EXPECT_EQ(sizeWith(fingerprint), 1u) << missing;
  }
}

TEST_F(JournalTest, DropsARecordWithAWrongByteAndAllAfterIt) {
  write();
  std::fstream file(folder + "/journal", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end); // in the last hash
  file.put('?');
  file.close();
  EXPECT_EQ(sizeWith(fingerprint), 1u);
}

TEST_F(JournalTest, BelongsToOneProgramAtATime) {
  Expected<Journal> first = Journal::open(folder, fingerprint);
  ASSERT_TRUE(first && first->append("one", bytesOf("first")));
  Expected<Journal> second = Journal::open(folder, fingerprint);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->size(), 0u);
  EXPECT_TRUE(second->append("two", bytesOf("second")));
  EXPECT_EQ(second->size(), 0u);
}

TEST_F(JournalTest, LeavesNothingWhenItIsRemovedOrEmpty) {
  {
    Expected<Journal> empty = Journal::open(folder, fingerprint);
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  write();
  Expected<Journal> journal = Journal::open(folder, fingerprint);
  journal->remove();
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(JournalTest, SaysWhereItCannotBe) {
  const Expected<Journal> journal = Journal::open("/proc/nowhere", fingerprint);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().message.find("/proc/nowhere: cannot make the folder"), 0u) << journal.error().message;
}

} // namespace
