// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module's machine code, loaded somewhere.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace halftone::test {

/// What a function is called with after bind-memory and plan-memory. All are of the integer class, and a caller may
/// pass more of them than the callee reads.
struct Call {
  const void *weights;
  void *cache, *arena;
  std::array<int64_t, 6> own;
};

class Code {
public:
  virtual ~Code() = default;
  /// Calls `function` on `threads` threads, which share its work. Fails the test when there is none of that name.
  virtual void call(const std::string &function, const Call &call, int threads) = 0;
};

/// An object file's functions, in this process. Fails the test and gives null when they cannot be loaded.
std::unique_ptr<Code> loadHere(std::span<const char> object);

/// An object file's functions, in a process of another family of processors.
std::unique_ptr<Code> loadEmulated(std::span<const char> object, const std::string &family);

/// What is missing to run code of that family: an emulator or what programs are linked from; or nothing.
std::string whatIsMissing(const std::string &family);

} // namespace halftone::test
