// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts what was compared: a test that silently shrank would show here.
#include "test/kernels/Compare.h"

#include <cstdio>

namespace halftone::test {

Tally &tally() {
  static Tally tally;
  return tally;
}

namespace {
class Report : public testing::Environment {
public:
  void TearDown() override {
    const testing::UnitTest &test = *testing::UnitTest::GetInstance();
    std::printf(
        "kernels: %lld cases, %lld values compared, %lld of them the same bits, the others within %.2f of their "
        "bounds; %d tests skipped\n",
        static_cast<long long>(tally().cases), static_cast<long long>(tally().values),
        static_cast<long long>(tally().exact), tally().largestPart, test.skipped_test_count());
  }
};
const auto *const report = testing::AddGlobalTestEnvironment(new Report);
} // namespace

} // namespace halftone::test
