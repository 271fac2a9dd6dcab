// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The default of --format beside --bits and --size.
#include "lib/quantize/Candidates.h"

std::vector<std::string> halftone::quantize::defaultCandidates() {
  return {"int2-g32-asym", "iq3nl-g128", "iq3nl-g32", "iq4nl-g128", "iq4nl-g32", "int8-g32"};
}

std::string halftone::quantize::writerFormat() { return "int8-g32"; }
