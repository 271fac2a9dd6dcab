// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The team of threads that runs a model's phases: started once, each call split statically among them.
#pragma once

#include "lib/io/Result.h"
#include "lib/runtime/Barrier.h"
#include "lib/runtime/Profile.h"

#include <cstdint>
#include <memory>
#include <pthread.h>
#include <vector>

namespace halftone::runtime {

/// Processors this process may run on.
int64_t availableProcessors();

/// A fixed number of threads, the creator being thread 0. Between calls the others spin for a moment, then sleep.
class Team {
public:
  static constexpr int64_t mostThreads = 1024;
  /// Each thread's stack, reserved as address space; pages are used as they are touched.
  static constexpr size_t stackBytes = size_t(64) << 20;

  using Function = void (*)(void *argument, int64_t thread);

  /// Starts `threads` - 1 threads; 1 <= threads <= mostThreads. Fails when the system refuses one.
  static Expected<std::unique_ptr<Team>> create(int64_t threads);
  ~Team();

  int64_t threads() const { return count; }
  /// Calls `function(argument, thread)` on every thread at once and returns when all are done. Only for the creator's
  /// thread.
  void run(Function function, void *argument);
  /// For threads within run(): returns once `participants` of them have called it at the end of kernel number `site`.
  void barrier(int64_t participants, int64_t site);
  /// Whom barriers tell; null: nobody. Not within run().
  void tell(Profile *newProfile) { profile = newProfile; }

private:
  struct Worker {
    Team *team;
    int64_t thread;
    pthread_t handle;
  };
  explicit Team(int64_t threads);
  Status start(int64_t thread);
  static void *enter(void *worker);
  void work(int64_t thread);

  int64_t count;
  int spins;
  std::vector<Worker> workers;
  Function function = nullptr; // of the current call; null ends the workers
  void *argument = nullptr;
  Profile *profile = nullptr;
  Signal calls;
  Barrier done, within;
};

} // namespace halftone::runtime
