// RUN: qopt %s --convert-linears | FileCheck %s
// Products with a weight, by MatMul and Gemm, the file's matrix either way.

// CHECK: lowbit.weight @inputsFirst : !lowbit.weight<8x4, <f32>> in "a.onnx" at 0 transposed
lowbit.weight @inputsFirst : !lowbit.weight<4x8, <f32>> in "a.onnx" at 0
// CHECK: lowbit.weight @outputsFirst : !lowbit.weight<8x4, <f32>> in "a.onnx" at 128{{$}}
lowbit.weight @outputsFirst : !lowbit.weight<8x4, <f32>> in "a.onnx" at 128
// Read both ways: two names for the same bytes.
// CHECK: lowbit.weight @square : !lowbit.weight<4x4, <f32>> in "a.onnx" at 256{{$}}
// CHECK: lowbit.weight @square.transposed : !lowbit.weight<4x4, <f32>> in "a.onnx" at 256 transposed
lowbit.weight @square : !lowbit.weight<4x4, <f32>> in "a.onnx" at 256

// CHECK-LABEL: @linears
// CHECK-NOT: onnx.node
func.func @linears(%x: tensor<1x?x4xf32>, %y: tensor<?x4xf32>) -> (tensor<1x?x8xf32>, tensor<1x?x8xf32>, tensor<?x8xf32>) {
  %w = lowbit.get @inputsFirst : !lowbit.weight<4x8, <f32>>
  %v = lowbit.get @outputsFirst : !lowbit.weight<8x4, <f32>>
  %t = onnx.node "Transpose" opset 18 (%v) {perm = array<i64: 1, 0>} named "t" : (!lowbit.weight<8x4, <f32>>) -> tensor<4x8xf32>
  // CHECK-DAG: %[[X:.*]] = tensor.collapse_shape %arg0
  // CHECK-DAG: %[[W:.*]] = lowbit.get @inputsFirst : !lowbit.weight<8x4, <f32>>
  // CHECK: %[[A:.*]] = lowbit.linear %[[X]], %[[W]] : (tensor<?x4xf32>, <8x4, <f32>>) -> tensor<?x8xf32>
  // CHECK: tensor.expand_shape %[[A]]
  %a = onnx.node "MatMul" opset 18 (%x, %w) {} named "a" : (tensor<1x?x4xf32>, !lowbit.weight<4x8, <f32>>) -> tensor<1x?x8xf32>
  // CHECK: %[[V:.*]] = lowbit.get @outputsFirst
  // CHECK: lowbit.linear %{{.*}}, %[[V]]
  %b = onnx.node "MatMul" opset 18 (%x, %t) {} named "b" : (tensor<1x?x4xf32>, tensor<4x8xf32>) -> tensor<1x?x8xf32>
  // CHECK: %[[V:.*]] = lowbit.get @outputsFirst
  // CHECK: %[[C:.*]] = lowbit.linear %arg1, %[[V]]
  // CHECK: return %{{.*}}, %{{.*}}, %[[C]]
  %c = onnx.node "Gemm" opset 18 (%y, %v) {transB = 1 : si64} named "c" : (tensor<?x4xf32>, !lowbit.weight<8x4, <f32>>) -> tensor<?x8xf32>
  return %a, %b, %c : tensor<1x?x8xf32>, tensor<1x?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: @bothWays
// CHECK: lowbit.get @square.transposed
// CHECK: lowbit.linear
// CHECK: lowbit.get @square :
// CHECK: lowbit.linear
func.func @bothWays(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %w = lowbit.get @square : !lowbit.weight<4x4, <f32>>
  %a = onnx.node "MatMul" opset 18 (%x, %w) {} named "a" : (tensor<?x4xf32>, !lowbit.weight<4x4, <f32>>) -> tensor<?x4xf32>
  %b = onnx.node "Gemm" opset 18 (%x, %w) {transB = 1 : si64} named "b" : (tensor<?x4xf32>, !lowbit.weight<4x4, <f32>>) -> tensor<?x4xf32>
  return %a, %b : tensor<?x4xf32>, tensor<?x4xf32>
}

// What Gemm adds is an Add of its own.
// CHECK-LABEL: @sum
// CHECK: %[[L:.*]] = lowbit.linear
// CHECK: onnx.node "Add" opset 18(%[[L]], %arg1) {} named "d"
func.func @sum(%x: tensor<?x4xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %v = lowbit.get @outputsFirst : !lowbit.weight<8x4, <f32>>
  %d = onnx.node "Gemm" opset 18 (%x, %v, %b) {transB = 1 : si64} named "d" : (tensor<?x4xf32>, !lowbit.weight<8x4, <f32>>, tensor<8xf32>) -> tensor<?x8xf32>
  return %d : tensor<?x8xf32>
}

// What is no linear stays: scaled, reduced over another size, or the weight on the left.
// CHECK-LABEL: @others
// CHECK-COUNT-3: onnx.node
// CHECK-NOT: lowbit.linear
func.func @others(%x: tensor<?x4xf32>, %y: tensor<?x5xf32>, %z: tensor<4x?xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x?xf32>) {
  %v = lowbit.get @outputsFirst : !lowbit.weight<8x4, <f32>>
  %a = onnx.node "Gemm" opset 18 (%x, %v) {transB = 1 : si64, alpha = 2.0 : f32} named "a" : (tensor<?x4xf32>, !lowbit.weight<8x4, <f32>>) -> tensor<?x8xf32>
  %b = onnx.node "Gemm" opset 18 (%y, %v) {transB = 1 : si64} named "b" : (tensor<?x5xf32>, !lowbit.weight<8x4, <f32>>) -> tensor<?x8xf32>
  %c = onnx.node "MatMul" opset 18 (%v, %z) {} named "c" : (!lowbit.weight<8x4, <f32>>, tensor<4x?xf32>) -> tensor<8x?xf32>
  return %a, %b, %c : tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x?xf32>
}
