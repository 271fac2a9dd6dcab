// RUN: qopt %s --assign-formats=format=int4-g32 | FileCheck %s
// The pass brings its dialect: nothing in the module has loaded it.

// CHECK: arith.negf
func.func @forward(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %y = arith.negf %x : tensor<1x64xf32>
  return %y : tensor<1x64xf32>
}
