// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where two executables part: by their logits, and by what they say of themselves.
#pragma once

#include "lib/evaluate/Sequences.h"
#include "tools/halftone/BisectReport.h"
#include "tools/halftone/Executable.h"

namespace halftone::tool {

/// Runs both on the same tokens. Fails as Executable::logits() does, and when they give logits of other numbers.
Expected<bisect::Comparison> compareExecutables(const Executable &first, const Executable &second,
                                                std::span<const evaluate::Sequence> sequences, int64_t threads);

/// What differs in --info: what they were compiled from, decisions, targets, then weights in order.
std::vector<FactDifference> compareFacts(const llvm::json::Object &first, const llvm::json::Object &second);

} // namespace halftone::tool
