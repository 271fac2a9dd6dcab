// RUN: qopt %s --convert-nodes --split-input-file | FileCheck %s
// Nodes become linalg and tensor operations; what follows from shapes and constants alone becomes a constant. That each
// operator computes what it should, test_operators.py tests against ONNX Runtime.

// Shape and what is computed from it are gone, and the reshape that they were for knows its result.
// CHECK-LABEL: func.func @shapes
// CHECK-SAME: (%[[X:.*]]: tensor<2x6xf32>, %{{.*}}: tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NOT: onnx.node
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1]] : tensor<2x6xf32> into tensor<12xf32>
// CHECK: %[[Y:.*]] = tensor.expand_shape %[[FLAT]] {{\[\[}}0, 1]] output_shape [3, 4]
// CHECK: return %[[Y]]
func.func @shapes(%x: tensor<2x6xf32>, %like: tensor<3x4xf32>) -> tensor<*xf32> {
  %0 = onnx.node "Shape" opset 18 (%like) {} named "shape" : (tensor<3x4xf32>) -> tensor<*xf32>
  %1 = onnx.node "Reshape" opset 18 (%x, %0) {} named "reshape" : (tensor<2x6xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// Loops of a product: rows, sums, columns, so that the innermost loop runs along memory. Halves are summed in f32.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[C:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: func.func @product
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #[[C]]], iterator_types = ["parallel", "reduction", "parallel"]}
// CHECK-SAME: outs(%{{.*}} : tensor<2x4xf32>)
// CHECK: arith.extf
// CHECK: arith.mulf {{.*}} fastmath<reassoc,contract> : f32
func.func @product(%a: tensor<2x3xf16>, %b: tensor<3x4xf16>) -> tensor<*xf32> {
  %0 = onnx.node "MatMul" opset 18 (%a, %b) {} named "product" : (tensor<2x3xf16>, tensor<3x4xf16>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// A dimension of 1 is read at 0 instead of copied.
// CHECK: #[[BROADCAST:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[BROADCAST]], #{{.*}}], iterator_types = ["parallel", "parallel"]}
// CHECK: arith.addf
func.func @broadcast(%a: tensor<2x3xf32>, %b: tensor<2x1xf32>) -> tensor<*xf32> {
  %0 = onnx.node "Add" opset 18 (%a, %b) {} named "sum" : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// What has no elements is made and not computed.
// CHECK-LABEL: func.func @nothing
// CHECK: %[[NONE:.*]] = tensor.empty() : tensor<2x0x4xf32>
// CHECK-NOT: linalg
// CHECK: return %[[NONE]]
func.func @nothing(%a: tensor<2x0x4xf32>) -> tensor<*xf32> {
  %0 = onnx.node "Exp" opset 18 (%a) {} named "exp" : (tensor<2x0x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Unsigned integers become signless, and are extended as what they are.
// CHECK-LABEL: func.func @unsigned
// CHECK-SAME: tensor<3xi8>
// CHECK: arith.uitofp %{{.*}} : i8 to f32
func.func @unsigned(%a: tensor<3xui8>) -> tensor<*xf32> {
  %0 = onnx.node "Cast" opset 18 (%a) {to = 1 : si64} named "cast" : (tensor<3xui8>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// One value, read as two types.
// CHECK-LABEL: func.func @signs
// CHECK-SAME: (%[[A:.*]]: tensor<3xi8>)
// CHECK: linalg.generic {{.*}} ins(%[[A]] : tensor<3xi8>)
// CHECK: arith.sitofp %{{.*}} : i8 to f32
// CHECK: linalg.generic {{.*}} ins(%[[A]] : tensor<3xi8>)
// CHECK: arith.uitofp %{{.*}} : i8 to f32
// CHECK-NOT: unrealized_conversion_cast
func.func @signs(%a: tensor<3xi8>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0 = onnx.node "Cast" opset 18 (%a) {to = 2 : si64} named "unsigned" : (tensor<3xi8>) -> tensor<*xui8>
  %1 = onnx.node "Cast" opset 18 (%a) {to = 1 : si64} named "b" : (tensor<3xi8>) -> tensor<*xf32>
  %2 = onnx.node "Cast" opset 18 (%0) {to = 1 : si64} named "c" : (tensor<*xui8>) -> tensor<*xf32>
  return %1, %2 : tensor<*xf32>, tensor<*xf32>
}

// -----

// Indices that nobody knows yet are checked beside their use, into a result of the function's own; a constant one is not.
// CHECK-LABEL: func.func @indices
// CHECK-SAME: (%[[DATA:.*]]: tensor<5x2xf32>, %[[INDICES:.*]]: tensor<3xi64>)
// CHECK-SAME: -> (tensor<3x2xf32>, tensor<2xf32>, tensor<1xi64> {halftone.indexed = 5 : i64, halftone.indices_of = "node 'rows' (Gather, opset 18)"})
// CHECK: %[[OUTSIDE:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%[[INDICES]]
// CHECK-DAG: arith.cmpi slt, %{{.*}}, %c-5_i64
// CHECK-DAG: arith.cmpi sge, %{{.*}}, %c5_i64
// CHECK: return %{{.*}}, %{{.*}}, %[[OUTSIDE]] : tensor<3x2xf32>, tensor<2xf32>, tensor<1xi64>
func.func @indices(%data: tensor<5x2xf32>, %indices: tensor<3xi64>) -> (tensor<*xf32>, tensor<*xf32>) {
  %last = arith.constant dense<-1> : tensor<i64>
  %0 = onnx.node "Gather" opset 18 (%data, %indices) {} named "rows" : (tensor<5x2xf32>, tensor<3xi64>) -> tensor<*xf32>
  %1 = onnx.node "Gather" opset 18 (%data, %last) {} named "row" : (tensor<5x2xf32>, tensor<i64>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}
