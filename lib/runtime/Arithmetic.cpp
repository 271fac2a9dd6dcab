// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that the compiler generated beside the kernels.
#include "lib/runtime/Arithmetic.h"

#include "lib/runtime/Clock.h"

#include <algorithm>

namespace halftone::runtime {

/// Long enough for the clock and for the start of threads not to count; short enough to stand beside each run.
static constexpr double secondsOfRun = 0.02;

Expected<ArithmeticProbe> ArithmeticProbe::create(const halftone_probe *probes, int64_t threads) {
  Expected<Memory> memory =
      Memory::allocate(static_cast<uint64_t>(threads) * HALFTONE_PROBE_BYTES, "memory to multiply");
  if (!memory)
    return memory.error();
  Expected<std::unique_ptr<Team>> team = Team::create(threads);
  if (!team)
    return team.error();
  ArithmeticProbe result(std::move(*memory), std::move(*team));
  for (; probes->instruction; ++probes) {
    result.instructions.push_back({probes});
    result.found.push_back({probes->instruction, {}});
  }
  return result;
}

namespace {
/// A call of a probe by every thread.
struct Call {
  const halftone_probe *probe;
  std::byte *memory;
  int64_t iterations;
};
} // namespace

static void runShare(void *argument, int64_t thread) {
  const Call &call = *static_cast<const Call *>(argument);
  call.probe->run(call.memory + thread * HALFTONE_PROBE_BYTES, call.iterations);
}

double ArithmeticProbe::seconds(const halftone_probe &probe, int64_t iterations) {
  Call call{&probe, static_cast<std::byte *>(memory.data()), iterations};
  const double before = now();
  team->run(runShare, &call);
  return now() - before;
}

void ArithmeticProbe::measure() {
  for (size_t i = 0; i < instructions.size(); ++i) {
    auto &[probe, iterations] = instructions[i];
    if (iterations == 0) { // finding out warms up, too
      double last = 0;
      for (iterations = 1024; (last = seconds(*probe, iterations)) < secondsOfRun / 4;)
        iterations *= 2;
      iterations = std::max<int64_t>(static_cast<int64_t>(static_cast<double>(iterations) * secondsOfRun / last), 1);
    }
    const double operations =
        static_cast<double>(probe->operations) * static_cast<double>(iterations) * static_cast<double>(team->threads());
    found[i].operations.push_back(operations / seconds(*probe, iterations));
  }
}

} // namespace halftone::runtime
