// RUN: qopt %s --split-input-file --verify-diagnostics --expand-operators | FileCheck %s
// Operators that mean several others. Numbers are compared in test_expansions.py.

// A sum, a bias, a norm; the sum has readers of its own.
// CHECK-LABEL: @skipNorm
// CHECK: %[[S:.*]] = onnx.node "Add" opset 1(%arg0, %arg1) {} named "n" {halftone.expanded = "com.microsoft.SkipSimplifiedLayerNormalization, opset 1"}
// CHECK: %[[B:.*]] = onnx.node "Add" opset 1(%[[S]], %arg3)
// CHECK: %[[Y:.*]] = onnx.node "SimplifiedLayerNormalization" opset 1(%[[B]], %arg2) {epsilon = 5.000000e-01 : f32}
// CHECK: return %[[Y]], %[[B]]
func.func @skipNorm(%x: tensor<1x?x8xf32>, %y: tensor<1x?x8xf32>, %g: !lowbit.weight<8, <f32>>, %b: !lowbit.weight<8, <f32>>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0:4 = onnx.node domain "com.microsoft" "SkipSimplifiedLayerNormalization" opset 1 (%x, %y, %g, %b) {epsilon = 0.5 : f32} named "n" : (tensor<1x?x8xf32>, tensor<1x?x8xf32>, !lowbit.weight<8, <f32>>, !lowbit.weight<8, <f32>>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %0#0, %0#3 : tensor<*xf32>, tensor<*xf32>
}

// CHECK-LABEL: @gelu
// CHECK: %[[A:.*]] = arith.constant dense<2.000000e+00> : tensor<f32>
// CHECK: %[[X:.*]] = onnx.node "Mul" opset 1(%arg0, %[[A]])
// CHECK: %[[S:.*]] = onnx.node "Sigmoid" opset 1(%[[X]])
// CHECK: onnx.node "Mul" opset 1(%arg0, %[[S]])
func.func @gelu(%x: tensor<1x?x8xf32>) -> tensor<*xf32> {
  %0 = onnx.node domain "com.microsoft" "QuickGelu" opset 1 (%x) {alpha = 2.0 : f32} named "g" : (tensor<1x?x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// Neighbours turn; rows of the tables are those of the positions; heads are split and joined again.
// CHECK-LABEL: @rotary
// CHECK: %[[H:.*]] = onnx.node "Reshape" opset 1(%arg0
// CHECK: onnx.node "Gather" opset 1(%arg2, %arg1)
// CHECK: onnx.node "Gather" opset 1(%arg3, %arg1)
// CHECK: onnx.node "Slice" opset 1(%[[H]]
// CHECK: onnx.node "Sub"
// CHECK: %[[N:.*]] = onnx.node "Concat"
// CHECK: %[[P:.*]] = onnx.node "Reshape" opset 1(%[[N]]
// CHECK: %[[R:.*]] = onnx.node "Concat" opset 1(%[[P]]
// CHECK: %[[Y:.*]] = onnx.node "Reshape" opset 1(%[[R]]
// CHECK: return %[[Y]]
func.func @rotary(%x: tensor<1x?x8xf32>, %p: tensor<1x?xi64>, %cos: tensor<16x2xf32>, %sin: tensor<16x2xf32>) -> tensor<*xf32> {
  %0 = onnx.node domain "com.microsoft" "RotaryEmbedding" opset 1 (%x, %p, %cos, %sin) {interleaved = 1 : si64, num_heads = 2 : si64} named "r" : (tensor<1x?x8xf32>, tensor<1x?xi64>, tensor<16x2xf32>, tensor<16x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// Heads that queries share, a mask that says where something is seen, the past before the keys.
// CHECK-LABEL: @attention
// CHECK: %[[K:.*]] = onnx.node "Concat" opset 23(%arg4, %arg1) {axis = 2 : si64}
// CHECK: %[[V:.*]] = onnx.node "Concat" opset 23(%arg5, %arg2) {axis = 2 : si64}
// CHECK: %[[G:.*]] = onnx.node "Gather" opset 23(%[[K]]
// CHECK: %[[T:.*]] = onnx.node "Transpose" opset 23(%[[G]])
// CHECK: %[[S:.*]] = onnx.node "MatMul" opset 23(%arg0, %[[T]])
// CHECK: %[[D:.*]] = onnx.node "Div" opset 23(%[[S]]
// CHECK: onnx.node "Where" opset 23(%arg3, %[[D]]
// CHECK: onnx.node "Softmax"
// CHECK: %[[Y:.*]] = onnx.node "MatMul"
// CHECK: return %[[Y]], %[[K]]
func.func @attention(%q: tensor<1x4x?x8xf32>, %k: tensor<1x2x?x8xf32>, %v: tensor<1x2x?x8xf32>, %m: tensor<1x1x?x?xi1>, %pk: tensor<1x2x?x8xf32>, %pv: tensor<1x2x?x8xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0:2 = onnx.node "Attention" opset 23 (%q, %k, %v, %m, %pk, %pv) {} named "a" : (tensor<1x4x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x1x?x?xi1>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0#0, %0#1 : tensor<*xf32>, tensor<*xf32>
}

// -----

module attributes {halftone.source = "a.onnx"} {
func.func @mean(%x: tensor<1x?x8xf32>, %g: !lowbit.weight<8, <f32>>) -> tensor<*xf32> {
  // expected-error @below {{a.onnx: node 'n' (com.microsoft.SkipSimplifiedLayerNormalization, opset 1): output 'mean' is not supported}}
  %0:2 = onnx.node domain "com.microsoft" "SkipSimplifiedLayerNormalization" opset 1 (%x, %x, %g) {} named "n" : (tensor<1x?x8xf32>, tensor<1x?x8xf32>, !lowbit.weight<8, <f32>>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0#1 : tensor<*xf32>
}
}

// -----

module attributes {halftone.source = "a.onnx"} {
func.func @causal(%q: tensor<1x4x?x8xf32>) -> tensor<*xf32> {
  // expected-error @below {{a.onnx: node 'a' (Attention, opset 23): parameter 'is_causal' is 1, only 0 is supported}}
  %0 = onnx.node "Attention" opset 23 (%q, %q, %q) {is_causal = 1 : si64} named "a" : (tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
}

// -----

module attributes {halftone.source = "a.onnx"} {
func.func @table(%x: tensor<1x2x?x8xf32>, %p: tensor<1x?xi64>, %cos: tensor<16x2xf32>) -> tensor<*xf32> {
  // expected-error @below {{a.onnx: node 'r' (com.microsoft.RotaryEmbedding, opset 1): parameter 'rotary_embedding_dim' is 8, the table has 2 pairs}}
  %0 = onnx.node domain "com.microsoft" "RotaryEmbedding" opset 1 (%x, %p, %cos, %cos) {rotary_embedding_dim = 8 : si64} named "r" : (tensor<1x2x?x8xf32>, tensor<1x?xi64>, tensor<16x2xf32>, tensor<16x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
}

// -----

module attributes {halftone.source = "a.onnx"} {
func.func @positions(%x: tensor<1x2x?x8xf32>, %p: tensor<1xi64>, %cos: tensor<16x2xf32>) -> tensor<*xf32> {
  // expected-error @below {{a.onnx: node 'r' (com.microsoft.RotaryEmbedding, opset 1): its positions are not [batch, tokens]}}
  %0 = onnx.node domain "com.microsoft" "RotaryEmbedding" opset 1 (%x, %p, %cos, %cos) {} named "r" : (tensor<1x2x?x8xf32>, tensor<1xi64>, tensor<16x2xf32>, tensor<16x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
}
