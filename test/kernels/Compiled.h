// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of `lowbit` operations, compiled and loaded into this process, or one that emulates another processor.
#pragma once

#include "test/kernels/Code.h"
#include "test/kernels/Memory.h"

#include <future>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace halftone::test {

/// A way through the lower and codegen stages.
struct Way {
  /// As --target spells it.
  std::string target;
  /// The width of vectors, when not the target's own.
  int64_t vector = 0;
  /// The oracle: one kernel per operation, lowered to plain loops.
  bool reference = false;

  std::string name() const;
  /// The name as gtest allows it.
  std::string identifier() const;
};

inline void PrintTo(const Way &way, std::ostream *out) { *out << way.name(); }

/// The oracle on the plainest processor.
inline Way referenceWay() { return {.target = "x86-64", .reference = true}; }

/// What is missing to run code for `way` here, or nothing.
std::string whatIsMissing(const Way &way);

/// Whether code for `way` has fused multiply-adds.
bool canFuse(const Way &way);

/// What a function takes after its context: the address of a tensor or a number.
struct Argument {
  Argument(const void *address) : bits(reinterpret_cast<intptr_t>(address)) {}
  Argument(int64_t number) : bits(number) {}
  int64_t bits;
};

class Compiled {
public:
  /// Compiles the functions of `text`. Fails the test and gives null when that does not work. Several compilations may
  /// run at once.
  static std::unique_ptr<Compiled> compile(const std::string &text, const Way &way);

  /// Calls a function with its arguments in order: its tensors and numbers, then a tensor for each result. `threads`
  /// threads share the work; `cache` holds the module's caches.
  void call(const std::string &function, const std::vector<Argument> &arguments, int threads = 1,
            void *cache = nullptr);

  /// Memory for the caches of the module with at least `positions` positions, all NaN.
  Memory makeCache(int64_t positions) const;

private:
  std::unique_ptr<Code> code;
  Memory weights, arena;
  int64_t cacheBytes = 0, cachePositions = 1;
};

/// The functions of `text` as the assembly of `way`, which this processor need not have.
std::string assemble(const std::string &text, const Way &way);

/// The ways that every kernel is compared on.
const std::vector<Way> &allWays();

/// A module compiled on every way that this processor has, side by side.
class EveryWay {
public:
  /// Begins to compile on those of `ways` that this processor has.
  void start(const std::string &text, const std::vector<Way> &ways = allWays());
  /// Waits for the module on `way`, which the processor has; null when it could not be compiled.
  Compiled *on(const Way &way) const { return modules.at(way.name()).get().get(); }

private:
  std::map<std::string, std::shared_future<std::shared_ptr<Compiled>>> modules;
};

} // namespace halftone::test
