# What demo.sh and test.sh share; read with 'source' from the project's root.
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
llvm=/usr/lib/llvm-22
export PYTHONPATH=$PWD/python
# ccache's own default folder, unless the user chose one. The sloppiness is what precompiled headers need; the base directory makes
# hits possible from another checkout.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
