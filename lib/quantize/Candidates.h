// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a budget chooses from unless the user says so.
#pragma once

#include <string>
#include <vector>

namespace halftone::quantize {

/// Names of formats from few bits to many. Costs fall geometrically with bits but add up over weights, so a mix of two
/// formats far apart costs more than a format between them: steps are small, by the block's size too.
std::vector<std::string> defaultCandidates();

/// The format of a model that writes its own calibration text: close to its own distribution (0.001 nats a token away
/// on stories15M), and a quarter of the bytes to read for each token.
std::string writerFormat();

} // namespace halftone::quantize
