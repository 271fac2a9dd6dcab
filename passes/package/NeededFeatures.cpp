// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asks LLVM which features a target has.
#include "passes/package/NeededFeatures.h"

#include "passes/targets/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"

namespace halftone::package {

std::string neededFeatures(kernel::TargetAttr target) {
  llvm::SmallVector<std::string> needed;
  // The keys are the same on every processor: all that LLVM can detect on this architecture.
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (targets::hasFeatures(target, feature.getKey()))
      needed.push_back(("+" + feature.getKey()).str());
  llvm::sort(needed);
  return llvm::join(needed, ",");
}

} // namespace halftone::package
