// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-256 [FIPS 180-4]: names the bytes a binary was compiled from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace halftone::io {

/// A hash under construction: feed bytes in pieces of any size, then finish once.
class Sha256 {
public:
  void update(std::span<const std::byte> bytes);
  std::array<uint8_t, 32> finish();

private:
  void compress(const std::byte *block);

  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending;
  uint64_t length = 0; // bytes fed so far; the last length % 64 of them are pending
};

/// The hash of `bytes` as 64 lower case hexadecimal digits.
std::string sha256Hex(std::span<const std::byte> bytes);

} // namespace halftone::io
