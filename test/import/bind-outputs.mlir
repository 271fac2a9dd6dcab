// RUN: qopt %s --split-input-file --verify-diagnostics --bind-outputs | FileCheck %s
// Logits and nothing else.

// CHECK-LABEL: func.func @forward(%arg0: tensor<?xi64>, %arg1: index, %arg2: tensor<?x8xf32>) -> tensor<?x8xf32> {
// CHECK-NEXT: return %arg2
func.func @forward(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x8xf32>, %k: tensor<1x2x?x4xf32> {halftone.past})
    -> (tensor<1x?x8xf32>, tensor<1x2x?x4xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %b = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %n, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %shape = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %h = onnx.node "Reshape" opset 18 (%b, %shape) {} named "h" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %t = onnx.node "Transpose" opset 18 (%h) {perm = array<i64: 0, 2, 1, 3>} named "t" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %p = onnx.node "Concat" opset 18 (%k, %t) {axis = 2 : si64} named "present" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %b, %p : tensor<1x?x8xf32>, tensor<1x2x?x4xf32>
}

// -----

module attributes {halftone.source = "a.onnx"} {
// expected-error @below {{a.onnx: the graph gives 2 results beside present keys and values, not just logits}}
func.func @forward(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %y = arith.negf %x : tensor<?x8xf32>
  return %x, %y : tensor<?x8xf32>, tensor<?x8xf32>
}
}

// -----

module attributes {halftone.source = "a.onnx"} {
lowbit.weight @embedding : !lowbit.weight<400x8, <f32>> in "a.onnx" at 0
// expected-error @below {{a.onnx: the logits are of 512 tokens, but the embedding table 'embedding' has 400 rows}}
func.func @forward(%tokens: tensor<?xi64>, %past: index, %head: !lowbit.weight<512x8, <f32>>) -> tensor<?x512xf32> {
  %table = lowbit.get @embedding : !lowbit.weight<400x8, <f32>>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<400x8, <f32>>) -> tensor<?x8xf32>
  %y = lowbit.linear %x, %head : (tensor<?x8xf32>, !lowbit.weight<512x8, <f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}
}

// -----

// A table with rows that no token names.
// CHECK-LABEL: func.func @forward
// CHECK: lowbit.embedding
lowbit.weight @embedding : !lowbit.weight<520x8, <f32>> in "a.onnx" at 0
func.func @forward(%tokens: tensor<?xi64>, %past: index, %head: !lowbit.weight<512x8, <f32>>) -> tensor<?x512xf32> {
  %table = lowbit.get @embedding : !lowbit.weight<520x8, <f32>>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<520x8, <f32>>) -> tensor<?x8xf32>
  %y = lowbit.linear %x, %head : (tensor<?x8xf32>, !lowbit.weight<512x8, <f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}
