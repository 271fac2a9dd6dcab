// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The formats of the table in groups that share a module.
#pragma once

#include "test/formats/AllFormats.h"
#include "test/kernels/Compiled.h"

#include <algorithm>

namespace halftone::test {

/// Formats that differ in the scale's type only.
struct Family {
  std::vector<formats::Format> formats;
  int64_t number = 0; // among all families

  std::string name() const {
    std::string text = formats::name(formats.front());
    std::ranges::replace(text, '-', '_');
    return text;
  }
};

inline void PrintTo(const Family &family, std::ostream *out) { *out << family.name(); }

/// Every format of the table with blocks of 16 to 256 and whole rows.
inline std::vector<Family> allFamilies() {
  std::vector<Family> families;
  auto withoutScale = [](formats::Format format) {
    format.scale = formats::Scalar::F32;
    return format;
  };
  for (const formats::Format &format : formats::allFormats({16, 32, 64, 128, 256, 0})) {
    auto family = std::ranges::find_if(
        families, [&](const Family &other) { return withoutScale(other.formats.front()) == withoutScale(format); });
    if (family == families.end())
      family = families.insert(families.end(), Family{{}, static_cast<int64_t>(families.size())});
    family->formats.push_back(format);
  }
  return families;
}

} // namespace halftone::test
