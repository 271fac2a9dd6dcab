// RUN: qopt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(resolve-shapes))' | FileCheck %s
// Types and constants by evaluation.

// The shape operand is computed from the input's own shape: batch, tokens, -1, 4.
// CHECK-LABEL: @reshape
// CHECK-SAME: -> tensor<1x2x?x4xf32>
// CHECK: %[[S:.*]] = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
// CHECK: %[[H:.*]] = onnx.node "Reshape" opset 18(%arg0, %[[S]]) {{.*}} -> tensor<1x?x2x4xf32>
// CHECK: onnx.node "Transpose" opset 18(%[[H]]) {{.*}} -> tensor<1x2x?x4xf32>
// CHECK-NOT: onnx.node "Shape"
func.func @reshape(%x: tensor<1x?x8xf32>) -> tensor<*xf32> {
  %zero = arith.constant dense<0> : tensor<1xi64>
  %one = arith.constant dense<1> : tensor<1xi64>
  %rest = arith.constant dense<[-1, 4]> : tensor<2xi64>
  %s = onnx.node "Shape" opset 18 (%x) {} named "s" : (tensor<1x?x8xf32>) -> tensor<*xf32>
  %batch = onnx.node "Gather" opset 18 (%s, %zero) {axis = 0 : si64} named "batch" : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %tokens = onnx.node "Gather" opset 18 (%s, %one) {axis = 0 : si64} named "tokens" : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %shape = onnx.node "Concat" opset 18 (%batch, %tokens, %rest) {axis = 0 : si64} named "shape" : (tensor<*xf32>, tensor<*xf32>, tensor<2xi64>) -> tensor<*xf32>
  %h = onnx.node "Reshape" opset 18 (%x, %shape) {} named "h" : (tensor<1x?x8xf32>, tensor<*xf32>) -> tensor<*xf32>
  %t = onnx.node "Transpose" opset 18 (%h) {perm = array<i64: 0, 2, 1, 3>} named "t" : (tensor<*xf32>) -> tensor<*xf32>
  return %t : tensor<*xf32>
}

// What does not change with the bindings is a constant; casts to the same type go away.
// CHECK-LABEL: @constants
// CHECK: %[[H:.*]] = arith.constant dense<2> : tensor<i64>
// CHECK: return %[[H]], %arg0
func.func @constants(%x: tensor<1x?x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %index = arith.constant dense<2> : tensor<i64>
  %s = onnx.node "Shape" opset 18 (%x) {} named "s" : (tensor<1x?x4xf32>) -> tensor<*xf32>
  %d = onnx.node "Gather" opset 18 (%s, %index) {axis = 0 : si64} named "d" : (tensor<*xf32>, tensor<i64>) -> tensor<*xf32>
  %half = onnx.node "Div" opset 18 (%d, %index) {} named "half" : (tensor<*xf32>, tensor<i64>) -> tensor<*xf32>
  %c = onnx.node "Cast" opset 18 (%x) {to = 1 : si64} named "c" : (tensor<1x?x4xf32>) -> tensor<*xf32>
  return %half, %c : tensor<*xf32>, tensor<*xf32>
}

// Tokens and past are told apart from constants: [1, 1, tokens, past + tokens].
// CHECK-LABEL: @mask
// CHECK: onnx.node "LessOrEqual" {{.*}} -> tensor<1x1x?x?xi1>
// CHECK: %[[ONES:.*]] = arith.constant dense<[1, 2, 1, 1]> : tensor<4xi64>
// CHECK: onnx.node "Expand" opset 18(%{{.*}}, %[[ONES]]) {{.*}} -> tensor<1x2x?x?xi1>
func.func @mask(%tokens: tensor<?xi64>, %past: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<*xf32> {
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %axis = arith.constant dense<2> : tensor<i64>
  %s = onnx.node "Shape" opset 18 (%past) {} named "s" : (tensor<1x2x?x4xf32>) -> tensor<*xf32>
  %p = onnx.node "Gather" opset 18 (%s, %axis) {axis = 0 : si64} named "p" : (tensor<*xf32>, tensor<i64>) -> tensor<*xf32>
  %n = onnx.node "Size" opset 18 (%tokens) {} named "n" : (tensor<?xi64>) -> tensor<*xf32>
  %t = onnx.node "Add" opset 18 (%p, %n) {} named "t" : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<*xf32>, tensor<*xf32>, tensor<i64>) -> tensor<*xf32>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<*xf32>, tensor<i64>) -> tensor<*xf32>
  %left = arith.constant dense<[0, 1, 3]> : tensor<3xi64>
  %right = arith.constant dense<[0, 1, 2]> : tensor<3xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %left) {} named "i" : (tensor<*xf32>, tensor<3xi64>) -> tensor<*xf32>
  %j = onnx.node "Unsqueeze" opset 18 (%columns, %right) {} named "j" : (tensor<*xf32>, tensor<3xi64>) -> tensor<*xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%j, %i) {} named "m" : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %shape = arith.constant dense<[1, 2, 1, 1]> : tensor<4xi64>
  %e = onnx.node "Expand" opset 18 (%m, %shape) {} named "e" : (tensor<*xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %e : tensor<*xf32>
}

// -----

// Shapes that an operator cannot take are the user's error to read, at the first node that has them.
module attributes {halftone.source = "a.onnx"} {
lowbit.weight @w : !lowbit.weight<31x64, <f32>> in "a.onnx" at 0
func.func @product(%x: tensor<1x?x32xf32>) -> tensor<*xf32> {
  %w = lowbit.get @w : !lowbit.weight<31x64, <f32>>
  // expected-error @below {{a.onnx: node 'gate' (MatMul, opset 18): gives no result for inputs of shape [1, ?, 32], [31, 64]}}
  %y = onnx.node "MatMul" opset 18 (%x, %w) {} named "gate" : (tensor<1x?x32xf32>, !lowbit.weight<31x64, <f32>>) -> tensor<*xf32>
  %z = onnx.node "Neg" opset 18 (%y) {} named "after" : (tensor<*xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}
}

// -----

// Sizes below zero, although they add up.
module attributes {halftone.source = "a.onnx"} {
func.func @sizes() -> (tensor<*xf32>, tensor<*xf32>) {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %sizes = arith.constant dense<[-1, 3]> : tensor<2xi64>
  // expected-error @below {{a.onnx: node 'parts' (Split, opset 18): gives no result for inputs of shape [2], [2]}}
  %y:2 = onnx.node "Split" opset 18 (%x, %sizes) {} named "parts" : (tensor<2xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}
}

// -----

// More parts than elements.
module attributes {halftone.source = "a.onnx"} {
func.func @parts() -> tensor<*xf32> {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  // expected-error @below {{a.onnx: node 'parts' (Split, opset 18): gives no result for inputs of shape [2]}}
  %y:4 = onnx.node "Split" opset 18 (%x) {} named "parts" : (tensor<2xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#3 : tensor<*xf32>
}
}
