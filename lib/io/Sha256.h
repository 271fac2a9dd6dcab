// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-256 [FIPS 180-4]: names the bytes a binary was compiled from.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace halftone::io {

/// A hash under construction: feed bytes in pieces of any size, then finish once.
class Sha256 {
public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  /// 64 lower case hexadecimal digits.
  std::string finish();

private:
  struct Free {
    void operator()(evp_md_ctx_st *context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context;
};

/// The hash of `bytes`.
std::string sha256Hex(std::span<const std::byte> bytes);

} // namespace halftone::io
