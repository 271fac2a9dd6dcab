// RUN: qopt %s --pass-pipeline='builtin.module(func.func(keep-all-tokens))' | FileCheck %s
// A selection of the last token before the head goes away; others stay.

lowbit.weight @head : !lowbit.weight<4x16, <f32>> in "a.onnx" at 0

// By a Slice from -1.
// CHECK-LABEL: @slice
// CHECK-NOT: onnx.node "Slice"
// CHECK: onnx.node "MatMul" opset 18(%arg0, %{{.*}})
func.func @slice(%x: tensor<1x?x4xf32>) -> tensor<*xf32> {
  %w = lowbit.get @head : !lowbit.weight<4x16, <f32>>
  %minus = arith.constant dense<-1> : tensor<1xi64>
  %end = arith.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = arith.constant dense<1> : tensor<1xi64>
  %l = onnx.node "Slice" opset 18 (%x, %minus, %end, %axis) {} named "l" : (tensor<1x?x4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %y = onnx.node "MatMul" opset 18 (%l, %w) {} named "y" : (tensor<*xf32>, !lowbit.weight<4x16, <f32>>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// By a Gather at tokens - 1.
// CHECK-LABEL: @gather
// CHECK-NOT: onnx.node "Gather"
// CHECK: onnx.node "MatMul" opset 18(%arg0, %{{.*}})
func.func @gather(%x: tensor<1x?x4xf32>) -> tensor<*xf32> {
  %w = lowbit.get @head : !lowbit.weight<4x16, <f32>>
  %shape = onnx.node "Shape" opset 18 (%x) {start = 1 : si64, end = 2 : si64} named "s" : (tensor<1x?x4xf32>) -> tensor<*xf32>
  %one = arith.constant dense<1> : tensor<1xi64>
  %index = onnx.node "Sub" opset 18 (%shape, %one) {} named "i" : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %l = onnx.node "Gather" opset 18 (%x, %index) {axis = 1 : si64} named "l" : (tensor<1x?x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  %y = onnx.node "MatMul" opset 18 (%l, %w) {} named "y" : (tensor<*xf32>, !lowbit.weight<4x16, <f32>>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// The first token, and the last token of something that is then mixed with others.
// CHECK-LABEL: @others
// CHECK-COUNT-2: onnx.node "Slice"
func.func @others(%x: tensor<1x?x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %w = lowbit.get @head : !lowbit.weight<4x16, <f32>>
  %zero = arith.constant dense<0> : tensor<1xi64>
  %minus = arith.constant dense<-1> : tensor<1xi64>
  %one = arith.constant dense<1> : tensor<1xi64>
  %end = arith.constant dense<9223372036854775807> : tensor<1xi64>
  %f = onnx.node "Slice" opset 18 (%x, %zero, %one, %one) {} named "f" : (tensor<1x?x4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %y = onnx.node "MatMul" opset 18 (%f, %w) {} named "y" : (tensor<*xf32>, !lowbit.weight<4x16, <f32>>) -> tensor<*xf32>
  %l = onnx.node "Slice" opset 18 (%x, %minus, %end, %one) {} named "l" : (tensor<1x?x4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %z = onnx.node "Add" opset 18 (%x, %l) {} named "z" : (tensor<1x?x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}
