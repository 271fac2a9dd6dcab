// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The format of the two matrices with a row per token, unless the user names one.
#pragma once

#include "lib/formats/Format.h"

namespace halftone::quantize {

/// The format of embedding and head beside linears in `format`: 8-bit codes in blocks of 32 when those are codes, since
/// an error in these two reaches every token directly; `format` itself when it is plain.
formats::Format vocabularyFormat(const formats::Format &format);

} // namespace halftone::quantize
