// RUN: qopt %s --split-input-file --verify-diagnostics --recognise-attention | FileCheck %s
// Attention as different graphs spell it, and masks that are not causal. Four query heads of four share two of the cache.

// Past and new keys, an added mask, the scale on both sides, a guard against rows of NaN.
// CHECK: lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4>
// CHECK-LABEL: @cached
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x16xf32>, %[[K:[a-z0-9]+]]: tensor<?x8xf32>, %[[V:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK: %[[C:.*]] = lowbit.get @cache.0
// CHECK: lowbit.append %[[K]], %[[V]] to %[[C]] at %arg1 : tensor<?x8xf32>
// CHECK: %[[A:.*]] = lowbit.attention %[[Q]], %[[C]] at %arg1 heads 4 scale 2.500000e-01 : tensor<?x16xf32>
// CHECK: %[[B:.*]] = tensor.expand_shape %[[A]]
// CHECK-NOT: onnx.node "Softmax"
module attributes {halftone.context = 128 : i64} {
func.func @cached(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2all, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2all, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %added = onnx.node "Where" opset 18 (%m, %nothing, %lowest) {} named "added" : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %sm = onnx.node "Add" opset 18 (%s0, %added) {} named "masked" : (tensor<1x4x?x?xf32>, tensor<?x?xf32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}

// No past: the graph gets a cache. The mask chooses, the scale divides the scores.
// CHECK: lowbit.cache @cache.1 : !lowbit.cache<heads 2, size 4>
// CHECK-LABEL: @cacheless
// CHECK: lowbit.append
// CHECK: lowbit.attention %{{.*}}, %{{.*}} at %arg1 heads 4 scale 5.000000e-01
// CHECK-NOT: onnx.node "Softmax"
func.func @cacheless(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %c0, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %p = arith.constant dense<0> : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%q4, %kt) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %s1 = onnx.node "Div" opset 18 (%s0, %two) {} named "scaled" : (tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %sm = onnx.node "Where" opset 18 (%m, %s1, %lowest) {} named "masked" : (tensor<?x?xi1>, tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pr, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}

// Queries, keys and values are parts of one activation.
// CHECK: lowbit.cache @cache.2 : !lowbit.cache<heads 2, size 4>
// CHECK-LABEL: @joined
// CHECK-DAG: %[[K:.*]] = tensor.extract_slice %[[X:.*]][0, 16] [%{{.*}}, 8] [1, 1] : tensor<?x32xf32> to tensor<?x8xf32>
// CHECK-DAG: %[[V:.*]] = tensor.extract_slice %[[X]][0, 24] [%{{.*}}, 8] [1, 1] : tensor<?x32xf32> to tensor<?x8xf32>
// CHECK: lowbit.append %[[K]], %[[V]]
// CHECK: %[[Q:.*]] = tensor.extract_slice %[[X]][0, 0] [%{{.*}}, 16] [1, 1] : tensor<?x32xf32> to tensor<?x16xf32>
// CHECK: lowbit.attention %[[Q]], %{{.*}} at %arg1 heads 4 scale 5.000000e-01
func.func @joined(%tokens: tensor<?xi64>, %past: index, %x: tensor<?x32xf32>) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %c0, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %p = arith.constant dense<0> : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %xb = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %count, 32] : tensor<?x32xf32> into tensor<1x?x32xf32>
  %i0 = arith.constant dense<0> : tensor<1xi64>
  %i16 = arith.constant dense<16> : tensor<1xi64>
  %i24 = arith.constant dense<24> : tensor<1xi64>
  %i32 = arith.constant dense<32> : tensor<1xi64>
  %last = arith.constant dense<-1> : tensor<1xi64>
  %qb = onnx.node "Slice" opset 18 (%xb, %i0, %i16, %last) {} named "qb" : (tensor<1x?x32xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = onnx.node "Slice" opset 18 (%xb, %i16, %i24, %last) {} named "kb" : (tensor<1x?x32xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = onnx.node "Slice" opset 18 (%xb, %i24, %i32, %last) {} named "vb" : (tensor<1x?x32xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%q4, %kt) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %s1 = onnx.node "Div" opset 18 (%s0, %two) {} named "scaled" : (tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %sm = onnx.node "Where" opset 18 (%m, %s1, %lowest) {} named "masked" : (tensor<?x?xi1>, tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pr, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// Each token sees the one after it too.
module attributes {halftone.context = 128 : i64} {
func.func @ahead(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2all, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2all, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  // expected-error @below {{node 'mask' (Less, opset 18): the attention mask is not causal: token 5 does not see position 5}}
  %m = onnx.node "Less" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %sm = onnx.node "Where" opset 18 (%m, %s0, %lowest) {} named "masked" : (tensor<?x?xi1>, tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// A window of 100 positions shows only for the last token of the context.
module attributes {halftone.context = 128 : i64} {
func.func @window(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2all, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2all, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %w = arith.constant dense<100> : tensor<i64>
  %edge = onnx.node "Sub" opset 18 (%i, %w) {} named "edge" : (tensor<?x1xi64>, tensor<i64>) -> tensor<?x1xi64>
  %near = onnx.node "Greater" opset 18 (%columns, %edge) {} named "near" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %upto = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "upto" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  // expected-error @below {{node 'window' (And, opset 18): the attention mask is not causal: token 127 does not see position 0}}
  %m = onnx.node "And" opset 18 (%near, %upto) {} named "window" : (tensor<?x?xi1>, tensor<?x?xi1>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %sm = onnx.node "Where" opset 18 (%m, %s0, %lowest) {} named "masked" : (tensor<?x?xi1>, tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// The same without a past.
module attributes {halftone.context = 128 : i64} {
func.func @windowWithoutPast(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %c0, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %p = arith.constant dense<0> : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %w = arith.constant dense<100> : tensor<i64>
  %edge = onnx.node "Sub" opset 18 (%i, %w) {} named "edge" : (tensor<?x1xi64>, tensor<i64>) -> tensor<?x1xi64>
  %near = onnx.node "Greater" opset 18 (%columns, %edge) {} named "near" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %upto = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "upto" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %m = onnx.node "And" opset 18 (%near, %upto) {} named "window" : (tensor<?x?xi1>, tensor<?x?xi1>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  // expected-error @below {{the attention mask is not causal: token 100 does not see position 0}}
  %added = onnx.node "Where" opset 18 (%m, %nothing, %lowest) {} named "added" : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %sm = onnx.node "Add" opset 18 (%s0, %added) {} named "masked" : (tensor<1x4x?x?xf32>, tensor<?x?xf32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// No mask at all.
module attributes {halftone.context = 128 : i64} {
func.func @bidirectional(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2all, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2all, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  // expected-error @below {{node 'softmax' (Softmax, opset 18): attention has no mask: tokens see what comes after them}}
  %pr = onnx.node "Softmax" opset 18 (%s0) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// A number that is neither nothing nor a mask.
module attributes {halftone.context = 128 : i64} {
func.func @biased(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2all, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2all, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %far = arith.constant dense<-2.0> : tensor<f32>
  // expected-error @below {{the attention mask is not causal: it adds a finite number at token 5, position 0}}
  %added = onnx.node "Where" opset 18 (%m, %far, %lowest) {} named "added" : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %sm = onnx.node "Add" opset 18 (%s0, %added) {} named "masked" : (tensor<1x4x?x?xf32>, tensor<?x?xf32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// The heads of the keys are shared in another order than groups.
module attributes {halftone.context = 128 : i64} {
func.func @otherGroups(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keys = onnx.node "Concat" opset 18 (%k2all, %k2all) {axis = 1 : si64} named "keys" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x4x?x4xf32>
  %values = onnx.node "Concat" opset 18 (%v2all, %v2all) {axis = 1 : si64} named "values" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  // expected-error @below {{node 'scores' (MatMul, opset 18): its right side is no activation split into heads}}
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %added = onnx.node "Where" opset 18 (%m, %nothing, %lowest) {} named "added" : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %sm = onnx.node "Add" opset 18 (%s0, %added) {} named "masked" : (tensor<1x4x?x?xf32>, tensor<?x?xf32>) -> tensor<1x4x?x?xf32>
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = -1 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}

// -----

// Over the tokens instead of the positions.
module attributes {halftone.context = 128 : i64} {
func.func @otherAxis(%tokens: tensor<?xi64>, %past: index, %q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %pk: tensor<1x2x?x4xf32> {halftone.past}, %pv: tensor<1x2x?x4xf32> {halftone.past}) -> tensor<1x4x?x4xf32> {
  %c0 = arith.constant 0 : index
  %count = tensor.dim %tokens, %c0 : tensor<?xi64>
  %total = arith.addi %past, %count : index
  %count64 = arith.index_cast %count : index to i64
  %total64 = arith.index_cast %total : index to i64
  %n = tensor.from_elements %count64 : tensor<i64>
  %t = tensor.from_elements %total64 : tensor<i64>
  %past64 = arith.index_cast %past : index to i64
  %p = tensor.from_elements %past64 : tensor<i64>
  %zero = arith.constant dense<0> : tensor<i64>
  %one = arith.constant dense<1> : tensor<i64>
  %rows = onnx.node "Range" opset 18 (%p, %t, %one) {} named "rows" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %columns = onnx.node "Range" opset 18 (%zero, %t, %one) {} named "columns" : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %axes = arith.constant dense<[1]> : tensor<1xi64>
  %i = onnx.node "Unsqueeze" opset 18 (%rows, %axes) {} named "i" : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, %count, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  %qs = arith.constant dense<[1, -1, 4, 4]> : tensor<4xi64>
  %qh = onnx.node "Reshape" opset 18 (%qb, %qs) {} named "qh" : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x4x4xf32>
  %q4 = onnx.node "Transpose" opset 18 (%qh) {perm = array<i64: 0, 2, 1, 3>} named "q4" : (tensor<1x?x4x4xf32>) -> tensor<1x4x?x4xf32>
  %kb = tensor.expand_shape %k [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %ks = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %kh = onnx.node "Reshape" opset 18 (%kb, %ks) {} named "kh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %k2 = onnx.node "Transpose" opset 18 (%kh) {perm = array<i64: 0, 2, 1, 3>} named "k2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, %count, 8] : tensor<?x8xf32> into tensor<1x?x8xf32>
  %vs = arith.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %vh = onnx.node "Reshape" opset 18 (%vb, %vs) {} named "vh" : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %v2 = onnx.node "Transpose" opset 18 (%vh) {perm = array<i64: 0, 2, 1, 3>} named "v2" : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k2all = onnx.node "Concat" opset 18 (%pk, %k2) {axis = -2 : si64} named "present k2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %v2all = onnx.node "Concat" opset 18 (%pv, %v2) {axis = -2 : si64} named "present v2" : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %keysaxes = arith.constant dense<[2]> : tensor<1xi64>
  %keys5 = onnx.node "Unsqueeze" opset 18 (%k2all, %keysaxes) {} named "keys5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %keysto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %keys2 = onnx.node "Expand" opset 18 (%keys5, %keysto) {} named "keys2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %keys4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %keys = onnx.node "Reshape" opset 18 (%keys2, %keys4) {} named "keys" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %valuesaxes = arith.constant dense<[2]> : tensor<1xi64>
  %values5 = onnx.node "Unsqueeze" opset 18 (%v2all, %valuesaxes) {} named "values5" : (tensor<1x2x?x4xf32>, tensor<1xi64>) -> tensor<1x2x1x?x4xf32>
  %valuesto = arith.constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %values2 = onnx.node "Expand" opset 18 (%values5, %valuesto) {} named "values2" : (tensor<1x2x1x?x4xf32>, tensor<5xi64>) -> tensor<1x2x2x?x4xf32>
  %values4 = arith.constant dense<[1, 4, -1, 4]> : tensor<4xi64>
  %values = onnx.node "Reshape" opset 18 (%values2, %values4) {} named "values" : (tensor<1x2x2x?x4xf32>, tensor<4xi64>) -> tensor<1x4x?x4xf32>
  %kt = onnx.node "Transpose" opset 18 (%keys) {perm = array<i64: 0, 1, 3, 2>} named "kt" : (tensor<1x4x?x4xf32>) -> tensor<1x4x4x?xf32>
  %root = arith.constant dense<0.5> : tensor<f32>
  %qs2 = onnx.node "Mul" opset 18 (%q4, %root) {} named "qs" : (tensor<1x4x?x4xf32>, tensor<f32>) -> tensor<1x4x?x4xf32>
  %ks2 = onnx.node "Mul" opset 18 (%root, %kt) {} named "ks" : (tensor<f32>, tensor<1x4x4x?xf32>) -> tensor<1x4x4x?xf32>
  %s0 = onnx.node "MatMul" opset 18 (%qs2, %ks2) {} named "scores" : (tensor<1x4x?x4xf32>, tensor<1x4x4x?xf32>) -> tensor<1x4x?x?xf32>
  %m = onnx.node "LessOrEqual" opset 18 (%columns, %i) {} named "mask" : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lowest = arith.constant dense<0xFF800000> : tensor<f32>
  %nothing = arith.constant dense<0.0> : tensor<f32>
  %added = onnx.node "Where" opset 18 (%m, %nothing, %lowest) {} named "added" : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %sm = onnx.node "Add" opset 18 (%s0, %added) {} named "masked" : (tensor<1x4x?x?xf32>, tensor<?x?xf32>) -> tensor<1x4x?x?xf32>
  // expected-error @below {{node 'softmax' (Softmax, opset 18): is not over the positions of [batch, heads, tokens, positions]}}
  %pr = onnx.node "Softmax" opset 18 (%sm) {axis = 2 : si64} named "softmax" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %nan = onnx.node "IsNaN" opset 18 (%pr) {} named "nan" : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xi1>
  %fill = arith.constant dense<0.0> : tensor<f32>
  %pg = onnx.node "Where" opset 18 (%nan, %fill, %pr) {} named "guard" : (tensor<1x4x?x?xi1>, tensor<f32>, tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = onnx.node "MatMul" opset 18 (%pg, %values) {} named "output" : (tensor<1x4x?x?xf32>, tensor<1x4x?x4xf32>) -> tensor<1x4x?x4xf32>
  return %o : tensor<1x4x?x4xf32>
}
}
