// RUN: qopt %s --split-input-file --verify-diagnostics --split-linears --canonicalize | FileCheck %s
// Parts of a product are products with parts of the weight.

// CHECK-LABEL: @parts
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>, %[[W:[a-z0-9]+]]: !lowbit.weight<12x8, <f32>>, %[[B:[a-z0-9]+]]: !lowbit.weight<12, <f32>>
// CHECK-DAG: %[[W0:.*]] = lowbit.slice_rows %[[W]] from 0 : <12x8, <f32>> -> <8x8, <f32>>
// CHECK-DAG: %[[Y:.*]] = lowbit.linear %[[X]], %[[W0]]
// CHECK-DAG: %[[W8:.*]] = lowbit.slice_rows %[[W]] from 8 : <12x8, <f32>> -> <4x8, <f32>>
// CHECK-DAG: %[[B8:.*]] = lowbit.slice_rows %[[B]] from 8 : <12, <f32>> -> <4, <f32>>
// CHECK-DAG: %[[L:.*]] = lowbit.linear %[[X]], %[[W8]]
// CHECK-DAG: %[[Z:.*]] = lowbit.add_bias %[[L]], %[[B8]]
// CHECK-NOT: lowbit.linear
// CHECK: return %[[Y]], %[[Z]]
func.func @parts(%x: tensor<?x8xf32>, %w: !lowbit.weight<12x8, <f32>>, %b: !lowbit.weight<12, <f32>>, %n: index) -> (tensor<?x8xf32>, tensor<?x4xf32>) {
  %0 = lowbit.linear %x, %w : (tensor<?x8xf32>, !lowbit.weight<12x8, <f32>>) -> tensor<?x12xf32>
  %1 = lowbit.add_bias %0, %b : tensor<?x12xf32>, !lowbit.weight<12, <f32>>
  %y = tensor.extract_slice %0[0, 0] [%n, 8] [1, 1] : tensor<?x12xf32> to tensor<?x8xf32>
  %z = tensor.extract_slice %1[0, 8] [%n, 4] [1, 1] : tensor<?x12xf32> to tensor<?x4xf32>
  return %y, %z : tensor<?x8xf32>, tensor<?x4xf32>
}

// -----

module attributes {halftone.source = "a.onnx"} {
func.func @sum(%x: tensor<?x8xf32>, %n: index) -> tensor<?x4xf32> {
  %0 = arith.addf %x, %x : tensor<?x8xf32>
  // expected-error @below {{a.onnx: channels 2 to 5 of 8 are taken of something that is no product with a weight}}
  %y = tensor.extract_slice %0[0, 2] [%n, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}
