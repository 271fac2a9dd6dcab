// RUN: qopt %s --convert-elementwise --canonicalize --cse | FileCheck %s
// Arithmetic on activations of one shape and with scalars; other broadcasts stay.

// CHECK-LABEL: @silu
// CHECK: %[[X:.*]] = tensor.collapse_shape %arg0
// CHECK: %[[ONES:.*]] = tensor.splat %{{.*}} : tensor<?x8xf32>
// CHECK: %[[N:.*]] = arith.negf %[[X]] : tensor<?x8xf32>
// CHECK: %[[E:.*]] = math.exp %[[N]]
// CHECK: %[[S:.*]] = arith.addf %[[E]], %[[ONES]]
// CHECK: %[[Q:.*]] = arith.divf %[[ONES]], %[[S]]
// CHECK: %[[Y:.*]] = arith.mulf %[[X]], %[[Q]]
// CHECK: tensor.expand_shape %[[Y]]
func.func @silu(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %s = onnx.node "Sigmoid" opset 18 (%x) {} named "s" : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %y = onnx.node "Mul" opset 18 (%x, %s) {} named "y" : (tensor<1x?x8xf32>, tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  return %y : tensor<1x?x8xf32>
}

// CHECK-LABEL: @scalar
// CHECK: %[[H:.*]] = tensor.splat %{{.*}} : tensor<?x8xf32>
// CHECK: arith.subf %[[H]], %arg0
func.func @scalar(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %half = arith.constant dense<0.5> : tensor<1xf32>
  %y = onnx.node "Sub" opset 18 (%half, %x) {} named "y" : (tensor<1xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @perChannel
// CHECK: onnx.node "Add"
func.func @perChannel(%x: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %y = onnx.node "Add" opset 18 (%x, %b) {} named "y" : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
