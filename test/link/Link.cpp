// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/link/Link.h"

#include "test/link/Program.h"

#include <gmock/gmock.h>

namespace halftone {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Link, MakesAProgramThatRunsAlone) {
  const test::TemporaryFolder folder;
  const std::string program = test::linkProgram(folder);
  const auto outcome = test::run({program});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->status, 0);
}

TEST(Link, KeepsSymbolsAndDropsWhatNobodyReaches) {
  const test::TemporaryFolder folder;
  test::linkProgram(folder);
  const std::vector<std::string> symbols = test::definedSymbols(folder.read("program"));
  EXPECT_THAT(symbols, Contains("halftone_test_find")); // local, and kept
  EXPECT_THAT(symbols, Contains("main"));
  EXPECT_THAT(symbols, Not(Contains("halftone_test_unreached")));
}

TEST(Link, GivesTheSameBytesInAnotherFolder) {
  const test::TemporaryFolder first, second;
  test::linkProgram(first);
  test::linkProgram(second, "another");
  EXPECT_EQ(first.read("program"), second.read("another"));
}

TEST(Link, NamesNoFolder) {
  const test::TemporaryFolder folder;
  test::linkProgram(folder);
  EXPECT_THAT(folder.read("program"), Not(HasSubstr(folder.path)));
  const std::string object = SEGMENT_OBJECT;
  EXPECT_THAT(folder.read("program"), Not(HasSubstr(object.substr(0, object.rfind('/')))));
}

TEST(Link, SaysWhichSymbolIsMissingAndCanGoOn) {
  const test::TemporaryFolder folder;
  const std::string runtime = test::makeRuntimeFolder(folder);
  const link::LinkOptions options = {{}, runtime, folder / "program"};
  for (int time = 0; time < 2; ++time) { // lld's state of the first call is gone
    const Status linked = link::linkExecutable(options);
    ASSERT_FALSE(linked);
    EXPECT_THAT(linked.error().message,
                StartsWith("cannot link " + options.output + ": undefined symbol: main; referenced by"));
    EXPECT_THAT(linked.error().message, Not(HasSubstr("\n")));
  }
  test::linkProgram(folder);
}

TEST(Link, RefusesWhatIsNoObject) {
  const test::TemporaryFolder folder;
  const std::string runtime = test::makeRuntimeFolder(folder);
  const std::string object = folder.write("model.o", "no object");
  const Status linked = link::linkExecutable({{object}, runtime, folder / "program"});
  ASSERT_FALSE(linked);
  EXPECT_THAT(linked.error().message, HasSubstr("model.o"));
}

TEST(Link, NeedsARuntime) {
  const test::TemporaryFolder folder;
  const Status absent = link::linkExecutable({{SEGMENT_OBJECT}, folder / "nowhere", folder / "program"});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message,
              HasSubstr("nowhere: cannot list the runtime's archives: No such file or directory"));
  const Status empty = link::linkExecutable({{SEGMENT_OBJECT}, folder.path, folder / "program"});
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().message, HasSubstr("no archive of the runtime there"));
}

TEST(Link, SaysWhenTheOutputCannotBeWritten) {
  const test::TemporaryFolder folder;
  const std::string runtime = test::makeRuntimeFolder(folder);
  const Status linked = link::linkExecutable({{SEGMENT_OBJECT}, runtime, folder / "nowhere/program"});
  ASSERT_FALSE(linked);
  EXPECT_THAT(linked.error().message, HasSubstr("nowhere/program"));
}

} // namespace
} // namespace halftone
