// RUN: qopt %s --lower-rows | FileCheck %s
// A block of 8 in vectors of 16 lanes: loads give 0 in the lanes that do not exist, but x + 1 is 1 there. Neither the
// largest magnitude nor the codes and their sum may see it.

// CHECK-LABEL: func.func @shortBlock
func.func @shortBlock(%x: memref<1x8xf32>, %codes: memref<1x8xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>) {
  // CHECK: %[[INSIDE:.*]] = vector.create_mask
  // CHECK: %[[PLUS:.*]] = arith.addf
  // CHECK: %[[PRESENT:.*]] = arith.select %[[INSIDE]], %[[PLUS]], %{{.*}} : vector<16xi1>, vector<16xf32>
  // CHECK: math.absf %[[PRESENT]]
  // CHECK: %[[AGAIN:.*]] = arith.addf
  // CHECK: %[[CODED:.*]] = arith.select %{{.*}}, %[[AGAIN]], %{{.*}} : vector<16xi1>, vector<16xf32>
  // CHECK: arith.divf %[[CODED]]
  %one = arith.constant dense<1.0> : tensor<1x8xf32>
  lowbit.kernel outs(%codes, %scales, %sums : memref<1x8xi8>, memref<1x1xf32>, memref<1x1xi32>)
      attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "multiply-add">} {
    %t = bufferization.to_tensor %x restrict : memref<1x8xf32> to tensor<1x8xf32>
    %p = arith.addf %t, %one : tensor<1x8xf32>
    %q = lowbit.quantize_activation %p : tensor<1x8xf32> -> !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>
    lowbit.yield %q : !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>
  }
  return
}
