// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the lowbit dialect's parts.
#include "dialects/lowbit/Lowbit.h"

using namespace halftone::lowbit;

#include "dialects/lowbit/Dialect.cpp.inc"

void LowbitDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "dialects/lowbit/Ops.cpp.inc"
      >();
}
