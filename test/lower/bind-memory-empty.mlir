// RUN: qopt %s --bind-memory | FileCheck %s
// The pass brings its dialects, also to a module without anything.

// CHECK: func.func private @halftone_barrier(!llvm.ptr, index, index)
