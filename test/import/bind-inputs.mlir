// RUN: qopt %s --split-input-file --verify-diagnostics --bind-inputs | FileCheck %s
// What each input is, by what becomes of it; names say nothing.

// CHECK-LABEL: func.func @forward(%arg0: tensor<?xi64>, %arg1: index, %arg2: tensor<1x2x?x4xf32>
// CHECK-SAME: halftone.past
// CHECK-DAG: %[[N:.*]] = tensor.dim %arg0
// CHECK-DAG: %[[T:.*]] = arith.addi %arg1, %[[N]]
// CHECK-DAG: %[[MASK:.*]] = tensor.splat %{{.*}}[%[[T]]] : tensor<1x?xi64>
// CHECK-DAG: %[[RANGE:.*]] = onnx.node "Range"
// CHECK-DAG: %[[POSITIONS:.*]] = tensor.expand_shape %[[RANGE]]
// CHECK-DAG: %[[IDS:.*]] = tensor.expand_shape %arg0
// CHECK: onnx.node "Gather" opset 18(%{{.*}}, %[[IDS]])
// CHECK: onnx.node "Cast" opset 18(%[[POSITIONS]]) {to = 1 : si64}
// CHECK: onnx.node "Cast" opset 18(%[[MASK]]) {to = 9 : si64}
lowbit.weight @table : !lowbit.weight<16x4, <f32>> in "a.onnx" at 0
func.func @graph(%a: tensor<?x?xi64> {onnx.name = "c", onnx.dimensions = ["b", "all"]},
                 %b: tensor<?x?xi64> {onnx.name = "a", onnx.dimensions = ["b", "n"]},
                 %c: tensor<?x?xi64> {onnx.name = "b", onnx.dimensions = ["b", "n"]},
                 %k: tensor<?x2x?x4xf32> {onnx.name = "k", onnx.dimensions = ["b", "2", "p", "4"]})
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %t = lowbit.get @table : !lowbit.weight<16x4, <f32>>
  %x = onnx.node "Gather" opset 18 (%t, %b) {} named "x" : (!lowbit.weight<16x4, <f32>>, tensor<?x?xi64>) -> tensor<*xf32>
  %s = onnx.node "Mul" opset 18 (%x, %x) {} named "s" : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %f = onnx.node "Cast" opset 18 (%c) {to = 1 : si64} named "f" : (tensor<?x?xi64>) -> tensor<*xf32>
  %cos = onnx.node "Cos" opset 18 (%f) {} named "cos" : (tensor<*xf32>) -> tensor<*xf32>
  %m = onnx.node "Cast" opset 18 (%a) {to = 9 : si64} named "m" : (tensor<?x?xi64>) -> tensor<*xf32>
  %p = onnx.node "Concat" opset 18 (%k, %k) {axis = 2 : si64} named "p" : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<*xf32>
  return %s, %cos, %m, %p, %x : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// No ids: this is no decoder.
module attributes {halftone.source = "a.onnx"} {
// expected-error @below {{a.onnx: no input of integers names rows of an embedding table: this is no decoder of token ids}}
func.func @graph(%x: tensor<?x?xf32> {onnx.name = "pixels", onnx.dimensions = ["b", "n"]}) -> tensor<*xf32> {
  %y = onnx.node "Neg" opset 18 (%x) {} named "y" : (tensor<?x?xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
}

// -----

// An input that is none of what a decoder has.
module attributes {halftone.source = "a.onnx"} {
lowbit.weight @table : !lowbit.weight<16x4, <f32>> in "a.onnx" at 0
func.func @graph(%ids: tensor<?x?xi64> {onnx.name = "ids", onnx.dimensions = ["b", "n"]},
// expected-error @below {{a.onnx: input 'style': is 'tensor<8xf32>'; only token ids, positions, a mask and past keys and values are understood}}
                 %e: tensor<8xf32> {onnx.name = "style", onnx.dimensions = ["8"]}) -> tensor<*xf32> {
  %t = lowbit.get @table : !lowbit.weight<16x4, <f32>>
  %x = onnx.node "Gather" opset 18 (%t, %ids) {} named "x" : (!lowbit.weight<16x4, <f32>>, tensor<?x?xi64>) -> tensor<*xf32>
  %s = onnx.node "Add" opset 18 (%x, %e) {} named "s" : (tensor<*xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %s : tensor<*xf32>
}
}

// -----

// A weight may have any name.
// CHECK-DAG: lowbit.weight @[[W:forward_[0-9]+]] : !lowbit.weight<16x4, <f32>>
// CHECK-DAG: func.func @forward(
// CHECK: lowbit.get @[[W]]
lowbit.weight @forward : !lowbit.weight<16x4, <f32>> in "a.onnx" at 0
func.func @graph(%ids: tensor<?x?xi64> {onnx.name = "ids", onnx.dimensions = ["b", "n"]}) -> tensor<*xf32> {
  %t = lowbit.get @forward : !lowbit.weight<16x4, <f32>>
  %x = onnx.node "Gather" opset 18 (%t, %ids) {} named "x" : (!lowbit.weight<16x4, <f32>>, tensor<?x?xi64>) -> tensor<*xf32>
  %s = onnx.node "Mul" opset 18 (%x, %x) {} named "s" : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %s : tensor<*xf32>
}

// -----

// A size of the past that the file only has a name for is that of what is put behind it; the table may be turned round.
// CHECK: func.func @forward(%arg0: tensor<?xi64>, %arg1: index, %arg2: tensor<1x2x?x4xf32>
lowbit.weight @head : !lowbit.weight<8x16, <f32>> in "a.onnx" at 0
func.func @graph(%ids: tensor<?x?xi64> {onnx.name = "ids", onnx.dimensions = ["b", "n"]},
                 %k: tensor<?x2x?x?xf32> {onnx.name = "k", onnx.dimensions = ["b", "2", "p", "size"]}) -> (tensor<*xf32>, tensor<*xf32>) {
  %w = lowbit.get @head : !lowbit.weight<8x16, <f32>>
  %t = onnx.node "Transpose" opset 18 (%w) {perm = array<i64: 1, 0>} named "t" : (!lowbit.weight<8x16, <f32>>) -> tensor<*xf32>
  %x = onnx.node "Gather" opset 18 (%t, %ids) {} named "x" : (tensor<*xf32>, tensor<?x?xi64>) -> tensor<*xf32>
  %s = onnx.node "Mul" opset 18 (%x, %x) {} named "s" : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %shape = arith.constant dense<[0, 0, 2, -1]> : tensor<4xi64>
  %h = onnx.node "Reshape" opset 18 (%s, %shape) {} named "h" : (tensor<*xf32>, tensor<4xi64>) -> tensor<*xf32>
  %h2 = onnx.node "Transpose" opset 18 (%h) {perm = array<i64: 0, 2, 1, 3>} named "h2" : (tensor<*xf32>) -> tensor<*xf32>
  %p = onnx.node "Concat" opset 18 (%k, %h2) {axis = -2 : si64} named "p" : (tensor<?x2x?x?xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %x, %p : tensor<*xf32>, tensor<*xf32>
}

// -----

module attributes {halftone.source = "a.onnx"} {
lowbit.weight @table : !lowbit.weight<16x4, <f32>> in "a.onnx" at 0
func.func @graph(%ids: tensor<?x?xi64> {onnx.name = "ids", onnx.dimensions = ["b", "n"]},
// expected-error @below {{a.onnx: input 'k': past keys or values are 'tensor<1x2x?x?xf32>': one dimension after the batch must be dynamic}}
                 %k: tensor<?x2x?x?xf32> {onnx.name = "k", onnx.dimensions = ["b", "2", "p", "size"]}) -> (tensor<*xf32>, tensor<*xf32>) {
  %t = lowbit.get @table : !lowbit.weight<16x4, <f32>>
  %x = onnx.node "Gather" opset 18 (%t, %ids) {} named "x" : (!lowbit.weight<16x4, <f32>>, tensor<?x?xi64>) -> tensor<*xf32>
  %s = onnx.node "Mul" opset 18 (%x, %x) {} named "s" : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %n = onnx.node "Neg" opset 18 (%k) {} named "n" : (tensor<?x2x?x?xf32>) -> tensor<*xf32>
  return %s, %n : tensor<*xf32>, tensor<*xf32>
}
}
