// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weight segment: where the kernel put it when it loaded this program.
#pragma once

#include "lib/io/Result.h"
#include "lib/runtime/Facts.h"

#include <cstddef>
#include <elf.h>
#include <span>
#include <string_view>

namespace halftone::runtime {

/// The bytes behind the last PT_LOAD entry of this program's headers, found through the auxiliary vector: no file is
/// opened, so an empty root is enough. Fails when the headers are not there, when the segment has not `expectedBytes`,
/// and when its end is missing from the file (reading it would be a bus error).
Expected<std::span<const std::byte>> findWeights(int64_t expectedBytes);

/// The same for given headers. \param loadBias what the system added to the addresses in them: 0 at a fixed address.
Expected<std::span<const std::byte>> lastSegment(std::span<const Elf64_Phdr> headers, uint64_t loadBias);

/// Reads them into memory and keeps them there. Fails, saying what the system allows, when it does not allow so much.
Status lockWeights(std::span<const std::byte> weights);

/// Parts of a segment that was checked against `facts`.
std::string_view tokenizerBytes(std::span<const std::byte> segment, const Facts &facts);
std::string_view infoText(std::span<const std::byte> segment, const Facts &facts);

} // namespace halftone::runtime
