// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of variants against the processor's features.
#include "lib/runtime/Variant.h"

namespace halftone::runtime {

Expected<const Variant *> chooseVariant(const Variant *table, const std::vector<Feature> &features) {
  std::vector<std::string_view> lacking;
  for (const Variant *variant = table; variant->features; ++variant) {
    lacking = lackingFeatures(variant->features, features);
    if (lacking.empty())
      return variant;
  }
  std::string names;
  for (std::string_view name : lacking)
    names += (names.empty() ? "" : ", ") + std::string(name);
  return Error{"this binary needs " + names + "; this processor lacks " + (lacking.size() == 1 ? "it" : "them")};
}

} // namespace halftone::runtime
