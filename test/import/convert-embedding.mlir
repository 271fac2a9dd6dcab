// RUN: qopt %s --convert-embedding | FileCheck %s
// Rows that token ids name; other Gathers stay.

lowbit.weight @table : !lowbit.weight<16x4, <f32>> in "a.onnx" at 0

// CHECK-LABEL: @tokens
// CHECK: %[[T:.*]] = lowbit.get @table
// CHECK: %[[E:.*]] = lowbit.embedding %arg0, %[[T]] : (tensor<?xi64>, <16x4, <f32>>) -> tensor<?x4xf32>
// CHECK: %[[B:.*]] = tensor.expand_shape %[[E]]
// CHECK: return %[[B]]
func.func @tokens(%tokens: tensor<?xi64>, %past: index) -> tensor<1x?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi64>
  %ids = tensor.expand_shape %tokens [[0, 1]] output_shape [1, %n] : tensor<?xi64> into tensor<1x?xi64>
  %t = lowbit.get @table : !lowbit.weight<16x4, <f32>>
  %x = onnx.node "Gather" opset 18 (%t, %ids) {} named "x" : (!lowbit.weight<16x4, <f32>>, tensor<1x?xi64>) -> tensor<1x?x4xf32>
  return %x : tensor<1x?x4xf32>
}

// Columns, and rows that something else names.
// CHECK-LABEL: @others
// CHECK-NOT: lowbit.embedding
func.func @others(%tokens: tensor<?xi64>, %past: index, %ids: tensor<1x?xi64>) -> (tensor<16x?xf32>, tensor<1x?x4xf32>) {
  %t = lowbit.get @table : !lowbit.weight<16x4, <f32>>
  %x = onnx.node "Gather" opset 18 (%t, %tokens) {axis = 1 : si64} named "x" : (!lowbit.weight<16x4, <f32>>, tensor<?xi64>) -> tensor<16x?xf32>
  %y = onnx.node "Gather" opset 18 (%t, %ids) {} named "y" : (!lowbit.weight<16x4, <f32>>, tensor<1x?xi64>) -> tensor<1x?x4xf32>
  return %x, %y : tensor<16x?xf32>, tensor<1x?x4xf32>
}

lowbit.weight @head : !lowbit.weight<4x16, <f32>> in "a.onnx" at 256

// A table that is the head, turned round.
// CHECK-LABEL: @turned
// CHECK: %[[T:.*]] = lowbit.get @head.transposed : !lowbit.weight<16x4, <f32>>
// CHECK: lowbit.embedding %arg0, %[[T]] : (tensor<?xi64>, <16x4, <f32>>) -> tensor<?x4xf32>
func.func @turned(%tokens: tensor<?xi64>, %past: index) -> tensor<?x4xf32> {
  %w = lowbit.get @head : !lowbit.weight<4x16, <f32>>
  %t = onnx.node "Transpose" opset 18 (%w) {perm = array<i64: 1, 0>} named "t" : (!lowbit.weight<4x16, <f32>>) -> tensor<16x4xf32>
  %x = onnx.node "Gather" opset 18 (%t, %tokens) {} named "x" : (tensor<16x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  return %x : tensor<?x4xf32>
}
