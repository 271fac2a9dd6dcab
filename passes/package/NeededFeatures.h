// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a processor must have to run a binary, for the check that the binary makes before its first kernel.
#pragma once

#include "dialects/kernel/Kernel.h"

#include <string>

namespace halftone::package {

/// The features of `target`, those that its processor's name implies included, as LLVM lists them: "+avx,+avx2". Only
/// features that a program can ask a running system for; LLVM's hints for tuning are none.
std::string neededFeatures(kernel::TargetAttr target);

} // namespace halftone::package
