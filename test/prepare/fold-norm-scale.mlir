// RUN: qopt %s -verify-diagnostics --fold-norm-scale | FileCheck %s
// What it computes is in test_fold_norm_scale.py.

// CHECK-LABEL: func.func @folds(
// CHECK-SAME: %[[X:[^:]*]]: {{[^:]*}}, %[[G:[^:]*]]: {{[^:]*}}, %[[P:[^:]*]]: {{[^:]*}}, %[[Q:[^:]*]]:
func.func @folds(%x: tensor<?x64xf32>, %g: !lowbit.weight<64, #lowbit.format<f32>>, %p: !lowbit.weight<64x64, #lowbit.format<f32>>,
                 %q: !lowbit.weight<96x64, #lowbit.format<f32>>) -> (tensor<?x64xf32>, tensor<?x96xf32>) {
  // CHECK: %[[N:.*]] = lowbit.rms_norm %[[X]] epsilon 9.99999974E-6 : tensor<?x64xf32>
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
  // CHECK: %[[SP:.*]] = lowbit.scale_columns %[[P]], %[[G]]
  // CHECK: lowbit.linear %[[N]], %[[SP]]
  %0 = lowbit.linear %n, %p : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // CHECK: %[[SQ:.*]] = lowbit.scale_columns %[[Q]], %[[G]]
  // CHECK: lowbit.linear %[[N]], %[[SQ]]
  %1 = lowbit.linear %n, %q : (tensor<?x64xf32>, !lowbit.weight<96x64, #lowbit.format<f32>>) -> tensor<?x96xf32>
  return %0, %1 : tensor<?x64xf32>, tensor<?x96xf32>
}

// Another reader of the norm needs the scale.

// CHECK-LABEL: func.func @residual(
func.func @residual(%x: tensor<?x64xf32>, %g: !lowbit.weight<64, #lowbit.format<f32>>, %p: !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32> {
  // CHECK: lowbit.rms_norm %{{.*}} scale
  // CHECK-NOT: scale_columns
  // expected-remark @below {{keeps its scale: a user is no linear with a plain weight}}
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
  %0 = lowbit.linear %n, %p : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // expected-note @below {{this one}}
  %1 = arith.addf %0, %n : tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// Codes cannot be scaled without loss.

// CHECK-LABEL: func.func @codes(
func.func @codes(%x: tensor<?x64xf32>, %g: !lowbit.weight<64, #lowbit.format<f32>>, %p: !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32> {
  // CHECK: lowbit.rms_norm %{{.*}} scale
  // expected-remark @below {{keeps its scale: a user is no linear with a plain weight}}
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
  // expected-note @below {{this one}}
  %0 = lowbit.linear %n, %p : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
