// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --calibrate=self: a model writes what it is calibrated on (docs/decisions/0015-own-text.md).
#pragma once

#include "lib/calibrate/Samples.h"

namespace halftone {

class Compilation;

/// Compiles the model for this machine and lets it write `wanted.samples` sequences of at most `wanted.length` tokens.
/// Each is kept in the model's journal, where there is one, as soon as it is written; what is there already is not
/// written anew. Model, seed, samples and length decide the result.
/// \param vocabulary how many logits the model has.
Expected<calibrate::Samples> writeOwnSamples(Compilation &model, const calibrate::SampleOptions &wanted,
                                             int64_t vocabulary);

} // namespace halftone
