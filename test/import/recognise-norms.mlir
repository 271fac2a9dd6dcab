// RUN: qopt %s --recognise-norms | FileCheck %s
// Every way to write a root mean square norm, and what is nearly one.

lowbit.weight @g : !lowbit.weight<64, <f32>> in "a.onnx" at 0

// Pow, Sqrt, Div(1, root), the scale on the left.
// CHECK-LABEL: @optimum
// CHECK: %[[G:.*]] = lowbit.get @g
// CHECK: %[[X:.*]] = tensor.collapse_shape %arg0
// CHECK: %[[N:.*]] = lowbit.rms_norm %[[X]] scale %[[G]] epsilon 9.99999974E-6 : tensor<?x64xf32>
// CHECK: %[[B:.*]] = tensor.expand_shape %[[N]]
// CHECK-NOT: onnx.node
// CHECK: return %[[B]]
func.func @optimum(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %g = lowbit.get @g : !lowbit.weight<64, <f32>>
  %two = arith.constant dense<2.0> : tensor<f32>
  %last = arith.constant dense<-1> : tensor<1xi64>
  %epsilon = arith.constant dense<1.0e-05> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = onnx.node "Pow" opset 18 (%x, %two) {} named "a" : (tensor<1x?x64xf32>, tensor<f32>) -> tensor<1x?x64xf32>
  %1 = onnx.node "ReduceMean" opset 18 (%0, %last) {keepdims = 1 : si64} named "b" : (tensor<1x?x64xf32>, tensor<1xi64>) -> tensor<1x?x1xf32>
  %2 = onnx.node "Add" opset 18 (%1, %epsilon) {} named "c" : (tensor<1x?x1xf32>, tensor<f32>) -> tensor<1x?x1xf32>
  %3 = onnx.node "Sqrt" opset 18 (%2) {} named "d" : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %4 = onnx.node "Div" opset 18 (%one, %3) {} named "e" : (tensor<f32>, tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %5 = onnx.node "Mul" opset 18 (%x, %4) {} named "f" : (tensor<1x?x64xf32>, tensor<1x?x1xf32>) -> tensor<1x?x64xf32>
  %6 = onnx.node "Mul" opset 18 (%g, %5) {} named "g" : (!lowbit.weight<64, <f32>>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  return %6 : tensor<1x?x64xf32>
}

// Mul(x, x), the axes as a parameter, the epsilon first, Reciprocal, no scale.
// CHECK-LABEL: @bare
// CHECK: lowbit.rms_norm %{{.*}} epsilon 9.99999997E-7 : tensor<?x64xf32>{{$}}
// CHECK-NOT: onnx.node
func.func @bare(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %epsilon = arith.constant dense<1.0e-06> : tensor<1xf32>
  %0 = onnx.node "Mul" opset 17 (%x, %x) {} named "a" : (tensor<1x?x64xf32>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  %1 = onnx.node "ReduceMean" opset 17 (%0) {axes = array<i64: 2>} named "b" : (tensor<1x?x64xf32>) -> tensor<1x?x1xf32>
  %2 = onnx.node "Add" opset 17 (%epsilon, %1) {} named "c" : (tensor<1xf32>, tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %3 = onnx.node "Sqrt" opset 17 (%2) {} named "d" : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %4 = onnx.node "Reciprocal" opset 17 (%3) {} named "e" : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %5 = onnx.node "Mul" opset 17 (%4, %x) {} named "f" : (tensor<1x?x1xf32>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  return %5 : tensor<1x?x64xf32>
}

// Div(x, root), the scale on the right.
// CHECK-LABEL: @quotient
// CHECK: lowbit.rms_norm %{{.*}} scale %{{.*}} epsilon
// CHECK-NOT: onnx.node
func.func @quotient(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %g = lowbit.get @g : !lowbit.weight<64, <f32>>
  %epsilon = arith.constant dense<1.0e-06> : tensor<f32>
  %0 = onnx.node "Mul" opset 17 (%x, %x) {} named "a" : (tensor<1x?x64xf32>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  %1 = onnx.node "ReduceMean" opset 17 (%0) {axes = array<i64: -1>} named "b" : (tensor<1x?x64xf32>) -> tensor<1x?x1xf32>
  %2 = onnx.node "Add" opset 17 (%1, %epsilon) {} named "c" : (tensor<1x?x1xf32>, tensor<f32>) -> tensor<1x?x1xf32>
  %3 = onnx.node "Sqrt" opset 17 (%2) {} named "d" : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %4 = onnx.node "Div" opset 17 (%x, %3) {} named "e" : (tensor<1x?x64xf32>, tensor<1x?x1xf32>) -> tensor<1x?x64xf32>
  %5 = onnx.node "Mul" opset 17 (%4, %g) {} named "f" : (tensor<1x?x64xf32>, !lowbit.weight<64, <f32>>) -> tensor<1x?x64xf32>
  return %5 : tensor<1x?x64xf32>
}

// One operator.
// CHECK-LABEL: @operator
// CHECK: lowbit.rms_norm %{{.*}} scale %{{.*}} epsilon 9.99999997E-7
// CHECK-NOT: onnx.node
func.func @operator(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %g = lowbit.get @g : !lowbit.weight<64, <f32>>
  %0 = onnx.node "SimplifiedLayerNormalization" opset 22 (%x, %g) {axis = -1 : si64, epsilon = 1.0e-06 : f32} named "a" : (tensor<1x?x64xf32>, !lowbit.weight<64, <f32>>) -> tensor<1x?x64xf32>
  return %0 : tensor<1x?x64xf32>
}

// The mean over the tokens is no norm of tokens.
// CHECK-LABEL: @otherAxis
// CHECK-NOT: lowbit.rms_norm
func.func @otherAxis(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %epsilon = arith.constant dense<1.0e-06> : tensor<f32>
  %0 = onnx.node "Mul" opset 17 (%x, %x) {} named "a" : (tensor<1x?x64xf32>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  %1 = onnx.node "ReduceMean" opset 17 (%0) {axes = array<i64: 1>} named "b" : (tensor<1x?x64xf32>) -> tensor<1x1x64xf32>
  %2 = onnx.node "Add" opset 17 (%1, %epsilon) {} named "c" : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1x64xf32>
  %3 = onnx.node "Sqrt" opset 17 (%2) {} named "d" : (tensor<1x1x64xf32>) -> tensor<1x1x64xf32>
  %4 = onnx.node "Div" opset 17 (%x, %3) {} named "e" : (tensor<1x?x64xf32>, tensor<1x1x64xf32>) -> tensor<1x?x64xf32>
  return %4 : tensor<1x?x64xf32>
}

// The mean of x^3.
// CHECK-LABEL: @cube
// CHECK-NOT: lowbit.rms_norm
func.func @cube(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %three = arith.constant dense<3.0> : tensor<f32>
  %epsilon = arith.constant dense<1.0e-06> : tensor<f32>
  %0 = onnx.node "Pow" opset 17 (%x, %three) {} named "a" : (tensor<1x?x64xf32>, tensor<f32>) -> tensor<1x?x64xf32>
  %1 = onnx.node "ReduceMean" opset 17 (%0) {axes = array<i64: -1>} named "b" : (tensor<1x?x64xf32>) -> tensor<1x?x1xf32>
  %2 = onnx.node "Add" opset 17 (%1, %epsilon) {} named "c" : (tensor<1x?x1xf32>, tensor<f32>) -> tensor<1x?x1xf32>
  %3 = onnx.node "Sqrt" opset 17 (%2) {} named "d" : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %4 = onnx.node "Div" opset 17 (%x, %3) {} named "e" : (tensor<1x?x64xf32>, tensor<1x?x1xf32>) -> tensor<1x?x64xf32>
  return %4 : tensor<1x?x64xf32>
}

// Another tensor is divided by the root.
// CHECK-LABEL: @otherInput
// CHECK-NOT: lowbit.rms_norm
func.func @otherInput(%x: tensor<1x?x64xf32>, %y: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %epsilon = arith.constant dense<1.0e-06> : tensor<f32>
  %0 = onnx.node "Mul" opset 17 (%x, %x) {} named "a" : (tensor<1x?x64xf32>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  %1 = onnx.node "ReduceMean" opset 17 (%0) {axes = array<i64: -1>} named "b" : (tensor<1x?x64xf32>) -> tensor<1x?x1xf32>
  %2 = onnx.node "Add" opset 17 (%1, %epsilon) {} named "c" : (tensor<1x?x1xf32>, tensor<f32>) -> tensor<1x?x1xf32>
  %3 = onnx.node "Sqrt" opset 17 (%2) {} named "d" : (tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %4 = onnx.node "Div" opset 17 (%y, %3) {} named "e" : (tensor<1x?x64xf32>, tensor<1x?x1xf32>) -> tensor<1x?x64xf32>
  return %4 : tensor<1x?x64xf32>
}
