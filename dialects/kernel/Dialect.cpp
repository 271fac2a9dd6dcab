// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the kernel dialect's parts.
#include "dialects/kernel/Kernel.h"

using namespace halftone::kernel;

#include "dialects/kernel/Dialect.cpp.inc"

void KernelDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/Ops.cpp.inc"
      >();
}
