// RUN: qopt %s --pass-pipeline='builtin.module(func.func(cancel-movements))' | FileCheck %s
// Movements that together move nothing, and those that do.

// There and back: heads split, turned, turned back, joined; a slice of everything.
// CHECK-LABEL: @thereAndBack
// CHECK-NOT: onnx.node
// CHECK: return %arg0
func.func @thereAndBack(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %shape = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %a = onnx.node "Reshape" opset 18 (%x, %shape) {} named "a" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %b = onnx.node "Transpose" opset 18 (%a) {perm = array<i64: 0, 2, 1, 3>} named "b" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %c = onnx.node "Transpose" opset 18 (%b) {perm = array<i64: 0, 2, 1, 3>} named "c" : (tensor<1x2x?x4xf32>) -> tensor<1x?x2x4xf32>
  %flat = arith.constant dense<[1, -1, 8]> : tensor<3xi64>
  %d = onnx.node "Reshape" opset 18 (%c, %flat) {} named "d" : (tensor<1x?x2x4xf32>, tensor<3xi64>) -> tensor<1x?x8xf32>
  %zero = arith.constant dense<0> : tensor<1xi64>
  %all = arith.constant dense<9223372036854775807> : tensor<1xi64>
  %one = arith.constant dense<1> : tensor<1xi64>
  %e = onnx.node "Slice" opset 18 (%d, %zero, %all, %one) {} named "e" : (tensor<1x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x8xf32>
  return %e : tensor<1x?x8xf32>
}

// Joined without turning back: the elements are in another order.
// CHECK-LABEL: @stillTurned
// CHECK: onnx.node "Reshape"
// CHECK: onnx.node "Transpose"
// CHECK: onnx.node "Reshape"
func.func @stillTurned(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %shape = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %a = onnx.node "Reshape" opset 18 (%x, %shape) {} named "a" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %b = onnx.node "Transpose" opset 18 (%a) {perm = array<i64: 0, 2, 1, 3>} named "b" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %flat = arith.constant dense<[1, -1, 8]> : tensor<3xi64>
  %d = onnx.node "Reshape" opset 18 (%b, %flat) {} named "d" : (tensor<1x2x?x4xf32>, tensor<3xi64>) -> tensor<1x?x8xf32>
  return %d : tensor<1x?x8xf32>
}

// The last token only.
// CHECK-LABEL: @last
// CHECK: onnx.node "Slice"
func.func @last(%x: tensor<1x?x8xf32>) -> tensor<1x1x8xf32> {
  %minus = arith.constant dense<-1> : tensor<1xi64>
  %all = arith.constant dense<9223372036854775807> : tensor<1xi64>
  %one = arith.constant dense<1> : tensor<1xi64>
  %e = onnx.node "Slice" opset 18 (%x, %minus, %all, %one) {} named "e" : (tensor<1x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x1x8xf32>
  return %e : tensor<1x1x8xf32>
}

// Some channels, by Split and by Slice after heads were split and turned back: a slice of the activation.
// CHECK-LABEL: @channels
// CHECK-NOT: onnx.node
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 4] [%{{.*}}, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 2] [%{{.*}}, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
func.func @channels(%x: tensor<1x?x8xf32>) -> (tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>) {
  %a:2 = onnx.node "Split" opset 18 (%x) {axis = -1 : si64} named "a" : (tensor<1x?x8xf32>) -> (tensor<1x?x4xf32>, tensor<1x?x4xf32>)
  %shape = arith.constant dense<[1, -1, 4, 2]> : tensor<4xi64>
  %b = onnx.node "Reshape" opset 18 (%x, %shape) {} named "b" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x4x2xf32>
  %one = arith.constant dense<1> : tensor<1xi64>
  %three = arith.constant dense<3> : tensor<1xi64>
  %two = arith.constant dense<2> : tensor<1xi64>
  %c = onnx.node "Slice" opset 18 (%b, %one, %three, %two) {} named "c" : (tensor<1x?x4x2xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x2x2xf32>
  %flat = arith.constant dense<[1, -1, 4]> : tensor<3xi64>
  %d = onnx.node "Reshape" opset 18 (%c, %flat) {} named "d" : (tensor<1x?x2x2xf32>, tensor<3xi64>) -> tensor<1x?x4xf32>
  return %a#0, %a#1, %d : tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>
}
