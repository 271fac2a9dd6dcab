// RUN: qopt %s --split-observations --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @block(
// CHECK-NOT: lowbit.observe
// CHECK: return %{{.*}} : tensor<?x4xf32>
// CHECK-LABEL: func.func @block.observed.0(
// CHECK-NEXT: %[[N:.*]] = lowbit.rms_norm
// CHECK-NEXT: return %[[N]] : tensor<?x8xf32>
// CHECK-LABEL: func.func @block.observed.1(
// CHECK: %[[Q:.*]] = lowbit.linear
// CHECK-NEXT: return %[[Q]] : tensor<?x4xf32>
func.func @block(%x: tensor<?x8xf32>, %w: !lowbit.weight<4x8, <f32>>, %v: !lowbit.weight<4x4, <f32>>) -> tensor<?x4xf32> {
  %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<?x8xf32>
  lowbit.observe %n gather ["hessian"] : tensor<?x8xf32>
  %q = lowbit.linear %n, %w : (tensor<?x8xf32>, <4x8, <f32>>) -> tensor<?x4xf32>
  lowbit.observe %q gather ["hessian"] : tensor<?x4xf32>
  %o = lowbit.linear %q, %v : (tensor<?x4xf32>, <4x4, <f32>>) -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}
