// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weight segment as an object file, for programs that link a model in.
#pragma once

#include "lib/link/WeightSegment.h"

#include <string>

namespace halftone::link {

/// Writes a relocatable object to `output` that holds `parts` in one read-only section and nothing else, streamed, and a
/// hidden symbol `symbol` at its start. For x86-64 the section is large data (.lrodata), which may lie farther than code
/// reaches with 32 bits. `like` is an object for the machine. Does not commit `output`.
Status writeWeightObject(const io::MappedFile &like, std::span<const SegmentPart> parts, const std::string &symbol,
                         io::AtomicFile &output, const SegmentProgress &progress = {});

} // namespace halftone::link
