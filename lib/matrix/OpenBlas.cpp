// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How OpenBLAS is set up. It is linked statically, and this runs before its own start-up, which reads its environment.
#include "lib/matrix/OpenBlas.h"

#include <cassert>
#include <cstdlib>
#include <limits>

/// The kernels for this processor's instructions, or null to leave the choice to OpenBLAS. OpenBLAS goes by a list of
/// the models it knew when it was released, and takes one it does not know for a processor of 2004. Going by
/// instructions also gives processors of different makers the same kernels, and so the same bytes.
static const char *kernels() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return "Haswell";
#endif
  return nullptr;
}

/// Priority 101 is the first that programs may use; OpenBLAS's start-up has the last. Its threads, which would spin for
/// work that never comes, are not even made. A user's own OPENBLAS_CORETYPE stays.
__attribute__((constructor(101))) static void setUp() {
  if (const char *name = kernels())
    setenv("OPENBLAS_CORETYPE", name, /*overwrite=*/0);
  setenv("OPENBLAS_NUM_THREADS", "1", /*overwrite=*/1);
}

int halftone::matrix::blasInt(int64_t value) {
  assert(value >= 0 && value <= std::numeric_limits<int>::max());
  return static_cast<int>(value);
}
