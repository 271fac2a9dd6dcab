// RUN: qopt %s --convert-linears | FileCheck %s
// A weight of the file may have the name that the turned copy of another would get.

// CHECK-DAG: lowbit.weight @w : !lowbit.weight<8x4, <f32>> in "a.onnx" at 0 transposed
// CHECK-DAG: lowbit.weight @w.transposed : !lowbit.weight<8x4, <f32>> in "a.onnx" at 128 transposed
// CHECK-NOT: lowbit.weight
// CHECK-NOT: halftone.turned
lowbit.weight @w : !lowbit.weight<4x8, <f32>> in "a.onnx" at 0
lowbit.weight @w.transposed : !lowbit.weight<4x8, <f32>> in "a.onnx" at 128

// CHECK-LABEL: @both
func.func @both(%x: tensor<1x?x4xf32>) -> (tensor<1x?x8xf32>, tensor<1x?x8xf32>) {
  %w = lowbit.get @w : !lowbit.weight<4x8, <f32>>
  %v = lowbit.get @w.transposed : !lowbit.weight<4x8, <f32>>
  // CHECK: lowbit.get @w :
  %a = onnx.node "MatMul" opset 18 (%x, %w) {} named "a" : (tensor<1x?x4xf32>, !lowbit.weight<4x8, <f32>>) -> tensor<1x?x8xf32>
  // CHECK: lowbit.get @w.transposed :
  %b = onnx.node "MatMul" opset 18 (%x, %v) {} named "b" : (tensor<1x?x4xf32>, !lowbit.weight<4x8, <f32>>) -> tensor<1x?x8xf32>
  return %a, %b : tensor<1x?x8xf32>, tensor<1x?x8xf32>
}
