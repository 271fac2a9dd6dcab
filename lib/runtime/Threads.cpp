// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// POSIX threads, and the barrier that generated code calls.
#include "lib/runtime/Threads.h"

#include "lib/io/SystemError.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sched.h>

namespace halftone::runtime {

/// Looks at a signal before sleeping: about 100 microseconds of an x86 processor's pauses, longer than the gap between
/// two kernels and shorter than a person notices. With more threads than processors, spinning only takes time from
/// those who have work.
static constexpr int spinsAlone = 2000, spinsCrowded = 20;

int64_t availableProcessors() {
  // The kernel refuses a set smaller than its own, so grow until it fits.
  for (int processors = 1024; processors <= 1 << 20; processors *= 2) {
    cpu_set_t *set = CPU_ALLOC(processors);
    const size_t bytes = CPU_ALLOC_SIZE(processors);
    const bool known = set && sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0)
      return count;
  }
  return 1;
}

Team::Team(int64_t threads) : count(threads), spins(threads <= availableProcessors() ? spinsAlone : spinsCrowded) {
  workers.reserve(threads - 1); // each worker keeps the address of its entry
}

Expected<std::unique_ptr<Team>> Team::create(int64_t threads) {
  std::unique_ptr<Team> team(new Team(std::clamp<int64_t>(threads, 1, mostThreads)));
  // Signals are the creator's: workers inherit a mask that blocks them all.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Status started;
  for (int64_t thread = 1; thread < team->count && started; ++thread)
    started = team->start(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started)
    return started.error();
  return team;
}

Status Team::start(int64_t thread) {
  Worker &worker = workers.emplace_back(Worker{this, thread, {}});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes);
  const int code = pthread_create(&worker.handle, &attributes, enter, &worker);
  pthread_attr_destroy(&attributes);
  if (code == 0)
    return {};
  workers.pop_back();
  return io::systemError("thread " + std::to_string(thread + 1) + " of " + std::to_string(count), "start", code);
}

Team::~Team() {
  function = nullptr;
  calls.advance();
  for (Worker &worker : workers)
    pthread_join(worker.handle, nullptr);
}

void *Team::enter(void *worker) {
  static_cast<Worker *>(worker)->team->work(static_cast<Worker *>(worker)->thread);
  return nullptr;
}

void Team::work(int64_t thread) {
  for (uint32_t call = 0;; ++call) {
    calls.waitWhile(call, spins);
    if (!function)
      return;
    function(argument, thread);
    done.wait(static_cast<uint32_t>(count), spins);
  }
}

void Team::run(Function newFunction, void *newArgument) {
  function = newFunction;
  argument = newArgument;
  if (profile)
    profile->begin();
  if (count > 1)
    calls.advance();
  function(argument, 0);
  if (count > 1)
    done.wait(static_cast<uint32_t>(count), spins);
}

void Team::barrier(int64_t participants, int64_t site) {
  if (participants > 1 && !within.arrive(static_cast<uint32_t>(participants), spins))
    return;
  if (profile) // the others wait: the time is the slowest thread's
    profile->end(site);
  if (participants > 1)
    within.release();
}

} // namespace halftone::runtime

extern "C" void halftone_barrier(void *team, int64_t threads, int64_t site) {
  if (team)
    static_cast<halftone::runtime::Team *>(team)->barrier(threads, site);
}
