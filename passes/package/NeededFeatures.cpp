// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asks LLVM which of the features that a binary can ask for a target has.
#include "passes/package/NeededFeatures.h"

#include "lib/runtime/Features.h"
#include "passes/targets/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace halftone::package {

std::string neededFeatures(kernel::TargetAttr target) {
  llvm::SmallVector<std::string> needed;
  for (const std::string_view name : runtime::featureNames(targets::familyName(target)))
    if (targets::hasFeatures(target, name))
      needed.push_back("+" + std::string(name));
  llvm::sort(needed);
  return llvm::join(needed, ",");
}

} // namespace halftone::package
