// RUN: qopt %s --split-input-file --verify-diagnostics --verify-imported
// What nobody recognised is named; the rest passes.

module attributes {halftone.source = "a.onnx"} {
  func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %y = arith.addf %x, %x : tensor<?x4xf32>
    return %y : tensor<?x4xf32>
  }
}

// -----

module attributes {halftone.source = "a.onnx"} {
  func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    // expected-error @below {{a.onnx: node 'layers.0/norm' (Softmax, opset 18): this use of the operator is not understood}}
    %y = onnx.node "Softmax" opset 18 (%x) {} named "layers.0/norm" : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %z = onnx.node "Softmax" opset 18 (%y) {} named "second" : (tensor<?x4xf32>) -> tensor<?x4xf32>
    return %z : tensor<?x4xf32>
  }
}

// -----

module attributes {halftone.source = "a.onnx"} {
  func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    // What a node was written out of is what the user knows.
    // expected-error @below {{a.onnx: node 'attention' (com.microsoft.GroupQueryAttention, opset 1): this use of the operator is not understood}}
    %y = onnx.node "Softmax" opset 1 (%x) {} named "attention" {halftone.expanded = "com.microsoft.GroupQueryAttention, opset 1"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    return %y : tensor<?x4xf32>
  }
}

// -----

module attributes {halftone.source = "a.onnx"} {
  func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    // expected-error @below {{a.onnx: node 'gate' (com.microsoft.QuickGelu, opset 1): this use of the operator is not understood}}
    %y = onnx.node domain "com.microsoft" "QuickGelu" opset 1 (%x) {} named "gate" : (tensor<?x4xf32>) -> tensor<?x4xf32>
    return %y : tensor<?x4xf32>
  }
}
