#!/bin/sh
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Whether a module is still interesting to halftone-reduce, which status 1 says: it has a linear.
! grep -q lowbit.linear "$1"
