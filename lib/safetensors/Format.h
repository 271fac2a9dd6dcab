// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a file may hold besides tensors, and how much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace halftone::safetensors {

/// The Python package's own limit.
inline constexpr uint64_t mostHeaderBytes = 100'000'000;
/// More than any file has: offsets in files are signed.
inline constexpr uint64_t mostDataBytes = uint64_t{1} << 62;
/// As many as NumPy 2 knows.
inline constexpr size_t mostDimensions = 64;

/// Strings that are not about one tensor, and what stands before them in the place of a tensor's name.
using Metadata = std::map<std::string, std::string>;
inline constexpr std::string_view metadataKey = "__metadata__";

} // namespace halftone::safetensors
