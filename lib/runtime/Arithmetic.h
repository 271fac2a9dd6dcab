// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast this machine multiplies: the limit of prefill, which uses each weight for many tokens.
#pragma once

#include "lib/runtime/Facts.h"
#include "lib/runtime/Memory.h"
#include "lib/runtime/Threads.h"

#include <string_view>
#include <vector>

namespace halftone::runtime {

/// What an instruction gave, one value a measurement.
struct Peak {
  std::string_view instruction;
  std::vector<double> operations; ///< multiplications and additions per second, of all threads
};

/// The dot instructions that a model's kernels use, each run by some threads on operands in their first caches.
class ArithmeticProbe {
public:
  /// \param probes of the variant in use; a null instruction ends them. Fails when memory or threads cannot be had.
  static Expected<ArithmeticProbe> create(const halftone_probe *probes, int64_t threads);

  /// Runs each instruction for about 20 ms and adds what it gave to its peak.
  void measure();
  const std::vector<Peak> &peaks() const { return found; }

private:
  struct Instruction {
    const halftone_probe *probe;
    int64_t iterations = 0; ///< that take about 20 ms; 0: not known yet
  };
  ArithmeticProbe(Memory memory, std::unique_ptr<Team> team) : memory(std::move(memory)), team(std::move(team)) {}
  double seconds(const halftone_probe &probe, int64_t iterations);

  Memory memory; // a piece for each thread
  std::unique_ptr<Team> team;
  std::vector<Instruction> instructions;
  std::vector<Peak> found;
};

} // namespace halftone::runtime
