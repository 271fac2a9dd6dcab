// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cross product of the table: every element with every scale type, offset and a choice of blocks.
#pragma once

#include "lib/formats/Table.h"

#include <gtest/gtest.h>
#include <vector>

namespace halftone::formats {

/// Every format of the table with one of `blocks` (0 is a whole row); plain formats come once.
inline std::vector<Format> allFormats(const std::vector<int64_t> &blocks) {
  std::vector<Format> formats;
  for (const Element &element : elements()) {
    const bool plain = element.code.kind == Code::Kind::Float;
    for (int64_t block : plain ? std::vector<int64_t>{0} : blocks)
      for (Scalar scale :
           plain ? std::vector<Scalar>{Format().scale} : std::vector(std::begin(allScalars), std::end(allScalars)))
        for (int zeroPoint = 0; zeroPoint <= element.mayHaveZeroPoint; ++zeroPoint)
          formats.push_back({element.code, block, scale, zeroPoint == 1});
  }
  return formats;
}

inline std::vector<Format> allFormats() { return allFormats({0, 16, 32, 64, 128}); }

/// The integer formats of allFormats.
inline std::vector<Format> integerFormats(const std::vector<int64_t> &blocks) {
  std::vector<Format> formats = allFormats(blocks);
  std::erase_if(formats, [](const Format &format) { return format.code.kind != Code::Kind::Integer; });
  return formats;
}

} // namespace halftone::formats
