/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What Emulated.cpp writes to Caller.c: a request, then its mappings. The answer is one byte. */
#ifndef HALFTONE_TEST_KERNELS_REQUEST_H
#define HALFTONE_TEST_KERNELS_REQUEST_H

#include <stdint.h>

/* A part of the file that all memory lies in, and its address, which is the same in processes that share the file. */
struct Mapping {
  uint64_t address, offset, bytes;
};

struct Request {
  uint64_t function, weights, cache, arena;
  int64_t own[6], threads;
  uint64_t mappings;
};

#endif
