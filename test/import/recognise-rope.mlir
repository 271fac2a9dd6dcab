// RUN: qopt %s --recognise-rope=work=%t.bin | FileCheck %s
// RUN: od -A d -t f4 %t.bin | FileCheck %s --check-prefix=TABLES
// RUN: not qopt %s --recognise-rope 2>&1 | FileCheck %s --check-prefix=NOWORK
// NOWORK: error: recognise-rope: the tables of angles need a work file (option work)
// Rotations as different graphs spell them, and what is nearly one. Two heads of four channels, angles p and p / 10.

module attributes {halftone.context = 4 : i64} {

// CHECK: lowbit.weight @rope.cos : !lowbit.weight<4x2, <f32>> in "{{.*}}.bin" at 0
// CHECK: lowbit.weight @rope.sin : !lowbit.weight<4x2, <f32>> in "{{.*}}.bin" at 64
// CHECK-NOT: lowbit.weight
// TABLES:      0000000 1 1 0.540302{{[0-9]*}} 0.995004{{[0-9]*}}
// TABLES-NEXT: 0000016 -0.416146{{[0-9]*}} 0.980066{{[0-9]*}} -0.98999{{[0-9]*}} 0.955336{{[0-9]*}}
// TABLES:      0000064 0 0 0.8414709{{[0-9]*}} 0.0998334{{[0-9]*}}
// TABLES-NEXT: 0000080 0.909297{{[0-9]*}} 0.198669{{[0-9]*}} 0.14112{{[0-9]*}} 0.29552{{[0-9]*}}

// Halves, [1, heads, tokens, size]: x * cos + cat(-x2, x1) * sin.
// CHECK-LABEL: @halves
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>)
// CHECK-DAG: %[[COS:.*]] = lowbit.get @rope.cos
// CHECK-DAG: %[[SIN:.*]] = lowbit.get @rope.sin
// CHECK: %[[R:.*]] = lowbit.rope %[[X]], %[[COS]], %[[SIN]] at %arg1 heads 2 : tensor<?x8xf32>, !lowbit.weight<4x2, <f32>>
// CHECK: %[[B:.*]] = tensor.expand_shape %[[R]]
// CHECK: %[[H:.*]] = onnx.node "Reshape" opset 18(%[[B]],
// CHECK: %[[T:.*]] = onnx.node "Transpose" opset 18(%[[H]])
// CHECK: return %[[T]]
func.func @halves(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x8xf32>) -> tensor<1x2x?x4xf32> {
  %zero = arith.constant 0 : index
  %count = tensor.dim %tokens, %zero : tensor<?xi64>
  %end = arith.addi %past, %count : index
  %first64 = arith.index_cast %past : index to i64
  %end64 = arith.index_cast %end : index to i64
  %first = tensor.from_elements %first64 : tensor<i64>
  %last = tensor.from_elements %end64 : tensor<i64>
  %step = arith.constant dense<1> : tensor<i64>
  %0 = onnx.node "Range" opset 18 (%first, %last, %step) {} named "range" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[0, 1, 3]> : tensor<3xi64>
  %1 = onnx.node "Unsqueeze" opset 18 (%0, %axes) {} named "column" : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x?x1xi64>
  %2 = onnx.node "Cast" opset 18 (%1) {to = 1 : si64} named "float" : (tensor<1x1x?x1xi64>) -> tensor<1x1x?x1xf32>
  %frequencies = arith.constant dense<[1.0, 0.1]> : tensor<2xf32>
  %3 = onnx.node "Mul" opset 18 (%2, %frequencies) {} named "angles" : (tensor<1x1x?x1xf32>, tensor<2xf32>) -> tensor<1x1x?x2xf32>
  %4 = onnx.node "Concat" opset 18 (%3, %3) {axis = -1 : si64} named "twice" : (tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>) -> tensor<1x1x?x4xf32>
  %cos = onnx.node "Cos" opset 18 (%4) {} named "cos" : (tensor<1x1x?x4xf32>) -> tensor<1x1x?x4xf32>
  %sin = onnx.node "Sin" opset 18 (%4) {} named "sin" : (tensor<1x1x?x4xf32>) -> tensor<1x1x?x4xf32>
  %b = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %shape = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %h = onnx.node "Reshape" opset 18 (%b, %shape) {} named "heads" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %t = onnx.node "Transpose" opset 18 (%h) {perm = array<i64: 0, 2, 1, 3>} named "turned" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %sizes = arith.constant dense<[2, 2]> : tensor<2xi64>
  %x1, %x2 = onnx.node "Split" opset 18 (%t, %sizes) {axis = -1 : si64} named "halves" : (tensor<1x2x?x4xf32>, tensor<2xi64>) -> (tensor<1x2x?x2xf32>, tensor<1x2x?x2xf32>)
  %n = onnx.node "Neg" opset 18 (%x2) {} named "neg" : (tensor<1x2x?x2xf32>) -> tensor<1x2x?x2xf32>
  %r = onnx.node "Concat" opset 18 (%n, %x1) {axis = 3 : si64} named "rotated" : (tensor<1x2x?x2xf32>, tensor<1x2x?x2xf32>) -> tensor<1x2x?x4xf32>
  %5 = onnx.node "Mul" opset 18 (%t, %cos) {} named "c" : (tensor<1x2x?x4xf32>, tensor<1x1x?x4xf32>) -> tensor<1x2x?x4xf32>
  %6 = onnx.node "Mul" opset 18 (%r, %sin) {} named "s" : (tensor<1x2x?x4xf32>, tensor<1x1x?x4xf32>) -> tensor<1x2x?x4xf32>
  %7 = onnx.node "Add" opset 18 (%5, %6) {} named "rope" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %7 : tensor<1x2x?x4xf32>
}

// The same of eight of sixteen channels.
// CHECK-LABEL: @part
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x16xf32>)
// CHECK: %[[P:.*]] = tensor.extract_slice %[[X]][0, 4] [%{{.*}}, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
// CHECK: lowbit.rope %[[P]], %{{.*}}, %{{.*}} at %arg1 heads 2 : tensor<?x8xf32>
func.func @part(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x16xf32>) -> tensor<1x2x?x4xf32> {
  %zero = arith.constant 0 : index
  %count = tensor.dim %tokens, %zero : tensor<?xi64>
  %end = arith.addi %past, %count : index
  %first64 = arith.index_cast %past : index to i64
  %end64 = arith.index_cast %end : index to i64
  %first = tensor.from_elements %first64 : tensor<i64>
  %last = tensor.from_elements %end64 : tensor<i64>
  %step = arith.constant dense<1> : tensor<i64>
  %0 = onnx.node "Range" opset 18 (%first, %last, %step) {} named "range" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[0, 1, 3]> : tensor<3xi64>
  %1 = onnx.node "Unsqueeze" opset 18 (%0, %axes) {} named "column" : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x?x1xi64>
  %2 = onnx.node "Cast" opset 18 (%1) {to = 1 : si64} named "float" : (tensor<1x1x?x1xi64>) -> tensor<1x1x?x1xf32>
  %frequencies = arith.constant dense<[1.0, 0.1]> : tensor<2xf32>
  %3 = onnx.node "Mul" opset 18 (%2, %frequencies) {} named "angles" : (tensor<1x1x?x1xf32>, tensor<2xf32>) -> tensor<1x1x?x2xf32>
  %4 = onnx.node "Concat" opset 18 (%3, %3) {axis = -1 : si64} named "twice" : (tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>) -> tensor<1x1x?x4xf32>
  %cos = onnx.node "Cos" opset 18 (%4) {} named "cos" : (tensor<1x1x?x4xf32>) -> tensor<1x1x?x4xf32>
  %sin = onnx.node "Sin" opset 18 (%4) {} named "sin" : (tensor<1x1x?x4xf32>) -> tensor<1x1x?x4xf32>
  %all = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %from = arith.constant dense<4> : tensor<1xi64>
  %to = arith.constant dense<12> : tensor<1xi64>
  %axis = arith.constant dense<2> : tensor<1xi64>
  %b = onnx.node "Slice" opset 18 (%all, %from, %to, %axis) {} named "part" : (tensor<1x?x16xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x8xf32>
  %shape = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %h = onnx.node "Reshape" opset 18 (%b, %shape) {} named "heads" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %t = onnx.node "Transpose" opset 18 (%h) {perm = array<i64: 0, 2, 1, 3>} named "turned" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %sizes = arith.constant dense<[2, 2]> : tensor<2xi64>
  %x1, %x2 = onnx.node "Split" opset 18 (%t, %sizes) {axis = -1 : si64} named "halves" : (tensor<1x2x?x4xf32>, tensor<2xi64>) -> (tensor<1x2x?x2xf32>, tensor<1x2x?x2xf32>)
  %n = onnx.node "Neg" opset 18 (%x2) {} named "neg" : (tensor<1x2x?x2xf32>) -> tensor<1x2x?x2xf32>
  %r = onnx.node "Concat" opset 18 (%n, %x1) {axis = 3 : si64} named "rotated" : (tensor<1x2x?x2xf32>, tensor<1x2x?x2xf32>) -> tensor<1x2x?x4xf32>
  %5 = onnx.node "Mul" opset 18 (%t, %cos) {} named "c" : (tensor<1x2x?x4xf32>, tensor<1x1x?x4xf32>) -> tensor<1x2x?x4xf32>
  %6 = onnx.node "Mul" opset 18 (%r, %sin) {} named "s" : (tensor<1x2x?x4xf32>, tensor<1x1x?x4xf32>) -> tensor<1x2x?x4xf32>
  %7 = onnx.node "Add" opset 18 (%5, %6) {} named "rope" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %7 : tensor<1x2x?x4xf32>
}

// Neighbours, [1, tokens, heads, size], through [.., pairs, 2]: (a cos - b sin, b cos + a sin) stacked. The same tables.
// CHECK-LABEL: @neighbours
// CHECK: lowbit.rope %{{.*}}, %{{.*}}, %{{.*}} at %arg1 heads 2 interleaved : tensor<?x8xf32>
// CHECK-NOT: onnx.node "Transpose"
func.func @neighbours(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x8xf32>) -> tensor<1x?x2x4xf32> {
  %zero = arith.constant 0 : index
  %count = tensor.dim %tokens, %zero : tensor<?xi64>
  %end = arith.addi %past, %count : index
  %first64 = arith.index_cast %past : index to i64
  %end64 = arith.index_cast %end : index to i64
  %first = tensor.from_elements %first64 : tensor<i64>
  %last = tensor.from_elements %end64 : tensor<i64>
  %step = arith.constant dense<1> : tensor<i64>
  %0 = onnx.node "Range" opset 18 (%first, %last, %step) {} named "range" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[0, 2, 3]> : tensor<3xi64>
  %1 = onnx.node "Unsqueeze" opset 18 (%0, %axes) {} named "column" : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x?x1x1xi64>
  %2 = onnx.node "Cast" opset 18 (%1) {to = 1 : si64} named "float" : (tensor<1x?x1x1xi64>) -> tensor<1x?x1x1xf32>
  %frequencies = arith.constant dense<[1.0, 0.1]> : tensor<2xf32>
  %3 = onnx.node "Mul" opset 18 (%2, %frequencies) {} named "angles" : (tensor<1x?x1x1xf32>, tensor<2xf32>) -> tensor<1x?x1x2xf32>
  %cos = onnx.node "Cos" opset 18 (%3) {} named "cos" : (tensor<1x?x1x2xf32>) -> tensor<1x?x1x2xf32>
  %sin = onnx.node "Sin" opset 18 (%3) {} named "sin" : (tensor<1x?x1x2xf32>) -> tensor<1x?x1x2xf32>
  %b = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %shape = arith.constant dense<[1, -1, 2, 2, 2]> : tensor<5xi64>
  %p = onnx.node "Reshape" opset 18 (%b, %shape) {} named "pairs" : (tensor<1x?x8xf32>, tensor<5xi64>) -> tensor<1x?x2x2x2xf32>
  %i0 = arith.constant dense<0> : tensor<i64>
  %i1 = arith.constant dense<1> : tensor<i64>
  %a1 = onnx.node "Gather" opset 18 (%p, %i0) {axis = -1 : si64} named "evens" : (tensor<1x?x2x2x2xf32>, tensor<i64>) -> tensor<1x?x2x2xf32>
  %b1 = onnx.node "Gather" opset 18 (%p, %i1) {axis = -1 : si64} named "odds" : (tensor<1x?x2x2x2xf32>, tensor<i64>) -> tensor<1x?x2x2xf32>
  %5 = onnx.node "Mul" opset 18 (%a1, %cos) {} named "ac" : (tensor<1x?x2x2xf32>, tensor<1x?x1x2xf32>) -> tensor<1x?x2x2xf32>
  %6 = onnx.node "Mul" opset 18 (%b1, %sin) {} named "bs" : (tensor<1x?x2x2xf32>, tensor<1x?x1x2xf32>) -> tensor<1x?x2x2xf32>
  %7 = onnx.node "Sub" opset 18 (%5, %6) {} named "re" : (tensor<1x?x2x2xf32>, tensor<1x?x2x2xf32>) -> tensor<1x?x2x2xf32>
  %8 = onnx.node "Mul" opset 18 (%b1, %cos) {} named "bc" : (tensor<1x?x2x2xf32>, tensor<1x?x1x2xf32>) -> tensor<1x?x2x2xf32>
  %9 = onnx.node "Mul" opset 18 (%a1, %sin) {} named "as" : (tensor<1x?x2x2xf32>, tensor<1x?x1x2xf32>) -> tensor<1x?x2x2xf32>
  %10 = onnx.node "Add" opset 18 (%8, %9) {} named "im" : (tensor<1x?x2x2xf32>, tensor<1x?x2x2xf32>) -> tensor<1x?x2x2xf32>
  %one = arith.constant dense<-1> : tensor<1xi64>
  %re = onnx.node "Unsqueeze" opset 18 (%7, %one) {} named "re1" : (tensor<1x?x2x2xf32>, tensor<1xi64>) -> tensor<1x?x2x2x1xf32>
  %im = onnx.node "Unsqueeze" opset 18 (%10, %one) {} named "im1" : (tensor<1x?x2x2xf32>, tensor<1xi64>) -> tensor<1x?x2x2x1xf32>
  %c = onnx.node "Concat" opset 18 (%re, %im) {axis = -1 : si64} named "stack" : (tensor<1x?x2x2x1xf32>, tensor<1x?x2x2x1xf32>) -> tensor<1x?x2x2x2xf32>
  %flat = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %r = onnx.node "Reshape" opset 18 (%c, %flat) {} named "rope" : (tensor<1x?x2x2x2xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  return %r : tensor<1x?x2x4xf32>
}

// Both halves turn the same way: x cos + cat(x2, x1) sin is no rotation.
// CHECK-LABEL: @mirrored
// CHECK-NOT: lowbit.rope
// CHECK: onnx.node "Add" opset 18{{.*}} named "no rope"
func.func @mirrored(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x8xf32>) -> tensor<1x?x2x4xf32> {
  %zero = arith.constant 0 : index
  %count = tensor.dim %tokens, %zero : tensor<?xi64>
  %end = arith.addi %past, %count : index
  %first64 = arith.index_cast %past : index to i64
  %end64 = arith.index_cast %end : index to i64
  %first = tensor.from_elements %first64 : tensor<i64>
  %last = tensor.from_elements %end64 : tensor<i64>
  %step = arith.constant dense<1> : tensor<i64>
  %0 = onnx.node "Range" opset 18 (%first, %last, %step) {} named "range" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[0, 2, 3]> : tensor<3xi64>
  %1 = onnx.node "Unsqueeze" opset 18 (%0, %axes) {} named "column" : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x?x1x1xi64>
  %2 = onnx.node "Cast" opset 18 (%1) {to = 1 : si64} named "float" : (tensor<1x?x1x1xi64>) -> tensor<1x?x1x1xf32>
  %frequencies = arith.constant dense<[1.0, 0.1, 1.0, 0.1]> : tensor<4xf32>
  %3 = onnx.node "Mul" opset 18 (%2, %frequencies) {} named "angles" : (tensor<1x?x1x1xf32>, tensor<4xf32>) -> tensor<1x?x1x4xf32>
  %cos = onnx.node "Cos" opset 18 (%3) {} named "cos" : (tensor<1x?x1x4xf32>) -> tensor<1x?x1x4xf32>
  %sin = onnx.node "Sin" opset 18 (%3) {} named "sin" : (tensor<1x?x1x4xf32>) -> tensor<1x?x1x4xf32>
  %b = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %shape = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %h = onnx.node "Reshape" opset 18 (%b, %shape) {} named "heads" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %x1, %x2 = onnx.node "Split" opset 18 (%h) {axis = -1 : si64} named "halves" : (tensor<1x?x2x4xf32>) -> (tensor<1x?x2x2xf32>, tensor<1x?x2x2xf32>)
  %r = onnx.node "Concat" opset 18 (%x2, %x1) {axis = 3 : si64} named "swapped" : (tensor<1x?x2x2xf32>, tensor<1x?x2x2xf32>) -> tensor<1x?x2x4xf32>
  %5 = onnx.node "Mul" opset 18 (%h, %cos) {} named "c" : (tensor<1x?x2x4xf32>, tensor<1x?x1x4xf32>) -> tensor<1x?x2x4xf32>
  %6 = onnx.node "Mul" opset 18 (%r, %sin) {} named "s" : (tensor<1x?x2x4xf32>, tensor<1x?x1x4xf32>) -> tensor<1x?x2x4xf32>
  %7 = onnx.node "Add" opset 18 (%5, %6) {} named "no rope" : (tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  return %7 : tensor<1x?x2x4xf32>
}
}
