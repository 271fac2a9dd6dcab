// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an emitted executable says of itself, read from its file: it may be for another processor.
#pragma once

#include "lib/io/MappedFile.h"

#include <string_view>

namespace halftone::link {

/// The section of the constant halftone_facts, by which tools find it in a stripped program too.
inline constexpr char factsSection[] = ".halftone.facts";

/// The JSON in the weight segment of `program`, valid as long as the file is mapped. Fails, naming the file, when it is
/// no executable of ours, or damaged.
Expected<std::string_view> readInfo(const io::MappedFile &program);

} // namespace halftone::link
