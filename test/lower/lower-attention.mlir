// RUN: qopt %s --lower-attention | FileCheck %s
// Scores of 16 positions and two tokens at a time, the softmax, the sum of the values: each thread some heads of some groups of tokens.

// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q:[^:]*]]: memref<2x16xf32>, %[[PAST:[^:]*]]: index
func.func @attention(%q: memref<2x16xf32>, %past: index, %cache: !lowbit.cache<heads 1, size 8>, %out: memref<2x16xf32>) {
  // CHECK: %[[KEYS:.*]] = kernel.keys
  // CHECK: %[[VALUES:.*]] = kernel.values
  // CHECK: %[[SCORES:.*]] = memref.alloca(%{{.*}}) {alignment = 64 : i64} : memref<2x?xf32>
  // CHECK: scf.forall (%{{.*}}) in (2) {

  // scores = scale * q k, minus infinity where there is no position.
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK-COUNT-16: vector.load %[[KEYS]]
  // CHECK: %[[SEEN:.*]] = vector.create_mask
  // CHECK: arith.select %[[SEEN]]
  // CHECK: vector.store %{{.*}}, %[[SCORES]]
  // CHECK: arith.maximumf
  // CHECK: %[[LARGEST:.*]] = vector.reduction <maximumf>

  // exp(score - largest) and their sum.
  // CHECK: arith.subf
  // CHECK: math.exp
  // CHECK: vector.store %{{.*}}, %[[SCORES]]
  // CHECK: %[[SUM:.*]] = vector.reduction <add>

  // The values position by position, divided by the sum.
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: memref.load %[[SCORES]]
  // CHECK: vector.load %[[VALUES]]
  // CHECK: arith.divf
  // CHECK: vector.store
  // CHECK: kernel.barrier
  lowbit.kernel outs(%out : memref<2x16xf32>) attributes {schedule = #kernel.schedule<lanes 8, tiles 3, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %q restrict : memref<2x16xf32> to tensor<2x16xf32>
    %2 = lowbit.attention %1, %cache at %past heads 2 scale 0.5 : tensor<2x16xf32>, !lowbit.cache<heads 1, size 8>
    lowbit.yield %2 : tensor<2x16xf32>
  }
  return
}
