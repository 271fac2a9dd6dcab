// RUN: qopt %s --lower-sequences=length=16 --canonicalize | FileCheck %s

// Tokens are counted, weights are tensors, caches and positions are gone.
// CHECK-LABEL: func.func @linear(
// CHECK-SAME: %[[X:.*]]: tensor<16x8xf32>, %[[W:.*]]: tensor<4x8xf32>) -> tensor<16x4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[W]] : tensor<16x8xf32>, tensor<4x8xf32>)
func.func @linear(%x: tensor<?x8xf32>, %past: index, %w: !lowbit.weight<4x8, <int4, block 8, scale f16>>) -> tensor<?x4xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x8xf32>, <4x8, <int4, block 8, scale f16>>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Attention reads what was appended here: heads one after the other, two of them sharing keys and values.
// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q:.*]]: tensor<16x16xf32>, %[[K:.*]]: tensor<16x8xf32>, %[[V:.*]]: tensor<16x8xf32>) -> tensor<16x16xf32>
// CHECK-NOT: lowbit
// CHECK: scf.for %[[HEAD:.*]] = %{{.*}} to %c4{{.*}} step
// CHECK: tensor.extract_slice %[[Q]][0, %{{.*}}] [16, 4] [1, 1]
// CHECK: tensor.extract_slice %[[K]][0, %{{.*}}] [16, 4] [1, 1]
// CHECK: arith.cmpi ule
// CHECK: math.exp
// CHECK: tensor.extract_slice %[[V]][0, %{{.*}}] [16, 4] [1, 1]
// CHECK: tensor.insert_slice
func.func @attention(%q: tensor<?x16xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %cache: !lowbit.cache<heads 2, size 4>, %past: index) -> tensor<?x16xf32> {
  lowbit.append %k, %v to %cache at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %a = lowbit.attention %q, %cache at %past heads 4 scale 0.5 : tensor<?x16xf32>, !lowbit.cache<heads 2, size 4>
  return %a : tensor<?x16xf32>
}
