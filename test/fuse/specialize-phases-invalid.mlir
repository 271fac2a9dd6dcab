// RUN: qopt %s --split-input-file --verify-diagnostics --specialize-phases
// RUN: not qopt %S/specialize-phases.mlir --specialize-phases=chunk=0 2>&1 | FileCheck %s

// CHECK: error: a chunk has at least one token, not 0

// expected-error @below {{no function 'forward': only a decoder has phases}}
module {
  func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    return %x : tensor<?x8xf32>
  }
}
