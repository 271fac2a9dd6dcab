// RUN: qopt %s --form-kernels | FileCheck %s
// The pass brings its dialect: nothing in the module has loaded it.

// CHECK: lowbit.kernel {
// CHECK-NEXT: arith.negf
// CHECK-NEXT: lowbit.yield
func.func @forward(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %y = arith.negf %x : tensor<1x64xf32>
  return %y : tensor<1x64xf32>
}
