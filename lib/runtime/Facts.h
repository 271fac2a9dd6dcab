// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The facts of the model linked into this program, checked.
#pragma once

#include "halftone/model.h"
#include "lib/io/Result.h"

namespace halftone::runtime {

/// The C struct under a name of its own: in C++ its name is also that of the variable.
using Facts = struct ::halftone_facts;
using Variant = ::halftone_variant;

/// Checks what the runtime relies on: the ABI, positive sizes, tokenizer and info inside the segment.
Status checkFacts(const Facts &facts);

} // namespace halftone::runtime
