// RUN: qopt %s --convert-nodes --split-input-file --verify-diagnostics

func.func @unsupported(%x: tensor<2x2xf32>) -> tensor<*xf32> {
  // expected-error @below {{node 'first' (Det, opset 18): operator is not supported}}
  %0 = onnx.node "Det" opset 18 (%x) {} named "first" : (tensor<2x2xf32>) -> tensor<*xf32>
  // expected-note @below {{node 'second' (com.example.Add, opset 1): neither is this}}
  %1 = onnx.node domain "com.example" "Add" opset 1 (%0, %x) {} named "second" : (tensor<*xf32>, tensor<2x2xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// Before opset 17 there was no such operator.
func.func @early(%x: tensor<2x2xf32>, %g: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @below {{node 'norm' (LayerNormalization, opset 16): operator is not supported}}
  %0 = onnx.node "LayerNormalization" opset 16 (%x, %g) {} named "norm" : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @sizes(%x: tensor<2x3xf32>, %y: tensor<4x2xf32>) -> tensor<*xf32> {
  // expected-error @below {{node 'product' (MatMul, opset 18): inner dimensions differ: 3 and 4}}
  %0 = onnx.node "MatMul" opset 18 (%x, %y) {} named "product" : (tensor<2x3xf32>, tensor<4x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @missing(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{node 'sum' (Add, opset 18): needs 2 inputs, input 1 is missing}}
  %0 = onnx.node "Add" opset 18 (%x) {} named "sum" : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// expected-error @below {{argument 0 is 'tensor<?x3xf32>', not of a known shape}}
func.func @unknown(%x: tensor<?x3xf32>) -> tensor<*xf32> {
  %0 = onnx.node "Exp" opset 18 (%x) {} named "exp" : (tensor<?x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @outside(%data: tensor<5x2xf32>) -> tensor<*xf32> {
  %indices = arith.constant dense<[4, 5]> : tensor<2xi64>
  // expected-error @below {{node 'rows' (Gather, opset 18): index 5 lies outside of 5 elements}}
  %0 = onnx.node "Gather" opset 18 (%data, %indices) {} named "rows" : (tensor<5x2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
