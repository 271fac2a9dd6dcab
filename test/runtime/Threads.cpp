// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The team and its barrier: every thread runs, none runs ahead, with more threads than processors, too.
#include "lib/runtime/Threads.h"

#include "halftone/model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <unistd.h>

using namespace halftone;
using namespace halftone::runtime;

namespace {

/// What the threads of a barrier test share: each writes its own slot in a round, all read all slots after the barrier.
struct Rounds {
  Team *team;
  int64_t rounds;
  std::vector<int64_t> slots; // plain memory: the barrier alone must order it
  std::atomic<int64_t> wrong = 0;
};

void runRounds(void *argument, int64_t thread) {
  auto &shared = *static_cast<Rounds *>(argument);
  const int64_t threads = shared.team->threads();
  for (int64_t round = 1; round <= shared.rounds; ++round) {
    shared.slots[thread] = round;
    halftone_barrier(shared.team, threads, -1);
    for (int64_t other = 0; other < threads; ++other)
      shared.wrong += shared.slots[other] != round;
    halftone_barrier(shared.team, threads, -1);
  }
}

class TeamOf : public testing::TestWithParam<int64_t> {};

} // namespace

TEST_P(TeamOf, NoThreadPassesABarrierBeforeAllArrived) {
  auto team = Team::create(GetParam());
  ASSERT_TRUE(team) << team.error().message;
  ASSERT_EQ((*team)->threads(), GetParam());
  Rounds shared{team->get(), 10000, std::vector<int64_t>(GetParam())};
  (*team)->run(runRounds, &shared);
  EXPECT_EQ(shared.wrong, 0);
}

TEST_P(TeamOf, EveryCallRunsOnceOnEachThreadAndIsOverWhenRunReturns) {
  auto team = Team::create(GetParam());
  ASSERT_TRUE(team);
  std::vector<int64_t> calls(GetParam());
  for (int64_t call = 1; call <= 2000; ++call) {
    (*team)->run([](void *argument, int64_t thread) { ++(*static_cast<std::vector<int64_t> *>(argument))[thread]; },
                 &calls);
    ASSERT_EQ(calls, std::vector<int64_t>(GetParam(), call));
  }
}

TEST_P(TeamOf, WorksAgainAfterItFellAsleep) {
  auto team = Team::create(GetParam());
  ASSERT_TRUE(team);
  for (int call = 0; call < 5; ++call) {
    usleep(20000); // far beyond the spinning
    Rounds shared{team->get(), 10, std::vector<int64_t>(GetParam())};
    (*team)->run(runRounds, &shared);
    EXPECT_EQ(shared.wrong, 0);
  }
}

TEST(Team, SleepersWakeWhenOneThreadIsLate) {
  auto team = Team::create(4);
  ASSERT_TRUE(team);
  struct Shared {
    Team *team;
    std::atomic<int64_t> passed = 0, early = 0;
    std::atomic<bool> arrived = false;
  } shared{team->get()};
  (*team)->run(
      [](void *argument, int64_t thread) {
        auto &shared = *static_cast<Shared *>(argument);
        if (thread == 2) {
          usleep(50000);
          shared.arrived = true;
        }
        halftone_barrier(shared.team, 4, -1);
        shared.early += !shared.arrived;
        ++shared.passed;
      },
      &shared);
  EXPECT_EQ(shared.passed, 4);
  EXPECT_EQ(shared.early, 0);
}

TEST_P(TeamOf, TellsWhichKernelsEndAndWhen) {
  auto team = Team::create(GetParam());
  ASSERT_TRUE(team);
  Profile profile(3);
  (*team)->tell(&profile);
  const auto phase = [](void *argument, int64_t thread) {
    auto &of = *static_cast<Team *>(argument);
    halftone_barrier(argument, of.threads(), 0);
    if (thread == of.threads() - 1)
      usleep(5000); // the slowest thread counts, whichever that is
    halftone_barrier(argument, of.threads(), 2);
    halftone_barrier(argument, of.threads(), -1);
    halftone_barrier(argument, of.threads(), 3);
  };
  (*team)->run(phase, team->get());
  (*team)->run(phase, team->get());
  (*team)->tell(nullptr);
  (*team)->run(phase, team->get());
  const auto &entries = profile.entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].calls, 2);
  EXPECT_EQ(entries[1].calls, 0);
  EXPECT_EQ(entries[2].calls, 2);
  EXPECT_GE(entries[2].seconds, 0.01);
  EXPECT_EQ(entries[1].seconds, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, TeamOf, testing::Values(1, 2, 4, 8));

// Half the stack, its ends touched.
__attribute__((noinline)) static int64_t useStack() {
  volatile char block[Team::stackBytes / 2];
  block[0] = 1;
  block[sizeof block - 1] = 2;
  return block[0] + block[sizeof block - 1];
}

TEST(Team, WorkersHaveDeepStacks) {
  auto team = Team::create(2);
  ASSERT_TRUE(team);
  int64_t sum = 0;
  (*team)->run(
      [](void *argument, int64_t thread) {
        if (thread == 1)
          *static_cast<int64_t *>(argument) = useStack();
      },
      &sum);
  EXPECT_EQ(sum, 3);
}

TEST(Team, ThereAreProcessors) { EXPECT_GE(availableProcessors(), 1); }
