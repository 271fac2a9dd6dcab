// An operation that no kernel is made of.
func.func @bits(%x: memref<4x8xf32>, %out: memref<4x8xi32>) {
  lowbit.kernel outs(%out : memref<4x8xi32>) {
    %1 = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
    %2 = tensor.bitcast %1 : tensor<4x8xf32> to tensor<4x8xi32>
    lowbit.yield %2 : tensor<4x8xi32>
  }
  return
}
