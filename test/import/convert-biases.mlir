// RUN: qopt %s --pass-pipeline='builtin.module(func.func(convert-biases))' | FileCheck %s
// Sums with a trained vector, on either side; other sums stay.

lowbit.weight @b : !lowbit.weight<16, <f32>> in "a.onnx" at 0
lowbit.weight @m : !lowbit.weight<16x16, <f32>> in "a.onnx" at 64

// CHECK-LABEL: @biases
// CHECK-NOT: onnx.node
// CHECK: %[[X:.*]] = tensor.collapse_shape %arg0
// CHECK: %[[Y:.*]] = lowbit.add_bias %[[X]], %{{.*}} : tensor<?x16xf32>, <16, <f32>>
// CHECK: %[[B:.*]] = tensor.expand_shape %[[Y]]
// CHECK: %[[Z:.*]] = lowbit.add_bias %arg1, %{{.*}} : tensor<?x16xf32>, <16, <f32>>
// CHECK: return %[[B]], %[[Z]]
func.func @biases(%x: tensor<1x?x16xf32>, %y: tensor<?x16xf32>) -> (tensor<1x?x16xf32>, tensor<?x16xf32>) {
  %b = lowbit.get @b : !lowbit.weight<16, <f32>>
  %0 = onnx.node "Add" opset 18 (%x, %b) {} named "after" : (tensor<1x?x16xf32>, !lowbit.weight<16, <f32>>) -> tensor<1x?x16xf32>
  %1 = onnx.node "Add" opset 18 (%b, %y) {} named "before" : (!lowbit.weight<16, <f32>>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return %0, %1 : tensor<1x?x16xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: @others
// CHECK-NOT: lowbit.add_bias
// CHECK-COUNT-3: onnx.node "Add"
func.func @others(%x: tensor<1x?x16xf32>, %heads: tensor<1x?x2x16xf32>, %m: tensor<16x16xf32>) -> (tensor<1x?x16xf32>, tensor<1x?x2x16xf32>, tensor<16x16xf32>) {
  %b = lowbit.get @b : !lowbit.weight<16, <f32>>
  %w = lowbit.get @m : !lowbit.weight<16x16, <f32>>
  %0 = onnx.node "Add" opset 18 (%x, %x) {} named "a" : (tensor<1x?x16xf32>, tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
  %1 = onnx.node "Add" opset 18 (%heads, %b) {} named "b" : (tensor<1x?x2x16xf32>, !lowbit.weight<16, <f32>>) -> tensor<1x?x2x16xf32>
  %2 = onnx.node "Add" opset 18 (%m, %w) {} named "c" : (tensor<16x16xf32>, !lowbit.weight<16x16, <f32>>) -> tensor<16x16xf32>
  return %0, %1, %2 : tensor<1x?x16xf32>, tensor<1x?x2x16xf32>, tensor<16x16xf32>
}
