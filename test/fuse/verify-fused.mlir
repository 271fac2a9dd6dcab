// RUN: qopt %s --verify-fused -split-input-file -verify-diagnostics
// What the fuse stage promises: operations on tokens are in kernels, and kernels read no constants that are weights.

func.func @outside(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // expected-error @below {{computes on tokens but is in no kernel}}
  %y = arith.addf %x, %x : tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

func.func @constant(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %y = lowbit.kernel {
    // expected-error @below {{reads a constant whose elements differ; make it a weight}}
    %z = arith.mulf %x, %c : tensor<1x4xf32>
    lowbit.yield %z : tensor<1x4xf32>
  } : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

func.func @right(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = arith.constant dense<2.0> : tensor<1x4xf32>
  %y = lowbit.kernel {
    %z = arith.mulf %x, %c : tensor<1x4xf32>
    lowbit.yield %z : tensor<1x4xf32>
  } : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
