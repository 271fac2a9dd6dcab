// RUN: qopt %s --split-input-file --verify-diagnostics --lower-rows
// RUN: qopt %s --split-input-file --verify-diagnostics --lower-reference
// Kernels are lowered after their buffers are placed.

#schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">
func.func @outs(%x: memref<1x4xf32>) {
  // expected-error @below {{has no outs for what it yields: place-buffers comes first}}
  %r = lowbit.kernel attributes {schedule = #schedule} {
    %0 = bufferization.to_tensor %x restrict : memref<1x4xf32> to tensor<1x4xf32>
    %1 = arith.negf %0 : tensor<1x4xf32>
    lowbit.yield %1 : tensor<1x4xf32>
  } : tensor<1x4xf32>
  return
}

// -----

#schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">
func.func @operand(%x: tensor<1x4xf32>, %out: memref<1x4xf32>) {
  lowbit.kernel outs(%out : memref<1x4xf32>) attributes {schedule = #schedule} {
    // expected-error @below {{reads 'tensor<1x4xf32>' from outside its kernel: place-buffers comes first}}
    %1 = arith.negf %x : tensor<1x4xf32>
    lowbit.yield %1 : tensor<1x4xf32>
  }
  return
}
