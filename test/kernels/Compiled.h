// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of `lowbit` operations, compiled and loaded into this process.
#pragma once

#include "test/kernels/Memory.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

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
};

/// The oracle on the plainest processor.
inline Way referenceWay() { return {.target = "x86-64", .reference = true}; }

/// Why this processor cannot run code for `way`, or nothing.
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
  ~Compiled();

  /// Calls a function with its arguments in order: its tensors and numbers, then a tensor for each result. `threads`
  /// threads share the work; `cache` holds the module's caches.
  void call(const std::string &function, const std::vector<Argument> &arguments, int threads = 1,
            void *cache = nullptr);

  /// Memory for the caches of the module with at least `positions` positions, all NaN.
  Memory makeCache(int64_t positions) const;

private:
  Compiled();
  std::unique_ptr<llvm::orc::LLJIT> jit;
  Memory weights, arena;
  int64_t cacheBytes = 0, cachePositions = 1;
};

} // namespace halftone::test
