/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What Emulated.cpp writes to Caller.c: this, then `mappings` times address, offset and bytes. The answer is one byte.
 */
#ifndef HALFTONE_TEST_KERNELS_REQUEST_H
#define HALFTONE_TEST_KERNELS_REQUEST_H

#include <stdint.h>

struct Request {
  uint64_t function, weights, cache, arena;
  int64_t own[6], threads;
  uint64_t mappings;
};

#endif
