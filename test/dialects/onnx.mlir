// RUN: qopt %s | qopt | FileCheck %s
// RUN: qopt %s --mlir-print-op-generic | qopt | FileCheck %s
// Every operation of the onnx dialect survives printing and reading, short and generic.

// CHECK-LABEL: func.func @f
func.func @f(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // CHECK: %[[NONE:.*]] = onnx.absent
  %none = onnx.absent
  // CHECK: %[[Y:.*]] = onnx.node "Softmax" opset 18(%{{.*}}) {axis = -1 : si64} named "/layers.0/Softmax" : (tensor<?x6xf32>) -> tensor<?x6xf32>
  %y = onnx.node "Softmax" opset 18 (%x) {axis = -1 : si64} named "/layers.0/Softmax" : (tensor<?x6xf32>) -> tensor<?x6xf32>
  // CHECK: onnx.node domain "com.microsoft" "Two" opset 1(%[[Y]], %[[NONE]]) {} named "" : (tensor<?x6xf32>, none) -> (tensor<?x6xf32>, tensor<*xf32>)
  %z:2 = onnx.node domain "com.microsoft" "Two" opset 1 (%y, %none) {} named "" : (tensor<?x6xf32>, none) -> (tensor<?x6xf32>, tensor<*xf32>)
  return %z#0 : tensor<?x6xf32>
}
