// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The default of --head-format and --embedding-format.
#include "lib/quantize/VocabularyFormat.h"

halftone::formats::Format halftone::quantize::vocabularyFormat(const formats::Format &format) {
  return format.isPlain() ? format : formats::Format::integer(8, 32);
}
