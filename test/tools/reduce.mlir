// RUN: halftone-reduce %s --reduction-tree='traversal-mode=0 test=%S/Inputs/has-linear.sh' 2>/dev/null | FileCheck %s
// What has nothing to do with the linear goes away.

// CHECK-NOT: @other
// CHECK: @forward
// CHECK: lowbit.linear
// CHECK-NOT: @other
!weight = !lowbit.weight<8x8, #lowbit.format<f32>>
func.func @other(%a: f32) -> f32 {
  %b = arith.addf %a, %a : f32
  return %b : f32
}
func.func @forward(%x: tensor<?x8xf32>, %w: !weight) -> tensor<?x8xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x8xf32>, !weight) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @others(%a: f32) -> f32 {
  %b = arith.mulf %a, %a : f32
  return %b : f32
}
